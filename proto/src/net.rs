//! The kernel's numbers for what a [`Socket`](crate::Socket) is, as wide as in its record.

/// Local sockets (include/linux/socket.h).
pub const AF_UNIX: u16 = 1;
/// IPv4 (include/linux/socket.h).
pub const AF_INET: u16 = 2;
/// IPv6 (include/linux/socket.h).
pub const AF_INET6: u16 = 10;

/// A stream of bytes (include/linux/net.h).
pub const SOCK_STREAM: u16 = 1;
/// Messages without a connection (include/linux/net.h).
pub const SOCK_DGRAM: u16 = 2;
/// Messages, in order, on a connection (include/linux/net.h).
pub const SOCK_SEQPACKET: u16 = 5;

/// TCP (include/uapi/linux/in.h).
pub const IPPROTO_TCP: u16 = 6;
/// UDP (include/uapi/linux/in.h).
pub const IPPROTO_UDP: u16 = 17;

/// Connected (include/net/tcp_states.h); like all states it stands for that of every family.
pub const TCP_ESTABLISHED: u16 = 1;
/// Neither connected nor listening; once connected: both sides have ended, or one has reset it.
pub const TCP_CLOSE: u16 = 7;
/// The peer has ended its side.
pub const TCP_CLOSE_WAIT: u16 = 8;
/// Then this side was ended, too, and the peer has not confirmed it.
pub const TCP_LAST_ACK: u16 = 9;
/// It listens.
pub const TCP_LISTEN: u16 = 10;
/// Both sides have ended at once.
pub const TCP_CLOSING: u16 = 11;

/// Whether the peer of a connection in this state has ended its side (RFC 9293, 3.3.2), whether or not
/// anybody has read so far.
#[must_use]
#[inline(always)]
pub const fn peer_has_ended(state: u16) -> bool {
    matches!(state, TCP_CLOSE | TCP_CLOSE_WAIT | TCP_LAST_ACK | TCP_CLOSING)
}
