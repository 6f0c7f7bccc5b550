//! What sockets are: as the probes describe them, and for how long they are remembered.

use super::socket::Socket;
use super::{Model, Origin, SockId};
use crate::protocol::{Direction, Wire};
use forkscope_proto as proto;

impl Model {
    /// What a socket is; whether it is a connection that was none before.
    pub(super) fn describe(&mut self, at: Origin, record: &proto::Socket, path: &[u8]) -> bool {
        let known = self.sockets.of_inode(record.file.inode);
        let id = match known.filter(|id| self.sockets.get(id).is_some_and(|socket| is_same(socket, record))) {
            Some(id) => id,
            None => self.new_socket(at, record),
        };
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        socket.refresh(record, path);
        if !socket.is_connection() || socket.wire.is_some() {
            return false;
        }
        let mut wire = Wire::new();
        if socket.opened.nr != 0 {
            wire.client_is(if socket.accepted { Direction::Received } else { Direction::Sent });
        } else {
            wire.skip(Direction::Sent);
            wire.skip(Direction::Received);
        }
        socket.wire = Some(wire);
        true
    }

    fn new_socket(&mut self, at: Origin, record: &proto::Socket) -> SockId {
        self.sweep();
        let id = SockId(self.next());
        self.sockets.insert(Socket::new(id, at, record));
        id
    }

    /// Forgets sockets that nobody holds any more, when there are many.
    fn sweep(&mut self) {
        if self.sockets.len() < self.sweep_at.max(2 * Self::GONE_SOCKETS) {
            return;
        }
        let mut gone: Vec<SockId> =
            self.sockets().filter(|s| !s.is_open() && !s.kept).map(|s| s.id).collect();
        gone.sort_unstable();
        gone.truncate(gone.len().saturating_sub(Self::GONE_SOCKETS));
        for id in gone {
            self.waiting.remove(&id);
            self.sockets.remove(id);
        }
        self.sweep_at = 2 * self.sockets.len();
    }
}

/// Whether a record describes the socket that is known under its inode: an inode number comes back only
/// after four thousand million others.
fn is_same(socket: &Socket, record: &proto::Socket) -> bool {
    socket.family == record.family && (socket.is_open() || socket.users.is_empty())
}
