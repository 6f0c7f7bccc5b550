//! Addresses of sockets, as they are told and as they are kept.

use forkscope_proto as proto;
use forkscope_proto::net::AF_INET;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

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

/// An address as a socket keeps it. There are many: it is small.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Kept {
    #[default]
    None,
    V4(SocketAddrV4),
    V6(Box<SocketAddrV6>),
    Unix(Box<Box<str>>),
}

const _: () = assert!(size_of::<Kept>() == 16);

impl From<Address> for Kept {
    fn from(address: Address) -> Self {
        match address {
            Address::None => Self::None,
            Address::Inet(SocketAddr::V4(at)) => Self::V4(at),
            Address::Inet(SocketAddr::V6(at)) => Self::V6(at.into()),
            Address::Unix(name) => Self::Unix(name.into()),
        }
    }
}

impl From<&Kept> for Address {
    fn from(kept: &Kept) -> Self {
        match kept {
            Kept::None => Self::None,
            Kept::V4(at) => Self::Inet(SocketAddr::V4(*at)),
            Kept::V6(at) => Self::Inet(SocketAddr::V6(**at)),
            Kept::Unix(name) => Self::Unix((**name).clone()),
        }
    }
}

pub(super) fn inet(family: u16, bytes: &[u8; 16], port: u16) -> Address {
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
pub(super) fn unix(path: &[u8]) -> Address {
    let text = match path.split_first() {
        Some((0, name)) => format!("@{}", String::from_utf8_lossy(name)),
        _ => String::from_utf8_lossy(path.split(|&byte| byte == 0).next().unwrap_or(path)).into_owned(),
    };
    Address::Unix(text.into())
}
