//! Pairs of connected sockets.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// Two ends of a TCP connection on loopback, which sends at once.
pub(super) fn tcp() -> [OwnedFd; 2] {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen");
    let address = listener.local_addr().expect("an address");
    let client = TcpStream::connect(address).expect("connect");
    let (server, _) = listener.accept().expect("accept");
    for end in [&client, &server] {
        end.set_nodelay(true).expect("TCP_NODELAY");
    }
    [client.into(), server.into()]
}

/// Two ends of a stream without a network.
pub(super) fn pair() -> [OwnedFd; 2] {
    let (one, other) = UnixStream::pair().expect("socketpair");
    [one.into(), other.into()]
}
