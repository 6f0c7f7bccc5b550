//! What the screen notes of each event: the one place that runs at the events' rate.

use super::Screen;
use super::tail::Entry;
use crate::analysis::Analysis;
use crate::errno;
use crate::event::{Event, What};
use crate::model::SockId;
use crate::sinks::log::event::worth;
use forkscope_proto::calls;

impl Screen {
    /// Notes an event that the analyser has just taken in. `line` is the event as the log
    /// writes it; empty: it has none.
    pub fn note(&mut self, event: &Event<'_>, line: &str, analysis: &Analysis) {
        let model = &analysis.model;
        for change in analysis.changes() {
            self.journal.note(model, event.time, change);
            self.rates.note(event.time, change);
        }
        self.rates.events.add(event.time, 1);
        self.news = true;
        if let What::Call(call, _) = event.what
            && call.header.nr == calls::SHUTDOWN
            && call.ret == 0
        {
            self.journal.shut_down(model, event, call.fd);
        }
        if !line.is_empty() {
            let entry = entry(event, line, analysis);
            if entry.call == calls::name(calls::CLOSE)
                && let (Some(connection), What::Call(call, _)) = (entry.connections[0], event.what)
                && call.ret == 0
            {
                self.journal.closed(model, event, call.fd, SockId(connection));
            }
            self.tail.push(entry, line);
        }
    }
}

/// The columns of an event.
fn entry(event: &Event<'_>, line: &str, analysis: &Analysis) -> Entry {
    let subject = analysis.event_subject(event, line);
    let mut entry = Entry::new(event.time, event.process.tgid, event.tid);
    // One that ends is known still.
    entry.process = analysis.model.by_pid(event.process.tgid).map(|process| process.id);
    entry.call = event.what.call();
    entry.child = subject.other_pids.first().copied();
    let (mut fds, mut connections) = (subject.fds.iter(), subject.connections.iter());
    entry.fds = [fds.next(), fds.next()];
    entry.errno = event.what.result().and_then(errno::of);
    entry.connections = [connections.next(), connections.next()];
    entry.telling = worth(event, 1);
    entry
}
