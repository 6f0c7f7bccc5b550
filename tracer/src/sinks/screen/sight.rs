//! What a pane looks at while it finds its rows.

use super::holders::Holders;
use super::journal::Journal;
use super::look::Style;
use super::rates::Rates;
use super::tail::Entry;
use crate::analysis::Analysis;
use crate::errno;
use crate::filter::{Filter, Subject};
use crate::model::{ProcId, Process, SockId, Socket, Usage};
use crate::report::Finding;
use crate::sinks::log::FindingView;
use forkscope_proto::calls;

/// Everything that is known, and how it is to be shown.
pub(super) struct Sight<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) journal: &'a Journal,
    pub(super) rates: &'a Rates,
    pub(super) holders: &'a Holders,
    /// What the pane is to show.
    pub(super) filter: &'a Filter,
    pub(super) style: Style,
    /// The newest moment, in nanoseconds.
    pub(super) now: u64,
}

impl Sight<'_> {
    /// What to say where no row is: a filter may be why.
    pub(super) fn nothing(&self, otherwise: &str) -> String {
        match self.filter.is_empty() {
            true => otherwise.to_owned(),
            false => format!("Nothing here passes the filter {} (\\ changes it).", self.filter),
        }
    }

    /// A finding by its number.
    pub(super) fn finding(&self, id: u32) -> Option<&Finding> {
        self.analysis.findings().iter().find(|finding| finding.id == id)
    }

    /// A finding with the names that its numbers stand for.
    pub(super) fn view<'f>(&self, finding: &'f Finding) -> FindingView<'f> {
        let connection = finding.connection.and_then(|id| self.analysis.connection_line(id));
        FindingView::new(finding, |pid| self.analysis.process_told(pid), connection)
    }

    /// The processes of a connection: who opened it, then who used it, then who only holds it.
    pub(super) fn processes_of(&self, id: SockId) -> Vec<ProcId> {
        let Some(socket) = self.analysis.model.socket(id) else { return Vec::new() };
        let mut among = Vec::new();
        let opened = Some(socket.opened.process).filter(|_| socket.opened.nr != 0);
        let used = socket.users.iter().map(|user| user.process);
        for process in opened.into_iter().chain(used).chain(self.holders.of(id)) {
            if !among.contains(&process) {
                among.push(process);
            }
        }
        among
    }

    /// Whether a process holds a connection now.
    pub(super) fn holds(&self, id: SockId, process: ProcId) -> bool {
        self.holders.of(id).any(|holder| holder == process)
    }

    /// Whether the filter lets a process pass.
    pub(super) fn shows_process(&self, process: &Process) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let text = if self.filter.looks_in_text() { process.words().join(" ") } else { String::new() };
        let subject = Subject {
            pid: Some(process.pid()),
            comm: Some(&process.comm),
            text: &text,
            ..Subject::default()
        };
        self.filter.matches(&subject)
    }

    /// Whether the filter lets a connection pass.
    pub(super) fn shows_connection(&self, socket: &Socket) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let among = self.processes_of(socket.id);
        let known: Vec<&Process> = among.iter().filter_map(|&id| self.analysis.model.process(id)).collect();
        let pids: Vec<u32> = known.iter().map(|process| process.pid()).collect();
        let error = socket.users.iter().filter_map(Usage::last_error).max_by_key(|error| error.0);
        let text = format!("{} {}", socket.local(), socket.remote());
        let subject = Subject {
            other_pids: &pids,
            other_comms: known.iter().map(|process| &*process.comm).collect(),
            call: error.and_then(|(_, nr, _)| calls::name(nr)),
            errno: error.map(|(_, _, errno)| errno::name(errno).unwrap_or(Subject::UNNAMED)),
            fds: socket.users.iter().filter_map(|user| u32::try_from(user.fd).ok()).collect(),
            connections: std::iter::once(socket.id.0).collect(),
            protocol: Some(socket.protocol().name()),
            tls: socket.tls().is_some(),
            text: &text,
            ..Subject::default()
        };
        self.filter.matches(&subject)
    }

    /// Whether the filter lets a finding pass.
    pub(super) fn shows_finding(&self, finding: &Finding) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let text = if self.filter.looks_in_text() { self.view(finding).text() } else { String::new() };
        self.filter.matches(&self.analysis.finding_subject(finding, &text))
    }

    /// Whether the filter lets an event pass.
    pub(super) fn shows_event(&self, entry: &Entry, line: &str) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let model = &self.analysis.model;
        let socket = entry.connections[0].and_then(|id| model.socket(SockId(id)));
        let subject = Subject {
            pid: Some(entry.pid),
            other_pids: entry.child.as_slice(),
            comm: entry.process.and_then(|id| model.process(id)).map(|process| &*process.comm),
            call: entry.call,
            errno: entry.errno.map(|errno| errno::name(errno).unwrap_or(Subject::UNNAMED)),
            fds: entry.fds.into_iter().flatten().collect(),
            connections: entry.connections.into_iter().flatten().collect(),
            protocol: socket.map(|socket| socket.protocol().name()),
            tls: socket.is_some_and(|socket| socket.tls().is_some()),
            text: line,
            ..Subject::default()
        };
        self.filter.matches(&subject)
    }
}
