//! Transfers: bytes sent or received on a descriptor.

use crate::FileRef;
use crate::header::Header;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One call of the send, receive, read or write family; the first bytes follow as payload.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Io {
    /// The head.
    pub header: Header,
    /// What the call was on: what is behind the descriptor, or was before another thread displaced it.
    pub file: FileRef,
    /// Result: bytes, or minus the errno. For `sendmmsg` and `recvmmsg` the number of messages.
    pub ret: i64,
    /// Bytes asked for; for vectors and messages the number of vectors or messages.
    pub len: u64,
    /// The descriptor.
    pub fd: i32,
    /// `MSG_*` flags given to the call.
    pub flags: u32,
    /// Position in the TCP stream after the call: `write_seq` for a send, `copied_seq` for a receive
    /// (`struct tcp_sock`, include/linux/tcp.h). 0 where it is not TCP.
    pub seq: u32,
    /// Zero.
    pub reserved: u32,
}

/// A transfer that io_uring made for a process: no descriptor and no bytes are known.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct UringIo {
    /// The head.
    pub header: Header,
    /// The socket's file.
    pub file: FileRef,
    /// Bytes, or minus the errno.
    pub ret: i32,
    /// 1: sent, 0: received.
    pub sent: u32,
}

crate::layout!(Io, 88);
crate::layout!(UringIo, 64);
