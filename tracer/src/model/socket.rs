//! Sockets, and who used them.

use super::asked::{Asked, Requests};
use super::{OpenFile, Origin, ProcId};
use crate::protocol::{Direction, Few, Http2Log, InFlight, Protocol, TlsFacts, User, Wire};
use forkscope_proto as proto;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Weak;

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const SOCK_STREAM: u16 = 1;
/// `TCP_LISTEN` (include/net/tcp_states.h), for every family.
const LISTEN: u16 = 10;
/// `TCP_ESTABLISHED`, for every family.
const ESTABLISHED: u16 = 1;

/// A socket in the model. Never reused in a session; the connection's id in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SockId(pub u32);

/// One side of a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Address {
    /// None, or not known.
    #[default]
    None,
    /// Address and port.
    Inet(SocketAddr),
    /// A path, an abstract name (`@name`), or the peer's inode.
    Unix(Box<str>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("-"),
            Self::Inet(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{path}"),
        }
    }
}

impl Address {
    /// Both sides of an internet socket, its own first.
    #[must_use]
    pub fn inet(record: &proto::Socket) -> (Self, Self) {
        (
            inet(record.family, &record.local, record.local_port),
            inet(record.family, &record.remote, record.remote_port),
        )
    }
}

/// One direction of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Bytes were sent.
    Sent,
    /// Bytes were received.
    Received,
}

/// What one process did with a socket.
#[derive(Clone, Debug)]
pub struct Usage {
    /// The process.
    pub process: ProcId,
    /// The number it used last.
    pub fd: i32,
    /// It got the descriptor by `SCM_RIGHTS` or `pidfd_getfd`, on purpose.
    pub passed: bool,
    /// Bytes and calls each way.
    pub sent: (u64, u64),
    /// Likewise.
    pub received: (u64, u64),
    /// The last error: when, by which call, which.
    pub last_error: Option<(u64, u16, i32)>,
    /// When it closed its last descriptor for it.
    pub closed_at: Option<u64>,
}

/// How a process ended a stream, or the session on it, for everybody who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// `shutdown(2)` of this direction: `SHUT_RD`, `SHUT_WR` or `SHUT_RDWR`.
    Shutdown(i32),
    /// A message of the protocol, by its name there.
    Message(&'static str),
}

/// The first goodbye on a connection.
#[derive(Clone, Copy, Debug)]
pub struct Goodbye {
    /// Who said it, and when.
    pub by: Origin,
    /// Under which number.
    pub fd: i32,
    /// How.
    pub how: Farewell,
}

/// Consecutive use by one process.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// Who.
    pub process: ProcId,
    /// Which thread began it.
    pub tid: u32,
    /// Under which number.
    pub fd: i32,
    /// By which call it began.
    pub nr: u16,
    /// From when.
    pub from: u64,
    /// Until when.
    pub to: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// It was not seen: the process had the connection before forkscope looked.
    pub assumed: bool,
}

/// A socket.
#[derive(Debug)]
pub struct Socket {
    /// Its id.
    pub id: SockId,
    /// Its inode.
    pub inode: u64,
    /// Its cookie, 0 where the kernel gave none.
    pub cookie: u64,
    /// Address family.
    pub family: u16,
    /// Its type.
    pub kind: u16,
    /// Its state.
    pub state: u16,
    /// Its own address.
    pub local: Address,
    /// Its peer's.
    pub remote: Address,
    /// For `AF_UNIX` the peer's inode.
    pub peer: u64,
    /// Who opened it; `nr` 0: it was there before.
    pub opened: Origin,
    /// It came from accept.
    pub accepted: bool,
    /// It has been connected once.
    pub connected: bool,
    /// Who held it when it first crossed a fork, who got it, and when.
    pub crossed: Option<(ProcId, ProcId, u64)>,
    /// What each process did.
    pub users: Few<Usage>,
    /// Who used it in turn: the first turns and the newest.
    pub turns: Few<Turn>,
    /// The last two processes whose requests were under way at once: who reads which reply is luck.
    pub at_once: Option<[ProcId; 2]>,
    /// A finding speaks of it: keep it.
    pub kept: bool,
    /// The client may wait for something: as [`Model::may_wait`](super::Model::may_wait) tells it.
    pub(super) may_wait: bool,
    /// Few connections have one.
    pub(super) goodbye: Option<Box<Goodbye>>,
    pub(super) asked: Requests,
    pub(super) wire: Option<Wire>,
    /// What is inside TLS, where calls of OpenSSL were seen that used it.
    pub(super) inside: Option<Box<Wire>>,
    pub(super) file: Weak<OpenFile>,
    /// It had another open file before: /proc and events were not seen to speak of one.
    pub(super) many_files: bool,
}

impl Socket {
    /// Turns that are remembered.
    const TURNS: usize = 16;
    /// Users that are remembered.
    const USERS: usize = 256;

    /// What it speaks.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.wire.as_ref().map_or(Protocol::Unknown, Wire::protocol)
    }

    /// What it speaks inside TLS, where that was seen and recognised.
    #[must_use]
    pub fn protocol_inside(&self) -> Option<Protocol> {
        let protocol = self.inside.as_ref().map(|inside| inside.protocol());
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
        self.inside.is_some()
    }

    /// What its client waits for now, where the holders are the client, and the requests of it that are remembered.
    #[must_use]
    pub fn in_flight(&self) -> (InFlight, Vec<Asked>) {
        let [outside, inside] = [self.wire.as_ref(), self.inside.as_deref()]
            .map(|wire| wire.map_or(InFlight::Unknown, Wire::in_flight));
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
        let inside = self.inside.as_ref().and_then(|inside| inside.http2());
        inside.or_else(|| self.wire.as_ref()?.http2())
    }

    /// A connected stream between processes that are not each other's relatives by construction: TCP, or a
    /// unix stream with a name on one side. A socketpair is none.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        self.kind == SOCK_STREAM
            && self.state != LISTEN
            && match self.family {
                AF_INET | AF_INET6 => self.connected,
                AF_UNIX => self.connected && (self.local != Address::None || self.remote != Address::None),
                _ => false,
            }
    }

    /// A stream socket that is no connection, but may become one.
    pub(super) fn may_connect(&self) -> bool {
        self.kind == SOCK_STREAM && self.state != LISTEN && !self.connected
    }

    /// Whether a descriptor for it is still open in a traced process.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.file.strong_count() > 0
    }

    /// Whether a descriptor of a traced process may be for it now. What is remembered of earlier ones is none.
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

    /// Adds to the turn of its process, or begins one. A fork ends a turn: what comes after it, the child's copy
    /// of the session's state does not know.
    pub(super) fn take_turn(&mut self, turn: Turn) {
        let forked = self.crossed.map_or(0, |(_, _, time)| time);
        let goes_on =
            |last: &&mut Turn| last.process == turn.process && (last.to >= forked || turn.from < forked);
        if let Some(last) = self.turns.last_mut().filter(goes_on) {
            last.to = turn.to;
            last.sent = last.sent.saturating_add(turn.sent);
            last.received = last.received.saturating_add(turn.received);
            last.assumed &= turn.assumed;
            return;
        }
        if self.turns.len() == Self::TURNS {
            self.turns.remove(Self::TURNS / 2);
        }
        self.turns.push(turn);
    }

    /// Who ended it for all, where a holder did.
    #[must_use]
    pub fn goodbye(&self) -> Option<Goodbye> {
        self.goodbye.as_deref().copied()
    }

    /// A holder ends it for all. The first one that does is remembered.
    pub(super) fn end_for_all(&mut self, goodbye: Goodbye) {
        self.goodbye.get_or_insert_with(|| Box::new(goodbye));
    }

    pub(super) fn note_at_once(&mut self, pair: Option<[User; 2]>) {
        if let Some(pair) = pair {
            self.at_once = Some(pair.map(|User(number)| ProcId::from_number(number)));
        }
    }

    /// It came from accept: what was taken for the peer's name is its own.
    pub(super) fn accept(&mut self) {
        self.accepted = true;
        if let Address::Unix(_) = self.remote {
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
        self.peer = record.peer;
        match record.family {
            AF_INET | AF_INET6 => {
                self.local = inet(record.family, &record.local, record.local_port);
                // A reset socket has forgotten its peer; the report should not.
                if record.remote_port != 0 {
                    self.remote = inet(record.family, &record.remote, record.remote_port);
                    self.connected = true;
                }
            }
            AF_UNIX => {
                if !path.is_empty() {
                    let name = unix(path);
                    if self.accepted { self.local = name } else { self.remote = name }
                }
                self.connected |= record.peer != 0 || record.state == ESTABLISHED;
            }
            _ => {}
        }
    }
}

fn inet(family: u16, bytes: &[u8; 16], port: u16) -> Address {
    if port == 0 {
        return Address::None;
    }
    let ip = if family == AF_INET {
        IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))
    } else {
        IpAddr::V6(Ipv6Addr::from(*bytes)).to_canonical()
    };
    Address::Inet(SocketAddr::new(ip, port))
}

/// A unix socket's name as unix(7) and ss(8) write it: an abstract one begins with `@`.
fn unix(path: &[u8]) -> Address {
    let text = match path.split_first() {
        Some((0, name)) => format!("@{}", String::from_utf8_lossy(name)),
        _ => String::from_utf8_lossy(path.split(|&byte| byte == 0).next().unwrap_or(path)).into_owned(),
    };
    Address::Unix(text.into())
}
