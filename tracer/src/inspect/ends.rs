//! Which socket is whose other end.

use super::look::SeenSocket;
use crate::model::Address;
use forkscope_proto::net::TCP_LISTEN;
use rustc_hash::FxHashMap;
use std::net::SocketAddr;

/// A connection between two addresses of one network namespace, as one side sees it.
type Route = (u32, SocketAddr, SocketAddr);

/// Sockets by what their peers know of them.
#[derive(Debug, Default)]
pub(super) struct Ends {
    routes: FxHashMap<Route, u64>,
    listeners: FxHashMap<(u32, SocketAddr), u64>,
    ports: FxHashMap<(u32, u16), u64>,
    paths: FxHashMap<String, u64>,
}

fn route(seen: &SeenSocket) -> Option<Route> {
    match Address::inet(&seen.socket) {
        (Address::Inet(local), Address::Inet(remote)) => Some((seen.socket.netns, local, remote)),
        _ => None,
    }
}

impl Ends {
    /// Takes in a socket.
    pub(super) fn add(&mut self, inode: u64, seen: &SeenSocket) {
        if let Some(route) = route(seen) {
            self.routes.insert(route, inode);
        } else if seen.socket.state == TCP_LISTEN {
            match (Address::inet(&seen.socket).0, &seen.name) {
                (Address::Inet(local), _) if local.ip().is_unspecified() => {
                    self.ports.insert((seen.socket.netns, local.port()), inode);
                }
                (Address::Inet(local), _) => {
                    self.listeners.insert((seen.socket.netns, local), inode);
                }
                (_, Some(path)) => {
                    self.paths.insert(path.clone(), inode);
                }
                _ => {}
            }
        }
    }

    /// The socket at the other end, where it is one of those taken in.
    pub(super) fn peer(&self, seen: &SeenSocket) -> Option<u64> {
        if seen.socket.peer != 0 {
            return Some(seen.socket.peer);
        }
        let (netns, local, remote) = route(seen)?;
        self.routes.get(&(netns, remote, local)).copied()
    }

    /// The listener that one side of a connection came from, where it is one of those taken in.
    pub(super) fn listener(&self, seen: &SeenSocket) -> Option<u64> {
        if let Some(path) = seen.name.as_ref().or(seen.peer_name.as_ref()) {
            return self.paths.get(path).copied();
        }
        let (netns, local, remote) = route(seen)?;
        let at = |side: SocketAddr| {
            self.listeners.get(&(netns, side)).or_else(|| self.ports.get(&(netns, side.port()))).copied()
        };
        at(remote).or_else(|| at(local))
    }
}
