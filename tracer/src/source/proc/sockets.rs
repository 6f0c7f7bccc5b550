//! What the sockets in a process' network namespace are.

use forkscope_proto::Socket;
use procfs::process::Process;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const SOCK_STREAM: u16 = 1;
const SOCK_DGRAM: u16 = 2;
const IPPROTO_TCP: u16 = 6;
const IPPROTO_UDP: u16 = 17;
const ESTABLISHED: u16 = 1;
const CLOSED: u16 = 7;

/// Sockets by inode, with the path of those that have one.
pub(super) type Sockets = HashMap<u64, (Socket, Option<String>)>;

/// All sockets that the process' namespace lists, each table read once.
pub(super) fn of(process: &Process) -> Sockets {
    let mut found = Sockets::new();
    let netns =
        std::fs::metadata(format!("/proc/{}/ns/net", process.pid())).map_or(0, |data| data.ino() as u32);
    let tcp = [process.tcp().unwrap_or_default(), process.tcp6().unwrap_or_default()];
    for entry in tcp.iter().flatten() {
        let state = u16::from(entry.state.to_u8());
        let kind = (SOCK_STREAM, IPPROTO_TCP, state);
        found.insert(entry.inode, (inet(kind, entry.local_address, entry.remote_address, netns), None));
    }
    let udp = [process.udp().unwrap_or_default(), process.udp6().unwrap_or_default()];
    for entry in udp.iter().flatten() {
        let kind = (SOCK_DGRAM, IPPROTO_UDP, u16::from(entry.state.to_u8()));
        found.insert(entry.inode, (inet(kind, entry.local_address, entry.remote_address, netns), None));
    }
    for entry in process.unix().unwrap_or_default() {
        let connected = entry.state == procfs::net::UnixState::CONNECTED;
        let state = if connected { ESTABLISHED } else { CLOSED };
        let socket = Socket { family: AF_UNIX, kind: entry.socket_type, state, netns, ..Socket::default() };
        found.insert(entry.inode, (socket, entry.path.map(|path| path.to_string_lossy().into_owned())));
    }
    found
}

fn inet(
    (kind, protocol, state): (u16, u16, u16),
    local: SocketAddr,
    remote: SocketAddr,
    netns: u32,
) -> Socket {
    Socket {
        family: if local.is_ipv4() { AF_INET } else { AF_INET6 },
        kind,
        protocol,
        state,
        local_port: local.port(),
        remote_port: remote.port(),
        local: octets(local.ip()),
        remote: octets(remote.ip()),
        netns,
        ..Socket::default()
    }
}

/// An address in the form of the record: 16 bytes for IPv6, the first 4 for IPv4.
fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&address.octets());
            bytes
        }
    }
}
