//! What events will look at soon is fetched from memory while others are applied: with many connections each event is
//! about another one, of which nothing is near the processor.
//!
//! One look leads to the next, and each takes as long as some events do. So each is done when the next number is foreseen.

use super::process::TableId;
use super::{Model, SockId};
use crate::event::{Event, What};
use crate::protocol::fetch;

/// With so many sockets nothing is gained yet: what is known of them, about a kilobyte of each, is near enough. (Measured:
/// `analyse_load growth`; a server's processor has a megabyte or two for each core, and some more for all.)
const FEW: usize = 8192;

/// Events that come by while all looks at a number are made: most numbers have some that follow one another.
const AHEAD: usize = 28;

/// How far the looks at a number have come: what was fetched last, and is looked at next.
#[derive(Clone, Copy, Debug, Default)]
enum Look {
    #[default]
    Over,
    /// The table that its process uses.
    Table(TableId, i32),
    /// Where the table's pages are.
    Pages(TableId, i32),
    /// The glance at the number.
    Glance(TableId, i32),
    /// Where its socket is.
    Place(SockId),
    Socket(SockId),
    /// What reads the socket's bytes, and who used it.
    Reader(SockId),
}

/// The looks at the newest numbers.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Newest first: as many as it takes until one is over.
    looks: [Look; 6],
    /// The newest number of a process: its next events are about the same as a rule.
    newest: (u32, i32),
}

impl Model {
    /// How many events before it one should be foreseen. `None`: not at all, where few sockets are.
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
        let mut looks = self.ahead.looks.map(|look| self.look(look).unwrap_or_default());
        looks.rotate_right(1);
        looks[0] = self.first_look(event.process.tgid, event.tid, io.fd).unwrap_or_default();
        self.ahead.looks = looks;
    }

    fn first_look(&self, tgid: u32, tid: u32, fd: i32) -> Option<Look> {
        let process = self.processes.get(self.living.get(&tgid)?)?;
        Some(Look::Table(process.table_of(tid), fd))
    }

    /// Makes the next look at a number: looks at what was fetched, and fetches what that leads to.
    fn look(&self, look: Look) -> Option<Look> {
        Some(match look {
            Look::Over => Look::Over,
            Look::Table(table, fd) => {
                self.tables.get(&table)?.fetch_pages();
                Look::Pages(table, fd)
            }
            Look::Pages(table, fd) => {
                self.tables.get(&table)?.fetch_glance(fd);
                Look::Glance(table, fd)
            }
            Look::Glance(table, fd) => {
                let socket = self.tables.get(&table)?.socket_at(fd)?;
                self.sockets.fetch_place(socket);
                Look::Place(socket)
            }
            Look::Place(socket) => {
                fetch(self.sockets.get(&socket)?);
                Look::Socket(socket)
            }
            Look::Socket(socket) => {
                self.sockets.get(&socket)?.fetch_reader();
                Look::Reader(socket)
            }
            Look::Reader(socket) => {
                self.sockets.get(&socket)?.fetch_more();
                Look::Over
            }
        })
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

    fn looks(kernel: &Kernel) -> [Look; 6] {
        kernel.analysis.model.ahead.looks
    }

    #[test]
    fn looks_at_a_number_lead_to_its_socket_while_others_come() {
        let mut kernel = Kernel::new();
        let fds = [kernel.connect(P, 1), kernel.connect(P, 2)];
        for turn in 0..6 {
            kernel.send(P, fds[turn % 2], b"?");
            kernel.receive(P, fds[turn % 2], b"!");
        }
        let [Look::Table(_, newest), Look::Pages(_, before), _, Look::Place(place), Look::Socket(_), last] =
            looks(&kernel)
        else {
            panic!("{:?}", looks(&kernel));
        };
        assert_eq!([newest, before], [fds[1], fds[0]]);
        let peer = kernel.analysis.model.socket(place).expect("it is known").remote().to_string();
        assert!(peer.ends_with(":1"), "{peer}");
        assert!(matches!(last, Look::Reader(_)), "{last:?}");
    }

    #[test]
    fn what_is_gone_meanwhile_is_not_looked_for() {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 1);
        kernel.fork(P, C, 0);
        kernel.send(P, fd, b"?");
        assert!(matches!(looks(&kernel), [Look::Table(..), Look::Over, ..]));
        kernel.exit(P);
        kernel.send(C, fd, b"?");
        assert!(matches!(looks(&kernel), [Look::Table(..), Look::Over, ..]));
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
