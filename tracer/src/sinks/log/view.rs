//! A finding with what is needed to show it: numbers turned into names.

use crate::report::{Connection, Finding, Process, Report, Unseen};
use crate::sinks::escape::escape_at_most;
use std::collections::BTreeSet;

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
    /// What could not be seen of these processes.
    pub unseen: BTreeSet<Unseen>,
}

impl<'a> FindingView<'a> {
    /// With what the caller knows of processes; of one that it does not know, only the number is shown.
    pub fn new(
        finding: &'a Finding,
        told: impl Fn(u32) -> Option<Process>,
        connection: Option<String>,
    ) -> Self {
        let pids = std::iter::once(finding.pid).chain(finding.other_pids.iter().copied());
        let processes: Vec<(u32, Option<Process>)> = pids.map(|pid| (pid, told(pid))).collect();
        let mut names = processes.iter().map(|(pid, process)| name(*pid, process.as_ref()));
        let process = names.next().unwrap_or_default();
        let others = names.collect();
        let unseen = processes.iter().filter_map(|(_, process)| process.as_ref());
        let unseen = unseen.flat_map(|process| process.unseen.iter().copied()).collect();
        Self { finding, process, others, connection, unseen }
    }

    /// With everything from the report that the finding is in.
    #[must_use]
    pub fn of(finding: &'a Finding, report: &Report) -> Self {
        let connection = finding.connection.and_then(|id| report.connection(id)).map(Connection::describe);
        Self::new(finding, |pid| report.process(pid).cloned(), connection)
    }

    /// What it says happened, in one line: where filters look for text. Without the advice, which many
    /// findings share. It may be raw.
    #[must_use]
    pub fn text(&self) -> String {
        let Finding { severity, rule, title, summary, evidence, .. } = self.finding;
        let mut text = format!("{}[{}]: {title} {}", severity.name(), rule.name(), self.process);
        let shown = self.others.iter().chain(&self.connection).chain([summary]);
        shown.for_each(|part| text.extend([" ", part]));
        for step in evidence {
            let parts = [step.syscall.as_deref(), Some(&step.what), step.result.as_deref()];
            parts.into_iter().flatten().for_each(|part| text.extend([" ", part]));
        }
        text
    }
}

/// A process with its command, and the one that forked it, where that was seen: what /proc calls the
/// parent may have adopted it.
fn name(pid: u32, told: Option<&Process>) -> String {
    let mut name = process(pid, told.map(about).as_deref());
    if let Some(parent) = told.filter(|told| told.forked_at.is_some()).and_then(|told| told.ppid) {
        name.push_str(&format!(", forked from {parent}"));
    }
    name
}

/// The most characters of a command line that are shown.
pub(in crate::sinks) const MOST_COMMAND: usize = 90;

/// A process' place, where that is another, and its command line.
fn about(process: &Process) -> String {
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
    fn all_that_happened_is_in_one_line() {
        let (report, finding) = (sample::report(), sample::finding());
        let text = FindingView::of(&finding, &report).text();
        let says = |part: &str| assert!(text.contains(part), "{part} is not in {text}");
        says(&format!("error[enotsock]: {} 4242 (python3.8 demo.py), forked from 4240 ", finding.title));
        says(&finding.summary);
        finding.evidence.iter().for_each(|step| says(&step.what));
        finding.fix.iter().for_each(|fix| assert!(!text.contains(&fix.text), "{text}"));
        assert!(!text.contains('\n'), "{text}");
    }

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
