//! What events will look at soon is fetched from memory while others are applied: with many connections each event is
//! about another one, of which nothing is near the processor.
//!
//! One look leads to the next, and each takes as long as some events do. So each is done when the next number is foreseen:
//! the glance at a number, where its socket is, the socket, what reads its bytes, and what that has elsewhere.

use super::process::TableId;
use super::{Model, SockId, Socket};
use crate::event::{Event, What};
use crate::protocol::fetch;

/// Looks after that at the number.
const LOOKS: usize = 4;

/// What is waited for.
#[derive(Clone, Copy, Debug, Default)]
enum Awaited {
    #[default]
    Nothing,
    Number(TableId, i32),
    Socket(SockId),
}

/// The looks that were begun, of the newest numbers.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Newest first.
    awaited: [Awaited; LOOKS],
    /// The newest number of a process: its next events are about the same as a rule.
    newest: (u32, i32),
}

impl Model {
    /// How many events before an event it should be foreseen: most numbers have some that follow one another.
    pub const FORESEEN: usize = 20;

    /// This event will be applied soon. It changes nothing but how fast that is.
    pub fn foresee(&mut self, event: &Event<'_>) {
        let What::Io(io, _) = event.what else { return };
        let newest = (event.process.tgid, io.fd);
        if std::mem::replace(&mut self.ahead.newest, newest) == newest {
            return;
        }
        let [first, rest @ ..] = self.ahead.awaited;
        let looks: [fn(&Socket); LOOKS - 1] =
            [|socket| fetch(socket), Socket::fetch_reader, Socket::fetch_more];
        for (awaited, look) in rest.into_iter().zip(looks) {
            if let Awaited::Socket(id) = awaited {
                self.sockets.get(&id).into_iter().for_each(look);
            }
        }
        let place = self.second_look(first).map_or(Awaited::Nothing, Awaited::Socket);
        let number = self.first_look(event.process.tgid, event.tid, io.fd).unwrap_or_default();
        let [socket, reader, _] = rest;
        self.ahead.awaited = [number, place, socket, reader];
    }

    /// Fetches the glance at a number.
    fn first_look(&self, tgid: u32, tid: u32, fd: i32) -> Option<Awaited> {
        let id = self.processes.get(self.living.get(&tgid)?)?.table_of(tid);
        self.tables.get(&id)?.fetch_glance(fd);
        Some(Awaited::Number(id, fd))
    }

    /// Fetches where its socket is.
    fn second_look(&self, awaited: Awaited) -> Option<SockId> {
        let Awaited::Number(table, fd) = awaited else { return None };
        let id = self.tables.get(&table)?.socket_at(fd)?;
        self.sockets.fetch_place(id);
        Some(id)
    }
}
