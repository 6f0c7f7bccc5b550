//! What is inside TLS, as it passed between programs and OpenSSL, and which connection that belongs to.

use super::socket::Socket;
use super::{Change, Farewell, Model, Origin, ProcId, SockId};
use crate::protocol::{Chunk, Direction, GOAWAY, Protocol, Sign, TlsFacts, Wire, is_hello};
use forkscope_proto as proto;
use proto::{Act, Plaintext};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

/// Room is given back where there is so many times more than needed; room for so many is always kept.
const ROOM: usize = 16;

/// The sockets of a process' TLS sessions, by the addresses of their `SSL` objects. A forked child has the
/// same objects at the same addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Ties {
    sockets: FxHashMap<u64, Tie>,
}

/// Whose socket a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tie {
    socket: SockId,
    /// Under which number.
    fd: i32,
    /// The process that used it there last: it, or one that it descends from.
    by: ProcId,
    /// When.
    used: u64,
}

impl Ties {
    /// Sessions that are remembered.
    const MOST: usize = 4096;

    /// The session is this socket's. Where there are too many, the half that was not used
    /// for longest is forgotten.
    fn tie(&mut self, session: u64, tie: Tie) {
        if self.sockets.len() >= Self::MOST && !self.sockets.contains_key(&session) {
            let mut times: Vec<u64> = self.sockets.values().map(|tie| tie.used).collect();
            let (_, &mut middle, _) = times.select_nth_unstable(Self::MOST / 2);
            self.sockets.retain(|_, tie| tie.used > middle);
        }
        self.sockets.insert(session, tie);
    }

    fn of(&self, session: u64) -> Option<Tie> {
        self.sockets.get(&session).copied()
    }
}

impl Model {
    /// A call of OpenSSL has returned. The bytes that it moved on its socket have events of their own: here
    /// they only say something.
    pub(super) fn plaintext(
        &mut self,
        at: Origin,
        record: &Plaintext,
        payload: &[u8],
        out: &mut Vec<Change>,
    ) {
        let Some(act) = record.act() else { return };
        let Some(Tie { socket: id, fd, by, .. }) = self.tied(at, record) else {
            if act == Act::Handshake {
                self.with(at.process, |process| process.handshake = Some((at.tid, record.session)));
            }
            if matches!(act, Act::Read | Act::Write) && record.ret > 0 {
                self.untied += 1;
                self.with(at.process, |process| process.untied = true);
            }
            return;
        };
        let Some(socket) = self.sockets.get_mut(&id).filter(|socket| socket.is_connection()) else { return };
        socket.look_inside(act);
        // What OpenSSL had decrypted before a fork, each of the two has: it is no reply that
        // one took from the other.
        if act == Act::Read && by != at.process {
            return socket.miss_inside(Direction::Received);
        }
        let (direction, bytes) = match act {
            Act::Handshake => return,
            Act::Shutdown if record.flags & Plaintext::SENT == 0 => return,
            Act::Shutdown => {
                let (by, message) = (at.process.into(), "close_notify");
                return socket.heard(at, fd, true, Sign::Goodbye { by, message }, out);
            }
            Act::Read if Plaintext::is_end(record.act, record.ret, record.flags) => {
                // Where the alert is seen on the wire, it has been told.
                if socket.tls().is_some_and(TlsFacts::shows_alerts) {
                    return;
                }
                let (reader, message) = (at.process.into(), "an encrypted alert");
                return socket.heard(at, fd, true, Sign::PeerGoodbye { reader, message }, out);
            }
            Act::Read => (Direction::Received, record.ret),
            Act::Write => (Direction::Sent, record.ret),
        };
        let chunk = self.noted.of(Chunk::new(payload, u64::try_from(bytes).unwrap_or(0)));
        let waited = socket.may_wait;
        socket.hear_inside(at, fd, direction, chunk, out);
        socket.note_wait(waited, &mut self.waiting);
    }

    /// The socket of a call: the one that it used itself, or the one that its session used before.
    fn tied(&mut self, at: Origin, record: &Plaintext) -> Option<Tie> {
        let seen = self.socket_of(&record.file);
        let process = self.processes.get_mut(&at.process)?;
        let Some(socket) = seen else { return process.ties.of(record.session) };
        let tie = Tie { socket, fd: record.fd, by: at.process, used: at.time };
        let known =
            process.ties.of(record.session).is_some_and(|known| Tie { used: tie.used, ..known } == tie);
        // A fork has shared them: no copy for each call.
        if !known || Rc::strong_count(&process.ties) == 1 {
            Rc::make_mut(&mut process.ties).tie(record.session, tie);
        }
        Some(tie)
    }

    /// Ties a session that works in memory, as asyncio's does, to its socket: the thread has just taken a
    /// step of a handshake without a socket, and now sends a hello.
    pub(super) fn tie_by_hello(&mut self, at: Origin, socket: SockId, fd: i32, sent: Chunk<'_>) {
        let Some(process) = self.processes.get_mut(&at.process) else { return };
        let Some((_, session)) = process.handshake.take_if(|(tid, _)| *tid == at.tid) else { return };
        if !is_hello(self.noted.of(sent)) {
            return;
        }
        let tie = Tie { socket, fd, by: at.process, used: at.time };
        Rc::make_mut(&mut process.ties).tie(session, tie);
        if let Some(socket) = self.sockets.get_mut(&socket).filter(|socket| socket.is_connection()) {
            socket.look_inside(Act::Handshake);
        }
    }

    /// Calls of OpenSSL that moved bytes of which nobody knows to which connection they belong.
    #[must_use]
    pub fn untied(&self) -> u64 {
        self.untied
    }
}

impl Socket {
    /// From here on what is inside TLS is seen: from its first byte, if this is its handshake.
    fn look_inside(&mut self, act: Act) {
        if self.inside().is_some() {
            return;
        }
        let mut inside = self.wire.as_mut().map(Wire::inside).unwrap_or_default();
        if self.opened.nr != 0 {
            inside.client_is(if self.accepted { Direction::Received } else { Direction::Sent });
        }
        if act != Act::Handshake {
            inside.skip(Direction::Sent);
            inside.skip(Direction::Received);
        }
        self.set_inside(inside);
    }

    /// Something was missed inside TLS.
    fn miss_inside(&mut self, direction: Direction) {
        if let Some(inside) = self.inside_mut().and_then(Option::as_mut) {
            inside.skip(direction);
        }
    }

    /// Reads bytes that were sent or received.
    pub(super) fn hear(
        &mut self,
        at: Origin,
        fd: i32,
        direction: Direction,
        chunk: Chunk<'_>,
        out: &mut Vec<Change>,
    ) {
        if let Some(mut wire) = self.wire.take() {
            self.hear_on(&mut wire, at, fd, direction, chunk, out);
            if self.inside().is_none() {
                self.has_heard(wire.is_idle());
            } else {
                // A record of TLS may be cut where nobody waits for a reply.
                self.may_wait = true;
            }
            self.wire = Some(wire);
        }
    }

    /// The same, inside TLS.
    fn hear_inside(
        &mut self,
        at: Origin,
        fd: i32,
        direction: Direction,
        chunk: Chunk<'_>,
        out: &mut Vec<Change>,
    ) {
        if let Some(mut wire) = self.inside_mut().and_then(Option::take) {
            self.hear_on(&mut wire, at, fd, direction, chunk, out);
            self.has_heard(wire.is_idle());
            self.may_wait = true;
            self.set_inside(wire);
        }
    }

    /// Remembers whether something may be under way, where that is not as it was.
    pub(super) fn note_wait(&self, waited: bool, waiting: &mut FxHashSet<SockId>) {
        match (waited, self.may_wait) {
            (false, true) => drop(waiting.insert(self.id)),
            (true, false) => {
                waiting.remove(&self.id);
                // Room for all that once waited would be far apart in memory.
                if waiting.capacity() > ROOM * waiting.len().max(ROOM) {
                    waiting.shrink_to(waiting.len());
                }
            }
            (true, true) | (false, false) => {}
        }
    }

    /// Something was read of what its client asks and is answered.
    fn has_heard(&mut self, is_idle: bool) {
        self.may_wait = !is_idle;
        if is_idle {
            self.asked.forget();
        }
    }

    /// Has one of its readers read; the reader is not in its place meanwhile.
    fn hear_on(
        &mut self,
        wire: &mut Wire,
        at: Origin,
        fd: i32,
        direction: Direction,
        chunk: Chunk<'_>,
        out: &mut Vec<Change>,
    ) {
        let tls = [wire.protocol(), self.protocol()].contains(&Protocol::Tls);
        wire.feed(at.process.into(), direction, chunk, &mut |sign| self.heard(at, fd, tls, sign, out));
        self.note_at_once(wire.at_once());
    }

    /// `tls`: on a connection with TLS, or inside it.
    fn heard(&mut self, at: Origin, fd: i32, tls: bool, sign: Sign, out: &mut Vec<Change>) {
        match sign {
            Sign::Goodbye { message, .. } => {
                self.note_goodbye(at, fd, tls, message == GOAWAY);
                self.end_for_all(at, fd, Farewell::Message(message));
            }
            Sign::Request { .. } | Sign::StreamOpened { .. } | Sign::StreamReused { .. } => {
                self.note_request(at, fd);
            }
            _ => {}
        }
        self.asked.note(&sign, at, fd);
        out.push(Change::Said { socket: self.id, by: at, fd, sign });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_bounded_and_the_oldest_are_forgotten() {
        let mut ties = Ties::default();
        let (most, all) = (Ties::MOST as u64, 3 * Ties::MOST as u64);
        for session in 1..=all {
            let tie = Tie { socket: SockId(session as u32), fd: 3, by: ProcId(1), used: session };
            ties.tie(session, tie);
            ties.tie(1, Tie { socket: SockId(1), ..tie });
            assert!(ties.sockets.len() <= Ties::MOST);
        }
        assert_eq!(ties.of(1).map(|tie| tie.socket), Some(SockId(1)), "it is in use");
        assert_eq!(ties.of(all).map(|tie| tie.used), Some(all));
        assert_eq!(ties.of(2), None);
        assert!(ties.of(all - most / 2 + 1).is_some());
    }
}
