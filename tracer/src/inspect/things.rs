//! What is behind the descriptors, as the report has it.

use super::creator::Family;
use super::ends::Ends;
use super::group::{Group, Held, groups};
use super::look::{Look, SeenFd, SeenProcess, SeenSocket, SeenThread};
use super::{guess, state, waits};
use crate::model::Address;
use crate::report::{self, Connection, FileHolder, Holder, SharedFile, SharedKind, Thread, Wait, Watch};
use forkscope_proto::FileKind;
use forkscope_proto::net::{AF_UNIX, SOCK_SEQPACKET, SOCK_STREAM, TCP_CLOSE, TCP_LISTEN};
use rustc_hash::{FxHashMap, FxHashSet};

/// Where a descriptor leads: what has the id.
#[derive(Clone, Copy, Debug)]
enum Place {
    Connection(u32),
    File(u32),
}

/// Connections and other files, and what leads to them.
#[derive(Default)]
pub(super) struct Things {
    /// All connections.
    pub(super) connections: Vec<Connection>,
    /// Other files that more than one process holds, or that a thread waits on.
    pub(super) files: Vec<SharedFile>,
    by_fd: FxHashMap<(u32, i32), Place>,
    by_inode: FxHashMap<u64, Place>,
}

impl Things {
    /// Everything that the look shows.
    pub(super) fn of(look: &Look, family: &Family) -> Self {
        let waited = waited_on(look);
        let mut things = Self::default();
        let mut ends = Ends::default();
        let mut listeners = FxHashMap::default();
        for group in &groups(look) {
            let entry = group.any();
            let seen = look.sockets.get(&entry.inode).filter(|_| entry.kind == FileKind::Socket);
            if let Some(seen) = seen {
                ends.add(entry.inode, seen);
            }
            let place = match seen.filter(|seen| is_connection(seen)) {
                Some(seen) => things.connection(group, seen, family),
                None => {
                    listeners.insert(entry.inode, group.held[0].pid);
                    let is_waited_on = |held: &Held<'_>| waited.contains(&(held.pid, held.entry.fd));
                    if !group.is_shared() && !group.held.iter().any(is_waited_on) {
                        continue;
                    }
                    things.file(group, seen, family)
                }
            };
            if entry.kind == FileKind::Socket {
                things.by_inode.insert(entry.inode, place);
            }
            things.by_fd.extend(group.held.iter().map(|held| ((held.pid, held.entry.fd), place)));
        }
        things.join(look, &ends, &listeners);
        things
    }

    fn connection(&mut self, group: &Group<'_>, seen: &SeenSocket, family: &Family) -> Place {
        let (local, remote) = addresses(seen);
        let holder = |(held, open_file): (&Held<'_>, _)| Holder {
            pid: held.pid,
            fd: held.entry.fd,
            open_file,
            ..Holder::default()
        };
        let id = self.connections.len() as u32 + 1;
        self.connections.push(Connection {
            id,
            inode: group.any().inode,
            cookie: Some(seen.socket.cookie).filter(|&cookie| cookie != 0),
            family: report::Family::of(seen.socket.family),
            local: name(&local),
            remote: name(&remote),
            creator_guess: family.creator(&group.pids()),
            protocol_guess: guess::protocol(&local, &remote, None),
            now: Some(state::socket(seen)),
            holders: group.held.iter().zip(group.open_files()).map(holder).collect(),
            ..Connection::default()
        });
        Place::Connection(id)
    }

    fn file(&mut self, group: &Group<'_>, seen: Option<&SeenSocket>, family: &Family) -> Place {
        let entry = group.any();
        let holder = |(held, open_file): (&Held<'_>, _)| FileHolder {
            pid: held.pid,
            fd: held.entry.fd,
            open_file,
            end: (entry.kind == FileKind::Pipe).then(|| end(held.entry).to_owned()),
        };
        let id = self.files.len() as u32 + 1;
        self.files.push(SharedFile {
            id,
            kind: match (entry.kind, seen.map(|seen| seen.socket.state)) {
                (FileKind::Epoll, _) => SharedKind::Epoll,
                (FileKind::Eventfd, _) => SharedKind::Eventfd,
                (FileKind::Pipe, _) => SharedKind::Pipe,
                (_, Some(TCP_LISTEN)) => SharedKind::Listener,
                _ => SharedKind::Socket,
            },
            // Anonymous inodes are one and the same.
            inode: matches!(entry.kind, FileKind::Socket | FileKind::Pipe).then_some(entry.inode),
            address: seen.and_then(|seen| name(&addresses(seen).0)),
            now: seen.map(state::socket),
            counter: entry.eventfd.1,
            watches: entry
                .watches
                .iter()
                .map(|watch| Watch { fd: watch.fd, inode: watch.inode, connection: None })
                .collect(),
            peer: None,
            creator_guess: family.creator(&group.pids()),
            holders: group.held.iter().zip(group.open_files()).map(holder).collect(),
        });
        Place::File(id)
    }

    /// Names other ends, what epoll instances watch, and who listens, now that everything has its place.
    fn join(&mut self, look: &Look, ends: &Ends, listeners: &FxHashMap<u64, u32>) {
        let names: FxHashMap<u32, &str> =
            look.processes.iter().map(|process| (process.key.tgid, &*process.comm)).collect();
        for connection in &mut self.connections {
            let Some(seen) = look.sockets.get(&connection.inode) else { continue };
            if let Some(Place::Connection(peer)) = ends.peer(seen).and_then(|inode| self.by_inode.get(&inode))
            {
                connection.peer = Some(*peer);
            }
            if let Some(&pid) = ends.listener(seen).and_then(|inode| listeners.get(&inode)) {
                let (local, remote) = addresses(seen);
                let listener = names.get(&pid).map(|&name| (name, pid));
                connection.protocol_guess = guess::protocol(&local, &remote, listener);
            }
        }
        for file in &mut self.files {
            let peer = file.inode.and_then(|inode| look.sockets.get(&inode)).map(|seen| seen.socket.peer);
            if let Some(Place::File(peer)) = peer.and_then(|peer| self.by_inode.get(&peer)) {
                file.peer = Some(*peer);
            }
            for watch in &mut file.watches {
                if let Some(Place::Connection(id)) = watch.inode.and_then(|inode| self.by_inode.get(&inode)) {
                    watch.connection = Some(*id);
                }
            }
        }
    }

    /// A thread, with what it waits on.
    pub(super) fn thread(&self, process: &SeenProcess, thread: &SeenThread) -> Thread {
        let call = waits::call(thread);
        let waits = (call.is_some() || thread.wchan.is_some()).then(|| {
            let (syscall, fds) = call.map_or((None, Vec::new()), |(name, fds)| (Some(name), fds));
            let mut wait = Wait { syscall, wchan: thread.wchan.clone(), ..Wait::default() };
            for fd in &fds {
                match self.by_fd.get(&(process.key.tgid, *fd)) {
                    Some(Place::Connection(id)) => wait.connections.push(*id),
                    Some(Place::File(id)) => wait.files.push(*id),
                    None => {}
                }
            }
            Wait { fds, ..wait }
        });
        Thread {
            tid: thread.tid,
            comm: thread.comm.clone(),
            state: state::thread(thread.state).to_owned(),
            waits,
        }
    }
}

/// The descriptors that threads wait on.
fn waited_on(look: &Look) -> FxHashSet<(u32, i32)> {
    let of = |process: &SeenProcess| {
        let fds = process.threads.iter().filter_map(waits::call).flat_map(|(_, fds)| fds);
        let pid = process.key.tgid;
        fds.map(move |fd| (pid, fd)).collect::<Vec<_>>()
    };
    look.processes.iter().flat_map(of).collect()
}

/// A connected stream. What was connected and is closing still is one.
fn is_connection(seen: &SeenSocket) -> bool {
    matches!(seen.socket.kind, SOCK_STREAM | SOCK_SEQPACKET)
        && !matches!(seen.socket.state, TCP_LISTEN | TCP_CLOSE)
}

/// Both sides of a socket, its own first.
fn addresses(seen: &SeenSocket) -> (Address, Address) {
    if seen.socket.family == AF_UNIX {
        let unix =
            |name: &Option<String>| name.as_deref().map_or(Address::None, |name| Address::Unix(name.into()));
        return (unix(&seen.name), unix(&seen.peer_name));
    }
    Address::inet(&seen.socket)
}

fn name(address: &Address) -> Option<String> {
    (*address != Address::None).then(|| address.to_string())
}

fn end(entry: &SeenFd) -> &'static str {
    match entry.access {
        (true, false) => "read",
        (false, true) => "write",
        _ => "both",
    }
}
