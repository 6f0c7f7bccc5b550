//! Processes and times in few words.

use super::Sight;
use super::page::{Role, Span, span};
use crate::model::{ProcId, Process};
use nix::sys::signal::Signal;

impl Sight<'_> {
    /// Seconds since the session's start, by which it can be told what came first: `+1.234567s`.
    pub(super) fn time(&self, time: u64) -> String {
        format!("{:+.6}s", self.seconds(time))
    }

    /// Seconds since the session's start.
    pub(super) fn seconds(&self, time: u64) -> f64 {
        time.saturating_sub(self.analysis.start()) as f64 / 1e9
    }

    /// `4242 python3.8`.
    pub(super) fn process(&self, id: ProcId) -> String {
        self.analysis.model.process(id).map_or_else(|| "?".to_owned(), who)
    }

    /// A process' number in the colour that it has among the processes of one connection.
    pub(super) fn pid_among(&self, id: ProcId, among: &[ProcId]) -> Span {
        span(self.analysis.model.pid(id).to_string(), role_among(id, among))
    }
}

/// `4242 python3.8`.
fn who(process: &Process) -> String {
    format!("{} {}", process.pid(), process.comm)
}

/// The role of a process among those of one connection.
pub(super) fn role_among(id: ProcId, among: &[ProcId]) -> Role {
    among.iter().position(|known| *known == id).map_or(Role::Plain, |at| Role::Process((at % 250) as u8))
}

/// How a process is: `live`, `exit 0`, `SIGSEGV`.
pub(super) fn state(process: &Process) -> (String, Role) {
    let Some((_, status)) = process.ended else { return ("live".to_owned(), Role::Good) };
    let Some(status) = status else { return ("ended".to_owned(), Role::Dim) };
    // The parts of a wait status: wait(2).
    let (signal, code) = (status & 0x7f, status >> 8 & 0xff);
    let name = i32::try_from(signal).ok().and_then(|signal| Signal::try_from(signal).ok());
    match (signal, name) {
        (0, _) => (format!("exit {code}"), if code == 0 { Role::Dim } else { Role::Warning }),
        (_, Some(name)) => (name.as_str().to_owned(), Role::Error),
        (_, None) => (format!("signal {signal}"), Role::Error),
    }
}
