//! What events will look at soon is fetched from memory while others are applied: with many connections each
//! event is about another one, of which nothing is near the processor.
//!
//! One look leads to the next, and each takes as long as some events do. So each is done when the
//! next number is foreseen.

use super::process::TableId;
use super::{Model, ProcId, SockId};
use crate::event::{Event, What};
use crate::protocol::fetch;

/// With so many sockets nothing is gained yet: what is known of them, about a kilobyte of each, is near
/// enough. Those that are gone and remembered count, too. (Measured by `analyse_load one`: beyond four
/// thousand on a busy machine, sixteen thousand on an idle one.)
const FEW: usize = Model::GONE_SOCKETS + 4096;

/// Events that come by while all looks at a number are made: four for each of eight numbers, as where
/// requests are sent and answers waited for.
const AHEAD: usize = 32;

/// Looks after the first one.
const LOOKS: usize = 7;

/// The next look at a number, by what it is at: that was fetched by the look before.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// The process of which this thread uses this number.
    Process(ProcId, u32, i32),
    /// The table that it uses.
    Table(TableId, i32),
    /// The list of the table's pages.
    Pages(TableId, i32),
    /// What is behind the number.
    Behind(TableId, i32),
    /// Where its socket is.
    SocketPlace(SockId),
    Socket(SockId),
    /// What reads the socket's bytes, and who used it.
    Reader(SockId),
}

/// The looks at the newest numbers.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// `None`: nothing more is to be looked at.
    looks: [Option<Look>; LOOKS],
    /// The place of the oldest, which is over when the next number is foreseen.
    oldest: usize,
    /// The newest number of a process: its next events are about the same as a rule.
    newest: (u32, i32),
}

impl Model {
    /// How many events ahead of its turn an event should be foreseen. `None`: there are so few
    /// sockets that nothing is gained.
    #[must_use]
    pub fn foreseen(&self) -> Option<usize> {
        (self.sockets.len() > FEW).then_some(AHEAD)
    }

    /// This event will be applied soon. It changes nothing but how fast that is.
    pub fn foresee(&mut self, event: &Event<'_>) {
        let What::Io(io, _) = event.what else { return };
        let newest = (event.process.tgid, io.fd);
        if std::mem::replace(&mut self.ahead.newest, newest) == newest {
            return;
        }
        for at in 0..LOOKS {
            self.ahead.looks[at] = self.ahead.looks[at].and_then(|look| self.look(look));
        }
        let oldest = self.ahead.oldest;
        self.ahead.looks[oldest] = self.first_look(event.process.tgid, event.tid, io.fd);
        self.ahead.oldest = (oldest + 1) % LOOKS;
    }

    fn first_look(&self, tgid: u32, tid: u32, fd: i32) -> Option<Look> {
        let id = *self.living.get(&tgid)?;
        fetch(self.processes.get(&id)?);
        Some(Look::Process(id, tid, fd))
    }

    /// Makes the next look at a number: looks at what was fetched, and fetches what that leads to.
    fn look(&self, look: Look) -> Option<Look> {
        match look {
            Look::Process(process, tid, fd) => {
                let table = self.processes.get(&process)?.table_of(tid);
                fetch(self.tables.get(&table)?);
                Some(Look::Table(table, fd))
            }
            Look::Table(table, fd) => {
                self.tables.get(&table)?.fetch_pages();
                Some(Look::Pages(table, fd))
            }
            Look::Pages(table, fd) => {
                self.tables.get(&table)?.fetch_brief(fd);
                Some(Look::Behind(table, fd))
            }
            Look::Behind(table, fd) => {
                let socket = self.tables.get(&table)?.socket_at(fd)?;
                self.sockets.fetch_place(socket);
                Some(Look::SocketPlace(socket))
            }
            Look::SocketPlace(socket) => {
                fetch(self.sockets.get(&socket)?);
                Some(Look::Socket(socket))
            }
            Look::Socket(socket) => {
                self.sockets.get(&socket)?.fetch_reader();
                Some(Look::Reader(socket))
            }
            Look::Reader(socket) => {
                self.sockets.get(&socket)?.fetch_more();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::kernel::Kernel;
    use crate::model::{Origin, ProcId, Socket};
    use forkscope_proto::{self as proto, FileRef};

    /// A parent and its child.
    const P: u32 = 100;
    const C: u32 = 101;

    /// Newest first.
    fn looks(kernel: &Kernel) -> [Option<Look>; LOOKS] {
        let Ahead { mut looks, oldest, .. } = kernel.analysis.model.ahead;
        looks.rotate_left(oldest);
        looks.reverse();
        looks
    }

    #[test]
    fn looks_at_a_number_lead_to_its_socket_while_others_come() {
        let mut kernel = Kernel::new();
        let fds = [kernel.connect(P, 1), kernel.connect(P, 2)];
        for turn in 0..LOOKS {
            kernel.send(P, fds[turn % 2], b"?");
            kernel.receive(P, fds[turn % 2], b"!");
        }
        let looks = looks(&kernel).map(|look| look.expect("none is over"));
        let [
            Look::Process(_, P, newest),
            Look::Table(_, before),
            Look::Pages(..),
            Look::Behind(..),
            Look::SocketPlace(place),
            Look::Socket(socket),
            Look::Reader(reader),
        ] = looks
        else {
            panic!("{looks:?}");
        };
        assert_eq!([newest, before], [fds[0], fds[1]]);
        let port = |id| kernel.analysis.model.socket(id).expect("it is known").remote().to_string();
        let ports = [place, socket, reader].map(port);
        assert!(ports[0].ends_with(":1") && ports[1].ends_with(":2") && ports[2] == ports[0], "{ports:?}");
    }

    #[test]
    fn what_is_gone_meanwhile_is_not_looked_for() {
        let mut kernel = Kernel::new();
        let fds = [kernel.connect(P, 1), kernel.connect(P, 2)];
        kernel.fork(P, C, 0);
        for turn in 0..5 {
            kernel.send(P, fds[turn % 2], b"?");
        }
        let Some(Look::SocketPlace(gone)) = looks(&kernel)[4] else { panic!("{:?}", looks(&kernel)) };
        kernel.analysis.model.sockets.remove(gone);
        kernel.exit(P);
        kernel.send(C, fds[1], b"?");
        let left = looks(&kernel);
        assert!(matches!(left[0], Some(Look::Process(..))), "{left:?}");
        // A process that has ended is remembered, its table is not; and the socket is gone.
        assert!(left[1..].iter().all(Option::is_none), "{left:?}");
    }

    #[test]
    fn with_few_sockets_nothing_is_foreseen() {
        let mut model = Model::default();
        let at = Origin { time: 1, process: ProcId(1), tid: P, nr: 1 };
        for id in 0..=FEW as u32 {
            assert_eq!(model.foreseen(), None);
            let file = FileRef { inode: u64::from(id) + 1, ..FileRef::NONE };
            model.sockets.insert(Socket::new(SockId(id), at, &proto::Socket { file, ..Default::default() }));
        }
        assert_eq!(model.foreseen(), Some(AHEAD));
    }
}
