//! What is answered: one message a socket.

use super::request::Table;
use super::wire::attribute;
use crate::inspect::SeenSocket;
use forkscope_proto::Socket;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// `struct inet_diag_msg` (include/uapi/linux/inet_diag.h), its `inet_diag_sockid` written out.
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Inet {
    family: u8,
    state: u8,
    timer: u8,
    retransmits: u8,
    local_port: [u8; 2],
    remote_port: [u8; 2],
    local: [u8; 16],
    remote: [u8; 16],
    interface: u32,
    cookie: [u32; 2],
    expires: u32,
    receive: u32,
    send: u32,
    user: u32,
    inode: u32,
}

/// `struct unix_diag_msg` (include/uapi/linux/unix_diag.h).
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Unix {
    family: u8,
    kind: u8,
    state: u8,
    pad: u8,
    inode: u32,
    cookie: [u32; 2],
}

/// `struct unix_diag_rqlen`.
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Queues {
    receive: u32,
    send: u32,
}

/// Attributes of a unix socket (`UNIX_DIAG_*`).
const NAME: u16 = 0;
const PEER: u16 = 2;
const QUEUES: u16 = 4;

/// A socket and its inode. `None` for what is no such message, or a connection that no socket has any more.
pub(super) fn read(table: Table, body: &[u8]) -> Option<(u64, SeenSocket)> {
    let (inode, seen) = match table {
        Table::Inet { kind, protocol, .. } => inet(body, kind, protocol)?,
        Table::Unix => unix(body)?,
    };
    (inode != 0).then_some((inode.into(), seen))
}

fn inet(body: &[u8], kind: u16, protocol: u16) -> Option<(u32, SeenSocket)> {
    let (found, _) = Inet::read_from_prefix(body).ok()?;
    let socket = Socket {
        family: found.family.into(),
        kind,
        protocol,
        state: found.state.into(),
        cookie: cookie(found.cookie),
        local_port: u16::from_be_bytes(found.local_port),
        remote_port: u16::from_be_bytes(found.remote_port),
        local: found.local,
        remote: found.remote,
        ..Socket::default()
    };
    let queues = Some((found.receive, found.send));
    Some((found.inode, SeenSocket { socket, queues, ..SeenSocket::default() }))
}

fn unix(body: &[u8]) -> Option<(u32, SeenSocket)> {
    let (found, mut rest) = Unix::read_from_prefix(body).ok()?;
    let socket = Socket {
        family: found.family.into(),
        kind: found.kind.into(),
        state: found.state.into(),
        cookie: cookie(found.cookie),
        ..Socket::default()
    };
    let mut seen = SeenSocket { socket, ..SeenSocket::default() };
    while let Some((kind, value)) = attribute(&mut rest) {
        match kind {
            NAME => seen.name = name(value),
            PEER => seen.socket.peer = u32::read_from_bytes(value).map_or(0, u64::from),
            QUEUES => {
                let queues = Queues::read_from_bytes(value).ok();
                seen.queues = queues.map(|queues| (queues.receive, queues.send));
            }
            _ => {}
        }
    }
    Some((found.inode, seen))
}

/// The kernel gives it as two words, the lower first (`sock_diag_save_cookie`, net/core/sock_diag.c).
fn cookie([low, high]: [u32; 2]) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// A path without the NUL at its end, or an abstract name, whose first NUL is written as `@` (unix(7)).
fn name(bytes: &[u8]) -> Option<String> {
    match bytes.split_first()? {
        (0, []) => None,
        (0, rest) => Some(format!("@{}", String::from_utf8_lossy(rest))),
        _ => {
            let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
            Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
        }
    }
}
