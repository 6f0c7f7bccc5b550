//! A finding with what is needed to show it: numbers turned into names.

use crate::report::{Connection, Finding, Process, Report};
use crate::sinks::escape::escape_at_most;

/// A finding and the texts that its numbers stand for. The texts may be raw: showing them escapes them.
#[derive(Clone, Debug)]
pub struct FindingView<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Its process: `4242 (python3.8 child.py)`, and what else should stand there: `, forked from 4240`.
    pub process: String,
    /// The other processes, likewise, in the order of [`Finding::other_pids`].
    pub others: Vec<String>,
    /// Its connection in one line, as [`Connection::describe`] writes it.
    pub connection: Option<String>,
}

impl<'a> FindingView<'a> {
    /// With command lines from the caller; none: only the number is shown.
    pub fn new(
        finding: &'a Finding,
        command: impl Fn(u32) -> Option<String>,
        connection: Option<String>,
    ) -> Self {
        let name = |pid: u32| process(pid, command(pid).as_deref());
        let others = finding.other_pids.iter().map(|pid| name(*pid)).collect();
        Self { finding, process: name(finding.pid), others, connection }
    }

    /// With everything from the report that the finding is in.
    #[must_use]
    pub fn of(finding: &'a Finding, report: &Report) -> Self {
        let connection = finding.connection.and_then(|id| report.connection(id)).map(Connection::describe);
        let mut view = Self::new(finding, |pid| report.process(pid).map(about), connection);
        // Only a fork that was seen: what /proc calls the parent may have adopted it.
        let forked = report.process(finding.pid).filter(|process| process.forked_at.is_some());
        if let Some(parent) = forked.and_then(|process| process.ppid) {
            view.process.push_str(&format!(", forked from {parent}"));
        }
        view
    }
}

/// The most characters of a command line that are shown.
pub(in crate::sinks) const MOST_COMMAND: usize = 90;

/// A process' place, where that is another, and its command line.
#[must_use]
pub fn about(process: &Process) -> String {
    let command = process.command();
    process.inside().map_or_else(|| command.clone(), |inside| format!("{inside}: {command}"))
}

/// `4242 (python3.8 child.py)`, `4242 (7 in container 3f2a91c04d11: python3.8 child.py)`.
#[must_use]
pub fn process(pid: u32, command: Option<&str>) -> String {
    match command {
        Some(command) => format!("{pid} ({})", escape_at_most(command, MOST_COMMAND)),
        None => pid.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_container_s_process_has_both_its_numbers() {
        let mut report = sample::report();
        let finding = sample::finding();
        for (ns_pid, container, expected) in [
            (
                Some(7),
                Some("3f2a91c04d11"),
                "4242 (7 in container 3f2a91c04d11: python3.8 demo.py), forked from 4240",
            ),
            (Some(7), None, "4242 (7 in its pid namespace: python3.8 demo.py), forked from 4240"),
            (None, Some("web"), "4242 (in container web: python3.8 demo.py), forked from 4240"),
            (None, None, "4242 (python3.8 demo.py), forked from 4240"),
        ] {
            report.processes[1].ns_pid = ns_pid;
            report.processes[1].container = container.map(Into::into);
            assert_eq!(FindingView::of(&finding, &report).process, expected);
        }
    }
}
