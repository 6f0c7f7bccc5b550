//! What transfers do: who used which socket, and what the bytes said.

use super::by_id::ById;
use super::turn::Turn;
use super::{Change, Failure, Model, OpenFile, Origin, Past, ProcId, Process, Slot, SockId, Socket};
use crate::errno;
use crate::protocol::{Chunk, Direction, Protocol, fits_mid_stream, says_goodbye};
use forkscope_proto as proto;
use proto::{FileKind, Io, Shape, calls};
use std::rc::Rc;

/// `MSG_PEEK` (recv(2)): looks, and takes nothing.
const MSG_PEEK: u32 = 2;

impl Model {
    pub(super) fn transfer(&mut self, at: Origin, io: &Io, payload: &[u8], out: &mut Vec<Change>) {
        let table = self.table_id(at).and_then(|id| self.tables.get(&id));
        let there = table.and_then(|table| table.same_socket(io.fd, &io.file));
        let (known, has_past) = there.map_or((None, true), |(id, has_past)| (Some(id), has_past));
        let file = if known.is_none() { self.resolve(at, io.fd, &io.file, out) } else { None };
        let sent = calls::SPECS.get(usize::from(at.nr)).is_some_and(|spec| spec.shape == Shape::Send);
        if let Some(errno) = errno::of(io.ret) {
            let id = known.or_else(|| file.as_ref()?.socket);
            let is_refused = matches!(errno, libc::EPIPE | libc::ECONNRESET | libc::ENOTSOCK | libc::EBADF);
            let goodbye = sent && is_refused && self.is_goodbye(at, io.fd, id, payload);
            self.failure(&io.file, Failure { goodbye, ..Failure::new(at, io.fd, errno) }, out);
            let has_crossed = |id| self.sockets.get(&id).is_some_and(|socket| socket.crossed.is_some());
            if !sent
                && errno::is_not_now(errno)
                && let Some(socket) = id.filter(|&id| has_crossed(id))
            {
                self.receives_in_vain(at, io.fd, socket);
                out.push(Change::InVain { socket, process: at.process });
            }
            return;
        }
        if let Some(file) = file.as_ref().filter(|file| io.ret > 0 && is_wakeup(file.kind)) {
            self.woke(at, io, file, sent, out);
        }
        let Some(id) = known.or_else(|| file.as_ref()?.socket) else {
            let is_socket = |file: &Rc<OpenFile>| file.kind == FileKind::Socket;
            self.unresolved += u64::from(file.as_ref().is_some_and(is_socket));
            return;
        };
        if io.ret == 0 && !sent && io.len > 0 {
            if let Some(usage) =
                self.sockets.get_mut(&id).and_then(|socket| socket.usage_mut(at.process, io.fd))
            {
                usage.read_end = true;
            }
            out.push(Change::StreamEnded { socket: id, by: at, fd: io.fd });
        }
        if io.ret <= 0 || (!sent && io.flags & MSG_PEEK != 0) {
            return;
        }
        let messages = matches!(at.nr, calls::SENDMMSG | calls::RECVMMSG);
        if messages {
            self.moved_unseen(at, id, io.fd, sent, payload.len() as u64, out);
            return;
        }
        let bytes = io.ret as u64;
        if sent && has_past {
            self.misdirected(at, id, io.fd, Chunk::new(payload, bytes), out);
        }
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let forked = forked_since(socket, at.process, &self.processes, self.newest_fork);
        note(socket, at, io.fd, sent, bytes, forked);
        let turns = socket.turns.len();
        let direction = if sent { Direction::Sent } else { Direction::Received };
        let waited = socket.may_wait;
        socket.hear(at, io.fd, direction, self.noted.of(Chunk::new(payload, bytes)), out);
        socket.note_wait(waited, &mut self.waiting);
        if sent {
            self.tie_by_hello(at, id, io.fd, Chunk::new(payload, bytes));
        }
        out.push(Change::Used { socket: id, by: at, fd: io.fd, sent, bytes, turns });
    }

    fn receives_in_vain(&mut self, at: Origin, fd: i32, id: SockId) {
        let usage = self.sockets.get_mut(&id).and_then(|socket| socket.usage_mut(at.process, fd));
        if let Some(usage) = usage {
            usage.in_vain = true;
        }
    }

    /// Bytes that were moved but not seen.
    pub(super) fn moved_unseen(
        &mut self,
        at: Origin,
        id: SockId,
        fd: i32,
        sent: bool,
        bytes: u64,
        out: &mut Vec<Change>,
    ) {
        if bytes == 0 {
            return;
        }
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let forked = forked_since(socket, at.process, &self.processes, self.newest_fork);
        note(socket, at, fd, sent, bytes, forked);
        if let Some(wire) = socket.wire.as_mut() {
            wire.skip(if sent { Direction::Sent } else { Direction::Received });
            let waited = std::mem::replace(&mut socket.may_wait, true);
            socket.note_wait(waited, &mut self.waiting);
        }
        let turns = socket.turns.len();
        out.push(Change::Used { socket: id, by: at, fd, sent, bytes, turns });
    }

    pub(super) fn uring(&mut self, at: Origin, io: &proto::UringIo, out: &mut Vec<Change>) {
        let at = Origin { nr: calls::IO_URING_ENTER, ..at };
        self.with(at.process, |process| process.uring = true);
        let Some(id) = self.socket_of(&io.file) else { return };
        if io.ret > 0 {
            let (sent, bytes) = (io.sent != 0, io.ret as u64);
            // The ring may know it by another number, or by none: what the process has
            // it under says which it is.
            let used =
                self.sockets.get(&id).and_then(|socket| socket.usage(at.process)).map(|usage| usage.fd);
            let held = || self.tables.get(&self.table_id(at)?)?.find(id);
            let fd = used.or_else(held).unwrap_or(-1);
            self.moved_unseen(at, id, fd, sent, bytes, out);
        }
    }

    pub(super) fn passed(&mut self, at: Origin, passed: &proto::Passed) {
        for arrived in passed.fds.iter().take(passed.count as usize) {
            self.install(at, at.time, arrived.fd, &arrived.file, None, None);
            self.note_passed(at, arrived.fd, &arrived.file);
        }
    }

    /// Whether what should have been sent is the goodbye of a session: of the socket's that has the
    /// number, or of one that had it.
    fn is_goodbye(&self, at: Origin, fd: i32, id: Option<SockId>, payload: &[u8]) -> bool {
        let past = self.slot(at.process, at.tid, fd).map_or(&[][..], Slot::past);
        let sockets = id.into_iter().chain(past.iter().filter_map(|past| past.file.socket));
        let sockets = sockets.filter_map(|id| self.sockets.get(&id));
        let protocols = sockets.flat_map(|socket| [socket.read_protocol(), socket.protocol()]);
        let chunk = self.noted.of(Chunk::new(payload, payload.len() as u64));
        protocols.into_iter().any(|protocol| says_goodbye(protocol, chunk))
    }

    /// Bytes that continue the session of a connection which had this number before:
    /// the sender still means it.
    fn misdirected(&mut self, at: Origin, id: SockId, fd: i32, chunk: Chunk<'_>, out: &mut Vec<Change>) {
        let bytes = chunk.len;
        let past = self.slot(at.process, at.tid, fd).map_or(&[][..], Slot::past);
        let Some(socket) = self.sockets.get(&id) else { return };
        let is_known = |past: &&Past| {
            past.origin.process != at.process && !self.has_forgotten(at.process, past.end.by.time)
        };
        let meant = past.iter().filter(is_known).find_map(|past| {
            let before = self.sockets.get(&past.file.socket?)?;
            let protocol = before.protocol();
            let continues = before.id != id
                && protocol.keeps_state_in_user_memory()
                && socket.protocol() != protocol
                && (socket.protocol() != Protocol::Unknown || protocol.has_opening())
                && fits_mid_stream(protocol, self.noted.of(chunk));
            continues.then_some(before.id)
        });
        if let Some(meant) = meant {
            out.push(Change::Misdirected { socket: id, meant, by: at, fd, bytes });
        }
    }
}

fn is_wakeup(kind: FileKind) -> bool {
    matches!(kind, FileKind::Eventfd | FileKind::Pipe)
}

/// When a process forked last, where that is since the socket's last use; else 0.
/// `newest`: when any process did.
fn forked_since(socket: &Socket, process: ProcId, processes: &ById<ProcId, Process>, newest: u64) -> u64 {
    let may_have_forked = socket.turns.last().is_some_and(|last| last.to < newest);
    let process = if may_have_forked { processes.get(&process) } else { None };
    process.map_or(0, |process| process.last_fork)
}

/// Remembers a use of a socket. `forked`: see [`Socket::take_turn`].
fn note(socket: &mut Socket, at: Origin, fd: i32, sent: bool, bytes: u64, forked: u64) {
    if let Some(usage) = socket.usage_mut(at.process, fd) {
        let (total, count) = if sent { &mut usage.sent } else { &mut usage.received };
        *total = total.saturating_add(bytes);
        *count += 1;
    }
    if sent {
        // Whoever read the peer's end: it had ended its own direction only, and waits for more.
        socket.users.iter_mut().for_each(|usage| usage.read_end = false);
    }
    if socket.is_connection() {
        let (sent, received) = if sent { (bytes, 0) } else { (0, bytes) };
        socket.take_turn(Turn { sent, received, ..Turn::begin(at, fd) }, forked);
    }
}
