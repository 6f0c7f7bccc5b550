//! What one look at processes shows: who shares what, and who waits for whom.
//!
//! Pure: what /proc and the kernel's socket tables show comes in as [`Look`], a [`Report`] goes out. Nothing
//! is claimed that was not seen: who opened a thing and what it speaks are guesses, and say so.
//!
//! ```text
//!   Look -> group (descriptors by what is behind them) -> things -+-> ends (which is whose other end)
//!                                                                 +-> creator, guess
//!                                                                 +-> waits (what threads wait on) -> Report
//! ```

mod creator;
mod ends;
mod group;
mod guess;
mod look;
#[cfg(test)]
pub(crate) mod sample;
mod state;
#[cfg(test)]
mod tests;
mod things;
mod waits;

pub use look::{Look, SeenCall, SeenFd, SeenProcess, SeenSocket, SeenThread, SeenWatch};
pub use waits::{polls, waiting_call};

use crate::report::{self, Report, Session, Unseen};
use creator::Family;
use std::collections::BTreeSet;
use things::Things;

/// The report of a look.
#[must_use]
pub fn report(look: &Look, session: Session) -> Report {
    let mut report = Report::new(session);
    let family = Family::new(&look.processes);
    let things = Things::of(look, &family);
    report.processes = look
        .processes
        .iter()
        .map(|process| {
            let threads = process.threads.iter().map(|thread| things.thread(process, thread));
            report::Process { threads: threads.collect(), ..about(process) }
        })
        .collect();
    (report.connections, report.files) = (things.connections, things.files);
    report.notes.clone_from(&look.notes);
    report
}

fn about(process: &SeenProcess) -> report::Process {
    let text = process.cmdline.strip_suffix(&[0]).unwrap_or(&process.cmdline);
    let words = text.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let mut unseen = BTreeSet::from([Unseen::LateAttach]);
    if process.hidden {
        unseen.insert(Unseen::NotPermitted);
    }
    report::Process {
        pid: process.key.tgid,
        ppid: Some(process.ppid),
        comm: process.comm.clone(),
        cmdline: if text.is_empty() { Vec::new() } else { words.collect() },
        exe: process.exe.clone(),
        ns_pid: process.place.ns_pid,
        container: process.place.container.clone(),
        start: -process.age,
        unseen,
        ..report::Process::default()
    }
}
