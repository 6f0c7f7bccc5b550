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
    /// Notes an event that the analyser has just taken in. `line` is the event as the log writes it; empty: it has none.
    pub fn note(&mut self, event: &Event<'_>, line: &str, analysis: &Analysis) {
        let model = &analysis.model;
        for change in analysis.changes() {
            self.journal.note(model, event.time, change);
            self.rates.note(event.time, change);
        }
        self.rates.events.add(event.time, 1);
        if let What::Call(call, _) = event.what
            && call.header.nr == calls::SHUTDOWN
            && call.ret == 0
        {
            self.journal.shut_down(model, event, call.fd);
        }
        if !line.is_empty() {
            let entry = entry(event, line, analysis);
            if entry.call == calls::name(calls::CLOSE)
                && let (Some(connection), What::Call(call, _)) = (entry.connection, event.what)
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
    let errno = event.what.result().and_then(errno::of);
    let mut entry = Entry::new(event.time, event.process.tgid, event.tid);
    entry.process = analysis.model.living_id(event.process.tgid);
    entry.call = event.what.call();
    entry.fd = subject.fds.iter().next();
    entry.errno = errno.filter(|&errno| !errno::is_not_now(errno));
    entry.connection = subject.connections.iter().next();
    entry.telling = worth(event, 1);
    entry
}
