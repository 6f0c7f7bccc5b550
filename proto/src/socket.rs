//! What a socket is, told once per socket and again whenever a call changed it.

use crate::FileRef;
use crate::header::Header;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A socket as the kernel held it. Always written before the record whose file it describes.
/// For `AF_UNIX` the payload is the path it is bound to, or its peer's; a leading NUL means an abstract name.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Socket {
    /// The head.
    pub header: Header,
    /// Its file.
    pub file: FileRef,
    /// The socket's cookie (`SO_COOKIE`), 0 while the kernel has not given it one.
    pub cookie: u64,
    /// Inode of the peer socket, for `AF_UNIX`; 0: none known.
    pub peer: u64,
    /// Address family, `AF_*`.
    pub family: u16,
    /// Socket type, `SOCK_*`.
    pub kind: u16,
    /// Protocol, `IPPROTO_*`.
    pub protocol: u16,
    /// State, as `TCP_*` of include/net/tcp_states.h (for every family).
    pub state: u16,
    /// Local port.
    pub local_port: u16,
    /// Peer's port.
    pub remote_port: u16,
    /// Inode of the network namespace.
    pub netns: u32,
    /// Local address: 16 bytes for IPv6, the first 4 for IPv4, in network order.
    pub local: [u8; 16],
    /// Peer's address, likewise.
    pub remote: [u8; 16],
}

crate::layout!(Socket, 120);
