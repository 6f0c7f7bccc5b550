//! What the user does on the live screen of a session, and what its status line says.

use super::conclude::assemble;
use super::session::{Session, text};
use anyhow::{Result, anyhow};
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

impl Session {
    /// Draws the live screen, where there is one, and does what was typed. True: the user wants to leave.
    pub(super) fn show(&mut self) -> bool {
        let Some(mut dashboard) = self.dashboard.take() else { return false };
        for (text, is_failure) in self.console.take_unshown() {
            if is_failure { dashboard.complain(&text) } else { dashboard.say(&text) }
        }
        let command = dashboard.turn(&self.analysis, || self.status());
        let command = match command {
            Ok(command) => command,
            // The session goes on to its end: the report is written, the recording closed.
            Err(error) => {
                drop(dashboard);
                self.console.take_back();
                self.console.failure(&format!("{error:#}"));
                return true;
            }
        };
        self.dashboard = Some(dashboard);
        match command {
            Some(Command::Quit) => return true,
            Some(command) => self.obey(command),
            None => {}
        }
        false
    }

    fn obey(&mut self, command: Command) {
        let said = match command {
            Command::Export => self.export(),
            Command::Record => self.toggle_recording(),
            Command::GoOn => {
                self.let_go_on();
                return;
            }
            Command::Copy(id) => {
                if let Some(dashboard) = &mut self.dashboard {
                    copy(dashboard, &self.analysis, id);
                }
                return;
            }
            Command::Quit | Command::Suspend | Command::Play(_) => return,
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
            let failed = self.recording.end(&self.console, 0.0, 0, &account);
            return failed
                .map_or_else(|| Ok(format!("recorded to {name}")), |failed| Err(anyhow!("{failed}")));
        }
        let path = new_file("rec");
        let living = self.analysis.model.processes().filter(|process| process.ended.is_none());
        let living: BTreeSet<u32> = living.map(Process::pid).collect();
        self.recording.begin_now(
            &path,
            now(),
            text(SystemTime::now()),
            living.clone(),
            self.source.lost(),
        )?;
        // Their tables are asked of /proc a few at a time, as those in doubt are.
        self.doubtful.extend(living);
        Ok(format!("recording to {}; what came before is not in it", path.display()))
    }
}

/// Hands a finding to the terminal, as JSON.
pub(super) fn copy(dashboard: &mut super::dashboard::Dashboard, analysis: &Analysis, id: u32) {
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
