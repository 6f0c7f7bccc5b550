//! `forkscope replay` on the live screen: the recording is played there, at any pace, to any moment and back.

use super::args::Showing;
use super::console::Console;
use super::dashboard::Dashboard;
use super::live::{copy, write_new};
use super::replay::report;
use super::signals::Signals;
use anyhow::{Result, anyhow};
use forkscope::replay::{Pace, Player, Seen, Speed, Stop, Until, Way};
use forkscope::report::Severity;
use forkscope::sinks::escape::escape;
use forkscope::sinks::screen::{Command, Playing, Replayed, Status};
use std::time::{Duration, Instant};

/// How long the player plays before keys are looked at.
const BUDGET: Duration = Duration::from_millis(15);
/// How often keys are looked at while nothing is played.
const IDLE: Duration = Duration::from_millis(20);

/// Plays until the user leaves, or the terminal is gone: that is the inner error.
///
/// # Errors
/// Where there is no screen to be had.
pub(super) fn play(player: &mut Player, console: &mut Console, showing: &Showing) -> Result<Result<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let mut signals = Signals::catch()?;
    let dashboard = Dashboard::open(showing, player.header().clock)?;
    console.hand_over();
    let played = runtime.block_on(Playback { player, dashboard, pace: Pace::default() }.drive(&mut signals));
    console.take_back();
    Ok(played)
}

struct Playback<'a> {
    player: &'a mut Player,
    dashboard: Dashboard,
    pace: Pace,
}

impl Playback<'_> {
    async fn drive(mut self, signals: &mut Signals) -> Result<()> {
        // What was found is what the user wants to see first.
        self.pace.set_speed(Speed::MAX);
        self.pace.play();
        loop {
            let busy = self.advance();
            let status = || status(self.player, &self.pace);
            match self.dashboard.turn(self.player.analysis(), status)? {
                Some(Command::Quit) => return Ok(()),
                Some(command) => self.obey(&command),
                None => {}
            }
            let pause = if busy { Duration::ZERO } else { IDLE };
            tokio::select! {
                biased;
                _ = signals.next() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Plays what is due; whether there is more to play right now.
    fn advance(&mut self) -> bool {
        let Some(until) = self.pace.due(Instant::now(), self.player.position()) else { return false };
        let dashboard = &mut self.dashboard;
        let stop = self.player.advance(until, BUDGET, &mut |seen, analysis| match seen {
            Seen::Event(event) => dashboard.event(event, analysis),
            Seen::Finding(_) => {}
            Seen::Broken(why) => dashboard.complain(why),
        });
        self.pace.stopped(stop);
        if self.pace.is_paused() {
            self.dashboard.draw_soon();
        }
        stop == Stop::Budget || !matches!(until, Until::Time(_))
    }

    fn obey(&mut self, command: &Command) {
        match command {
            Command::Export => match write_new(&report(self.player)) {
                Ok(said) => self.dashboard.say(&said),
                Err(error) => self.dashboard.complain(&escape(&format!("{error:#}"))),
            },
            &Command::Copy(id) => copy(&mut self.dashboard, self.player.analysis(), id),
            Command::Record => self.dashboard.complain("this is a recording already"),
            Command::GoOn => self.dashboard.complain("no process is stopped: this is a recording"),
            &Command::Play(playing) => {
                if let Err(error) = self.steer(playing) {
                    self.dashboard.complain(&format!("{error:#}"));
                }
            }
            Command::Quit | Command::Suspend | Command::Type(_) | Command::Scroll(_) => {}
        }
        self.dashboard.draw_soon();
    }

    fn steer(&mut self, playing: Playing) -> Result<()> {
        match playing {
            Playing::Toggle if self.pace.is_playing() => self.pace.pause(),
            Playing::Toggle => {
                // At the end there is nothing to play: from the beginning, as the session was.
                if self.player.is_at_end() {
                    self.pace.set_speed(Speed::REAL);
                    self.go_to(Duration::ZERO)?;
                }
                self.pace.play();
            }
            Playing::Step => self.pace.step(),
            Playing::NextFinding => self.pace.next_finding(Severity::Warning),
            Playing::Faster => self.pace.set_speed(self.pace.speed().faster()),
            Playing::Slower => self.pace.set_speed(self.pace.speed().slower()),
            Playing::By(seconds) => {
                let by = Duration::from_secs(seconds.unsigned_abs().into());
                let at = self.player.position();
                self.go_to(if seconds < 0 { at.saturating_sub(by) } else { at + by })?;
            }
            Playing::Start => self.go_to(Duration::ZERO)?,
            Playing::End => self.go_to(self.player.length().unwrap_or(Duration::MAX))?,
        }
        Ok(())
    }

    fn go_to(&mut self, moment: Duration) -> Result<()> {
        match self.player.seek(moment).map_err(|no_way| anyhow!("{no_way}"))? {
            Way::Anew => self.dashboard.rewind(),
            Way::Onward => {}
        }
        self.pace.go_to(moment);
        Ok(())
    }
}

fn status(player: &Player, pace: &Pace) -> Status {
    let what = match (pace.is_paused(), pace.is_playing()) {
        (true, _) if player.is_at_end() => "at the end".to_owned(),
        (true, _) => "paused".to_owned(),
        (false, true) => format!("playing {}", pace.speed()),
        (false, false) => "going".to_owned(),
    };
    Status {
        session: format!("replay, {}", player.header().backend.name()),
        events: player.events(),
        lost: player.end().map_or(0, |end| end.lost.values().sum()),
        replay: Some(Replayed {
            pace: what,
            at: player.position().as_secs_f64(),
            of: player.length().map(|length| length.as_secs_f64()),
        }),
        ..Status::default()
    }
}
