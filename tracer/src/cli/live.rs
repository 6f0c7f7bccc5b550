//! What the user does on the live screen of a session, and what its status line says.

use super::conclude::assemble;
use super::dashboard::Dashboard;
use super::session::{Session, text};
use super::suspend::stop;
use anyhow::{Error, Result, anyhow};
use forkscope::analysis::Analysis;
use forkscope::model::Process;
use forkscope::report::{Report, Target};
use forkscope::sinks::escape::escape;
use forkscope::sinks::json;
use forkscope::sinks::screen::{Command, Status};
use forkscope::source::Account;
use forkscope::source::usage::{cpu, now};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

/// Why the session is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// The user wants to leave, or the screen cannot be drawn any more.
    Screen,
    /// The terminal was closed.
    Terminal,
}

impl Session {
    /// Draws the live screen, where there is one, and does what was typed.
    pub(super) fn show(&mut self) -> Option<Leave> {
        let mut dashboard = self.dashboard.take()?;
        for (text, is_failure) in self.console.take_unshown() {
            if is_failure { dashboard.complain(&text) } else { dashboard.say(&text) }
        }
        let command = dashboard.turn(&self.analysis, || self.status());
        match command {
            Ok(command) => {
                self.dashboard = Some(dashboard);
                if command == Some(Command::Quit) {
                    return Some(Leave::Screen);
                }
                command.iter().for_each(|command| self.obey(command));
                None
            }
            Err(error) => Some(self.close(dashboard, &error)),
        }
    }

    /// Stops as a shell's job does, and goes on when the shell says so.
    pub(super) fn suspend(&mut self) -> Option<Leave> {
        let Some(mut dashboard) = self.dashboard.take() else {
            stop();
            return None;
        };
        match dashboard.suspend() {
            Ok(()) => {
                self.dashboard = Some(dashboard);
                None
            }
            Err(error) => Some(self.close(dashboard, &error)),
        }
    }

    /// There is no screen any more. The session goes on to its end: the report is
    /// written, the recording closed.
    fn close(&mut self, dashboard: Dashboard, error: &Error) -> Leave {
        let leave = if dashboard.is_gone() { Leave::Terminal } else { Leave::Screen };
        drop(dashboard);
        self.console.take_back();
        self.console.failure(&format!("{error:#}"));
        leave
    }

    /// Has the live screen drawn at once, where there is one.
    pub(super) fn draw_soon(&mut self) {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.draw_soon();
        }
    }

    fn obey(&mut self, command: &Command) {
        let said = match command {
            Command::Export => self.export(),
            Command::Record => self.toggle_recording(),
            Command::GoOn => {
                self.let_go_on();
                return;
            }
            &Command::Copy(id) => {
                if let Some(dashboard) = &mut self.dashboard {
                    copy(dashboard, &self.analysis, id);
                }
                return;
            }
            Command::Quit | Command::Suspend | Command::Type(_) | Command::Scroll(_) | Command::Play(_) => {
                return;
            }
        };
        if let Some(dashboard) = &mut self.dashboard {
            match said {
                Ok(text) => dashboard.say(&text),
                Err(error) => dashboard.complain(&escape(&format!("{error:#}"))),
            }
        }
    }

    fn status(&self) -> Status {
        let what = match &self.target {
            Target::Run { .. } => "run",
            Target::Attach { .. } | Target::Inspect { .. } => "attach",
            Target::Watch => "watch",
        };
        Status {
            session: format!("{what}, {}", self.backend.name()),
            elapsed: self.began.1.elapsed().as_secs_f64(),
            events: self.events,
            lost: self.source.lost().values().sum(),
            recording: self.recording.name().map(str::to_owned),
            stopped: self.stops.count(),
            ended: self.ended,
            ..Status::default()
        }
    }

    /// Writes the report as of now to a new file.
    fn export(&mut self) -> Result<String> {
        let account = Account {
            lost: self.source.lost(),
            malformed: self.batch.refused(),
            own_cpu: cpu().map(|own| own.as_secs_f64()),
            ..Account::default()
        };
        let notes = vec!["the session went on after this report was written".to_owned()];
        write_new(&assemble(&self.analysis, self.info(), account, notes))
    }

    /// Ends the recording, or begins one that has what is known of each process, as after a late attach.
    fn toggle_recording(&mut self) -> Result<String> {
        if let Some(name) = self.recording.name().map(str::to_owned) {
            let account = Account { lost: self.source.lost(), ..Account::default() };
            let duration = self.began.1.elapsed().as_secs_f64();
            let failed = self.recording.end(&self.console, duration, 0, &account);
            return failed
                .map_or_else(|| Ok(format!("recorded to {name}")), |failed| Err(anyhow!("{failed}")));
        }
        let path = new_file("rec");
        let living = self.analysis.model.living_processes();
        let living: BTreeSet<u32> = living.map(Process::pid).collect();
        self.recording.begin_now(
            &path,
            now(),
            text(SystemTime::now()),
            living.clone(),
            self.source.lost(),
        )?;
        // Their tables are asked of /proc a few at a time, as those in doubt are.
        self.lookups.doubt(living);
        Ok(format!("recording to {}; what came before is not in it", path.display()))
    }
}

/// Hands a finding to the terminal, as JSON.
pub(super) fn copy(dashboard: &mut Dashboard, analysis: &Analysis, id: u32) {
    let finding = analysis.findings().iter().find(|finding| finding.id == id);
    match finding.map(serde_json::to_string_pretty) {
        Some(Ok(text)) => dashboard.copy(&text, &format!("finding {id} as JSON")),
        Some(Err(error)) => dashboard.complain(&format!("cannot write finding {id} as JSON: {error}")),
        None => {}
    }
}

/// Writes a report to a new file in the current directory; says where.
pub(super) fn write_new(report: &Report) -> Result<String> {
    let path = new_file("json");
    json::write(report, &path)?;
    Ok(format!("wrote the report to {}", path.display()))
}

/// The name of a file that is not there yet: `forkscope-20260102-030405.json`.
fn new_file(ending: &str) -> PathBuf {
    let time: String = text(SystemTime::now()).chars().filter(char::is_ascii_alphanumeric).take(15).collect();
    let name = |more: &str| PathBuf::from(format!("forkscope-{time}{more}.{ending}"));
    let names = std::iter::once(name("")).chain((2..100).map(|number| name(&format!("-{number}"))));
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| name("-more"))
}
