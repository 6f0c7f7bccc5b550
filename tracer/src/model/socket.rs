//! Sockets, and who used them.

use super::address::{self, Address};
use super::asked::{Asked, Requests};
use super::turn::{LastWord, Turn};
use super::{Failure, OpenFile, Origin, ProcId};
use crate::protocol::{Direction, Few, Http2Log, InFlight, Protocol, TlsFacts, User, Wire, fetch};
use forkscope_proto as proto;
use proto::net::{AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM, TCP_ESTABLISHED, TCP_LISTEN};
use std::num::NonZeroU64;
use std::rc::Weak;

/// A socket in the model. Never reused in a session; the connection's id in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SockId(pub u32);

/// What one process did with a socket.
#[derive(Clone, Debug)]
pub struct Usage {
    /// The process.
    pub process: ProcId,
    /// The number it used last.
    pub fd: i32,
    /// It got the descriptor by `SCM_RIGHTS` or `pidfd_getfd`, on purpose.
    pub passed: bool,
    /// It has read the stream's end: the peer ended its side, or a holder did.
    pub read_end: bool,
    /// It has asked for more when nothing was there, since the connection crossed a fork.
    pub in_vain: bool,
    /// What it has said last.
    pub last_word: LastWord,
    /// Bytes and calls each way.
    pub sent: (u64, u64),
    /// Likewise.
    pub received: (u64, u64),
    /// Few have one.
    last_error: Option<Box<(u64, u16, i32)>>,
    closed_at: Option<NonZeroU64>,
}

impl Usage {
    /// The last error: when, by which call, which.
    #[must_use]
    pub fn last_error(&self) -> Option<(u64, u16, i32)> {
        self.last_error.as_deref().copied()
    }

    /// When it closed its last descriptor for it.
    #[must_use]
    pub fn closed_at(&self) -> Option<u64> {
        self.closed_at.map(NonZeroU64::get)
    }

    pub(super) fn fails(&mut self, failure: &Failure) {
        **self.last_error.get_or_insert_default() = (failure.by.time, failure.by.nr, failure.errno);
    }

    pub(super) fn closes(&mut self, time: u64) {
        self.closed_at = NonZeroU64::new(time);
    }
}

/// How a process ended a stream, or the session on it, for everybody who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// `shutdown(2)` of this direction: `SHUT_RD`, `SHUT_WR` or `SHUT_RDWR`.
    Shutdown(i32),
    /// A message of the protocol, by its name there.
    Message(&'static str),
}

impl Farewell {
    /// Whether nothing goes either way after it.
    fn is_whole(self) -> bool {
        !matches!(self, Self::Shutdown(libc::SHUT_RD | libc::SHUT_WR))
    }
}

/// The first goodbye on a connection, or the first that ended the whole of it.
#[derive(Clone, Copy, Debug)]
pub struct Goodbye {
    /// Who said it, and when.
    pub by: Origin,
    /// Under which number.
    pub fd: i32,
    /// How.
    pub how: Farewell,
    /// Who said it had read the peer's end before: there was nothing left to end.
    pub peer_had_ended: bool,
}

/// A socket. There are many: it is small, and what each transfer looks at is together.
#[derive(Debug)]
#[repr(C)]
pub struct Socket {
    /// Its id.
    pub id: SockId,
    /// Its type.
    pub kind: u16,
    /// Its state.
    pub state: u16,
    /// Address family.
    pub family: u16,
    /// It came from accept.
    pub accepted: bool,
    /// It has been connected once.
    pub connected: bool,
    /// The client may wait for something: as [`Model::may_wait`](super::Model::may_wait) tells it.
    pub(super) may_wait: bool,
    /// A finding speaks of it: keep it.
    pub kept: bool,
    /// It had another open file before: /proc and events were not seen to speak of one.
    pub(super) many_files: bool,
    pub(super) wire: Option<Wire>,
    rare: Option<Box<Rare>>,
    /// Who used it in turn: the first turns and the newest.
    pub turns: Few<Turn>,
    /// What each process did.
    pub users: Few<Usage>,
    /// How it first crossed a fork.
    pub crossed: Option<Crossing>,
    pub(super) asked: Requests,
    pub(super) file: Weak<OpenFile>,
    /// Its inode.
    pub inode: u64,
    /// Its cookie, 0 where the kernel gave none.
    pub cookie: u64,
    /// Who opened it; `nr` 0: it was there before.
    pub opened: Origin,
    local: address::Kept,
    remote: address::Kept,
}

/// A fork gave a copy of a descriptor to a child.
#[derive(Clone, Copy, Debug)]
pub struct Crossing {
    /// Who held it.
    pub parent: ProcId,
    /// Who got it.
    pub child: ProcId,
    // There are many sockets: whether there is one needs no more room.
    time: NonZeroU64,
}

impl Crossing {
    pub(super) fn new(parent: ProcId, child: ProcId, time: u64) -> Self {
        Self { parent, child, time: NonZeroU64::new(time).unwrap_or(NonZeroU64::MIN) }
    }

    /// When.
    #[must_use]
    pub fn time(self) -> u64 {
        self.time.get()
    }
}

/// What few sockets have.
#[derive(Debug, Default)]
struct Rare {
    goodbye: Option<Goodbye>,
    /// The last two processes whose requests were under way at once.
    at_once: Option<[ProcId; 2]>,
    /// What is inside TLS, where calls of OpenSSL were seen that used it.
    inside: Option<Wire>,
}

impl Socket {
    /// Users that are remembered.
    const USERS: usize = 256;

    /// One that was seen first at this time, as this record shows it.
    pub(super) fn new(id: SockId, at: Origin, record: &proto::Socket) -> Self {
        Self {
            id,
            kind: record.kind,
            state: record.state,
            family: record.family,
            accepted: false,
            connected: false,
            may_wait: false,
            kept: false,
            many_files: false,
            wire: None,
            rare: None,
            turns: Few::None,
            users: Few::None,
            crossed: None,
            asked: Requests::default(),
            file: Weak::new(),
            inode: record.file.inode,
            cookie: record.cookie,
            opened: at,
            local: address::Kept::None,
            remote: address::Kept::None,
        }
    }

    /// Has the processor fetch what reads its bytes, and who used it: the newest turn, and the first users,
    /// which most often are one process, or a parent and its child.
    pub(super) fn fetch_reader(&self) {
        self.wire.iter().for_each(Wire::fetch);
        self.turns.last().into_iter().for_each(fetch);
        self.users.iter().take(2).for_each(fetch);
    }

    /// Likewise what the reader looks at.
    pub(super) fn fetch_more(&self) {
        self.wire.iter().for_each(Wire::fetch_more);
    }

    /// Its own address.
    #[must_use]
    pub fn local(&self) -> Address {
        (&self.local).into()
    }

    /// Its peer's.
    #[must_use]
    pub fn remote(&self) -> Address {
        (&self.remote).into()
    }

    /// What is inside TLS, where calls of OpenSSL were seen that used it.
    pub(super) fn inside(&self) -> Option<&Wire> {
        self.rare.as_ref()?.inside.as_ref()
    }

    /// The same, and with it the place for it.
    pub(super) fn inside_mut(&mut self) -> Option<&mut Option<Wire>> {
        self.rare.as_mut().map(|rare| &mut rare.inside).filter(|inside| inside.is_some())
    }

    /// From here on this is what is inside TLS.
    pub(super) fn set_inside(&mut self, inside: Wire) {
        self.rare.get_or_insert_default().inside = Some(inside);
    }

    /// The last two processes whose requests were under way at once: who reads which reply is luck.
    #[must_use]
    pub fn at_once(&self) -> Option<[ProcId; 2]> {
        self.rare.as_ref()?.at_once
    }

    /// What it speaks.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.wire.as_ref().map_or(Protocol::Unknown, Wire::protocol)
    }

    /// What it speaks inside TLS, where that was seen and recognised.
    #[must_use]
    pub fn protocol_inside(&self) -> Option<Protocol> {
        let protocol = self.inside().map(Wire::protocol);
        protocol.filter(|&protocol| protocol != Protocol::Unknown)
    }

    /// The protocol whose messages are read: inside TLS, where that was seen, else [`Socket::protocol`].
    #[must_use]
    pub fn read_protocol(&self) -> Protocol {
        self.protocol_inside().unwrap_or_else(|| self.protocol())
    }

    /// Calls of OpenSSL were seen that used it: what is inside TLS is read.
    #[must_use]
    pub fn is_seen_inside(&self) -> bool {
        self.inside().is_some()
    }

    /// What its client waits for now, where the holders are the client, and the requests
    /// of it that are remembered.
    #[must_use]
    pub fn in_flight(&self) -> (InFlight, Vec<Asked>) {
        let [outside, inside] =
            [self.wire.as_ref(), self.inside()].map(|wire| wire.map_or(InFlight::Unknown, Wire::in_flight));
        // A record of TLS may be cut where nobody waits for a reply.
        let flight = match inside {
            InFlight::Unknown => outside,
            InFlight::Nothing if outside.is_something() => outside,
            inside => inside,
        };
        let asked = self.asked.under_way(&flight);
        (flight, asked)
    }

    /// What the opening of a TLS session on it said in the clear.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.wire.as_ref()?.tls()
    }

    /// What was seen on its HTTP/2 streams, where it speaks that.
    #[must_use]
    pub fn http2(&self) -> Option<&Http2Log> {
        let inside = self.inside().and_then(Wire::http2);
        inside.or_else(|| self.wire.as_ref()?.http2())
    }

    /// A connected stream between processes that are not each other's relatives by construction: TCP, or a
    /// unix stream with a name on one side. A socketpair is none.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        self.kind == SOCK_STREAM
            && self.state != TCP_LISTEN
            && match self.family {
                AF_INET | AF_INET6 => self.connected,
                AF_UNIX => {
                    self.connected
                        && [&self.local, &self.remote].iter().any(|name| **name != address::Kept::None)
                }
                _ => false,
            }
    }

    /// A stream socket that is no connection, but may become one.
    pub(super) fn may_connect(&self) -> bool {
        self.kind == SOCK_STREAM && self.state != TCP_LISTEN && !self.connected
    }

    /// Whether a descriptor for it is still open in a traced process.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.file.strong_count() > 0
    }

    /// Whether a descriptor of a traced process may be for it now. What is remembered
    /// of earlier ones is none.
    #[must_use]
    pub fn may_be_held(&self) -> bool {
        self.many_files || self.file.upgrade().is_some_and(|file| file.held.get() > 0)
    }

    /// What a process did with it.
    #[must_use]
    pub fn usage(&self, process: ProcId) -> Option<&Usage> {
        self.users.iter().find(|usage| usage.process == process)
    }

    /// Whether a process moved bytes on it.
    #[must_use]
    pub fn is_used_by(&self, process: ProcId) -> bool {
        self.usage(process).is_some_and(|usage| usage.sent.0 > 0 || usage.received.0 > 0)
    }

    pub(super) fn usage_mut(&mut self, process: ProcId, fd: i32) -> Option<&mut Usage> {
        let at = match self.users.iter().position(|usage| usage.process == process) {
            Some(at) => at,
            None if self.users.len() < Self::USERS => {
                self.users.push(Usage {
                    process,
                    fd,
                    passed: false,
                    read_end: false,
                    in_vain: false,
                    last_word: LastWord::None,
                    sent: (0, 0),
                    received: (0, 0),
                    last_error: None,
                    closed_at: None,
                });
                self.users.len() - 1
            }
            None => return None,
        };
        let usage = &mut self.users[at];
        usage.fd = fd;
        Some(usage)
    }

    /// Who ended it for all, where a holder did.
    #[must_use]
    pub fn goodbye(&self) -> Option<Goodbye> {
        self.rare.as_ref()?.goodbye
    }

    /// A holder ends it for all. The first one that does is remembered, and of one that ends a half only,
    /// that it does, until another ends the whole.
    pub(super) fn end_for_all(&mut self, by: Origin, fd: i32, how: Farewell) {
        let peer_had_ended = self.usage(by.process).is_some_and(|usage| usage.read_end);
        let goodbye = Goodbye { by, fd, how, peer_had_ended };
        let first = &mut self.rare.get_or_insert_default().goodbye;
        if first.is_none_or(|first| !first.how.is_whole() && how.is_whole()) {
            *first = Some(goodbye);
        }
    }

    pub(super) fn note_at_once(&mut self, pair: Option<[User; 2]>) {
        if let Some(pair) = pair {
            let pair = pair.map(ProcId::from);
            self.rare.get_or_insert_default().at_once = Some(pair);
        }
    }

    /// It came from accept: what was taken for the peer's name is its own.
    pub(super) fn accept(&mut self) {
        self.accepted = true;
        if let address::Kept::Unix(_) = self.remote {
            self.local = std::mem::take(&mut self.remote);
        }
        if let Some(wire) = self.wire.as_mut() {
            if self.turns.is_empty() {
                // It was seen before the call that accepted it had returned: nothing has passed.
                *wire = Wire::new();
            }
            wire.client_is(Direction::Received);
        }
    }

    /// Takes over what the kernel showed.
    pub(super) fn refresh(&mut self, record: &proto::Socket, path: &[u8]) {
        self.cookie = record.cookie;
        self.state = record.state;
        self.kind = record.kind;
        match record.family {
            AF_INET | AF_INET6 => {
                // A reset socket has forgotten its peer, and its own port; the report should not.
                if record.local_port != 0 {
                    self.local = address::inet(record.family, &record.local, record.local_port).into();
                }
                if record.remote_port != 0 {
                    self.remote = address::inet(record.family, &record.remote, record.remote_port).into();
                    self.connected = true;
                }
            }
            AF_UNIX => {
                if !path.is_empty() {
                    let name = address::unix(path).into();
                    if self.accepted { self.local = name } else { self.remote = name }
                }
                self.connected |= record.peer != 0 || record.state == TCP_ESTABLISHED;
            }
            _ => {}
        }
    }
}
