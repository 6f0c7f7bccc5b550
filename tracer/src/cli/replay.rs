//! `forkscope replay`: a recording, analysed as the session was.

use super::args::{Replay, Showing, Ui};
use super::baseline;
use super::conclude::{assemble, conclude};
use super::console::{Console, system};
use super::outcome::{FAILED, Outcome};
use super::outputs::{self, STREAM};
use super::playback;
use anyhow::{anyhow, bail};
use forkscope::recording::End;
use forkscope::replay::{Input, Player, Seen, Setup, Until};
use forkscope::report::{Backend, Report, Session as SessionInfo};
use forkscope::sinks::escape::escape;
use forkscope::sinks::json;
use forkscope::source::{Account, ProgramCost};
use forkscope_proto::Kind;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Replays the recording of the arguments.
pub(super) fn replay(args: &Replay) -> Outcome {
    let showing = &args.showing;
    if let Some(report) = &showing.report {
        outputs::not_over_recording(Some(&args.file), report)?;
        json::check_writable(report)?;
    }
    // Keys cannot come from where the recording comes from.
    let from_stdin = args.file == Path::new(STREAM);
    if showing.ui == Ui::Tui && from_stdin {
        bail!(
            "the live screen needs standard input for its keys: name the recording's file, or use --ui log"
        );
    }
    let known = baseline::read(showing, Some(&args.file))?;
    let name = escape(&args.file.to_string_lossy()).into_owned();
    if args.file.is_dir() {
        bail!("cannot replay {name}: it is a directory; name the file in it that `--record` wrote");
    }
    let input = open(&args.file).map_err(|error| anyhow!("cannot open {name}: {}", system(&error)))?;
    let (max_events, duration) = (showing.max_events, showing.duration);
    let setup = Setup { levels: showing.levels(), known, max_events, duration };
    let mut player =
        Player::open(input, name.clone(), setup).map_err(|error| anyhow!("cannot replay {name}: {error}"))?;
    let mut console = Console::new(showing, player.header().clock);
    if let Some(lacks) = player.lacks() {
        console.note(lacks);
    }
    if showing.ui == Ui::Tui || (showing.ui == Ui::Auto && !from_stdin && showing.has_screen()) {
        // Without its terminal, what was asked for beside the screen is written all the same.
        if let Err(error) = playback::play(&mut player, &mut console, showing)? {
            console.failure(&format!("{error:#}"));
        }
        return finish(&mut player, &console, showing);
    }
    player.advance(Until::End, Duration::MAX, &mut |seen, analysis| match seen {
        Seen::Event(event) => console.event(event, analysis),
        Seen::Finding(finding) => console.finding(finding, analysis),
        Seen::Broken(why) => console.failure(why),
    });
    finish(&mut player, &console, showing)
}

fn open(path: &Path) -> io::Result<Input> {
    Ok(if path == Path::new(STREAM) {
        Input::once(io::stdin().lock())
    } else {
        Input::file(File::open(path)?)
    })
}

/// The report, the summary and the exit status as of where the player is. Without the session's end,
/// what it cost is not known.
pub(super) fn finish(player: &mut Player, console: &Console, showing: &Showing) -> Outcome {
    player.leave();
    let account = player.end().map(account).unwrap_or_default();
    // Who asks whether all is well is not told so where it is not known.
    let is_asked = showing.fail_on.severity().is_some();
    let status = if is_asked && player.why_broken().is_some() { FAILED } else { 0 };
    conclude(player.analysis(), console, showing, session(player), account, player.notes(), status)
}

/// The report as of where the player is.
pub(super) fn report(player: &Player) -> Report {
    let account = player.end().map(account).unwrap_or_default();
    assemble(player.analysis(), session(player), account, player.notes())
}

fn session(player: &Player) -> SessionInfo {
    let (header, end) = (player.header().clone(), player.end());
    SessionInfo {
        backend: Backend::Replay,
        recorded_by: Some(header.backend),
        target: header.target,
        start: header.start,
        duration: end.map_or(player.elapsed().as_secs_f64(), |end| end.duration),
        host: header.host,
    }
}

/// What the session cost, as its backend said it.
fn account(end: &End) -> Account {
    let kinds = Kind::ALL.into_iter().map(Kind::name);
    let programs = end.programs.iter().map(|program| ProgramCost {
        name: program.name.clone(),
        runs: program.runs,
        time: Duration::from_nanos(program.time),
        missed: program.missed,
    });
    Account {
        lost: kinds.filter_map(|kind| Some((kind, *end.lost.get(kind)?))).collect(),
        malformed: end.malformed,
        programs: programs.collect(),
        own_cpu: end.own_cpu,
    }
}
