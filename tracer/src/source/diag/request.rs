//! What is asked: one table at a time, whole.

use super::wire::Head;
use zerocopy::{Immutable, IntoBytes};

/// A table of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// TCP or UDP, over IPv4 or IPv6.
    Inet {
        /// `AF_*`.
        family: u16,
        /// `SOCK_*`.
        kind: u16,
        /// `IPPROTO_*`.
        protocol: u16,
    },
    /// Unix domain sockets.
    Unix,
}

/// `SOCK_DIAG_BY_FAMILY` (include/uapi/linux/sock_diag.h).
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP` (include/uapi/linux/netlink.h).
const DUMP: u16 = 0x301;
/// Every state but `TCP_TIME_WAIT` (6) and `TCP_NEW_SYN_RECV` (12), which have no socket
/// that a process could hold.
const STATES: u32 = 0xfff & !(1 << 6);
/// `UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN` (include/uapi/linux/unix_diag.h).
const SHOW: u32 = 0x1 | 0x4 | 0x10;

/// `struct inet_diag_req_v2` (include/uapi/linux/inet_diag.h); the id stays 0 in a dump.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Inet {
    family: u8,
    protocol: u8,
    extensions: u8,
    pad: u8,
    states: u32,
    id: [u8; 48],
}

/// `struct unix_diag_req` (include/uapi/linux/unix_diag.h); inode and cookie stay 0 in a dump.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Unix {
    family: u8,
    protocol: u8,
    pad: u16,
    states: u32,
    inode: u32,
    show: u32,
    cookie: [u32; 2],
}

/// The request for a table.
pub(super) fn bytes(table: Table) -> Vec<u8> {
    /// `AF_UNIX`.
    const UNIX: u8 = 1;
    match table {
        // Both numbers have one byte here (inet_diag.h).
        Table::Inet { family, protocol, .. } => with_head(&Inet {
            family: family as u8,
            protocol: protocol as u8,
            extensions: 0,
            pad: 0,
            states: STATES,
            id: [0; 48],
        }),
        Table::Unix => with_head(&Unix {
            family: UNIX,
            protocol: 0,
            pad: 0,
            states: u32::MAX,
            inode: 0,
            show: SHOW,
            cookie: [0; 2],
        }),
    }
}

fn with_head<T: IntoBytes + Immutable>(body: &T) -> Vec<u8> {
    let length = (size_of::<Head>() + size_of::<T>()) as u32;
    let head = Head { length, kind: BY_FAMILY, flags: DUMP, sequence: 1, port: 0 };
    [head.as_bytes(), body.as_bytes()].concat()
}
