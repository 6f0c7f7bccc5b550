//! Netlink's framing (include/uapi/linux/netlink.h): messages, and attributes in them.

use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType};
use std::io;
use std::os::fd::OwnedFd;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `NLMSG_ERROR`.
pub(super) const ERROR: u16 = 2;
/// `NLMSG_DONE`: the last message of a dump.
pub(super) const DONE: u16 = 3;

/// `struct nlmsghdr`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Head {
    /// Of the whole message, this head included.
    pub(super) length: u32,
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) port: u32,
}

/// `struct nlattr`.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Attribute {
    length: u16,
    kind: u16,
}

/// A socket that asks.
pub(super) fn socket() -> io::Result<OwnedFd> {
    Ok(nix::sys::socket::socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkSockDiag,
    )?)
}

/// Takes the next message: its kind and its body. `None` at the end, and where what is left is no message.
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let (head, _) = Head::read_from_prefix(rest).ok()?;
    let body = take(rest, head.length as usize, size_of::<Head>())?;
    Some((head.kind, body))
}

/// Takes the next attribute, likewise.
pub(super) fn attribute<'a>(rest: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
    let (head, _) = Attribute::read_from_prefix(rest).ok()?;
    let body = take(rest, usize::from(head.length), size_of::<Attribute>())?;
    Some((head.kind, body))
}

/// What follows the head of something that is this long; the next thing begins at a
/// multiple of 4 (`NLMSG_ALIGNTO`).
fn take<'a>(rest: &mut &'a [u8], length: usize, head: usize) -> Option<&'a [u8]> {
    let body = rest.get(head..length)?;
    *rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some(body)
}

/// What an error message says: minus the errno comes first.
pub(super) fn error(body: &[u8]) -> io::Error {
    match i32::read_from_prefix(body) {
        Ok((errno, _)) if errno < 0 => io::Error::from_raw_os_error(-errno),
        _ => io::ErrorKind::InvalidData.into(),
    }
}
