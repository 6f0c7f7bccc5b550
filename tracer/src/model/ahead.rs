//! What events will look at soon is fetched from memory while others are applied: with many connections each event is
//! about another one, of which nothing is near the processor.
//!
//! One look leads to the next, and each takes as long as some events do. So they are spread over those in between:
//! the glance at a number, where its socket is, the socket, what reads its bytes, and what that has elsewhere.

use super::process::TableId;
use super::{Model, SockId, Socket};
use crate::event::{Event, What};
use crate::protocol::fetch;

/// Events between two looks.
const STEP: usize = 4;

/// What is waited for.
#[derive(Clone, Copy, Debug, Default)]
enum Awaited {
    #[default]
    Nothing,
    Number(TableId, i32),
    Socket(SockId),
}

/// The looks that were begun, of the newest events.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    awaited: [Awaited; 4 * STEP],
    at: usize,
    /// The newest number of a process: its next events are about the same as a rule.
    newest: (u32, i32),
}

impl Ahead {
    /// The place of what came so many events before the newest.
    fn before(&self, events: usize) -> usize {
        (self.at + self.awaited.len() - events) % self.awaited.len()
    }
}

impl Model {
    /// How many events before an event it should be foreseen.
    pub const FORESEEN: usize = 5 * STEP;

    /// This event will be applied soon. It changes nothing but how fast that is.
    pub fn foresee(&mut self, event: &Event<'_>) {
        let looks: [(usize, fn(&Socket)); 3] = [
            (4 * STEP, Socket::fetch_more),
            (3 * STEP, Socket::fetch_reader),
            (2 * STEP, |socket| fetch(socket)),
        ];
        for (events, look) in looks {
            if let Awaited::Socket(id) = self.ahead.awaited[self.ahead.before(events)] {
                self.sockets.get(&id).into_iter().for_each(look);
            }
        }
        let second = self.ahead.before(STEP);
        if let Awaited::Number(table, fd) = self.ahead.awaited[second] {
            let socket = self.tables.get(&table).and_then(|table| table.socket_at(fd));
            socket.iter().for_each(|id| self.sockets.fetch_place(*id));
            self.ahead.awaited[second] = socket.map_or(Awaited::Nothing, Awaited::Socket);
        }
        let newest =
            self.first_look(event).map_or(Awaited::Nothing, |(table, fd)| Awaited::Number(table, fd));
        let at = self.ahead.at;
        self.ahead.awaited[at] = newest;
        self.ahead.at = (at + 1) % self.ahead.awaited.len();
    }

    /// Fetches what an event looks at first, where that was not done for the last one.
    fn first_look(&mut self, event: &Event<'_>) -> Option<(TableId, i32)> {
        let What::Io(io, _) = event.what else { return None };
        let newest = (event.process.tgid, io.fd);
        if std::mem::replace(&mut self.ahead.newest, newest) == newest {
            return None;
        }
        let process = self.processes.get(self.living.get(&event.process.tgid)?)?;
        let id = process.table_of(event.tid);
        self.tables.get(&id)?.fetch_glance(io.fd);
        Some((id, io.fd))
    }
}
