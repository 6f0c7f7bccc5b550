//! What sockets are, as the kernel's tables tell it.

use super::net_line;
use crate::event::SnapshotFd;
use crate::inspect::SeenSocket;
use crate::source::diag::{Diag, Table, namespace};
use forkscope_proto::net::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM};
use forkscope_proto::{FileKind, Socket};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};

/// The tables with their names in /proc/PID/net, those of connections first.
const TABLES: [(&str, Table); 5] = [
    ("tcp", Table::Inet { family: AF_INET, kind: SOCK_STREAM, protocol: IPPROTO_TCP }),
    ("tcp6", Table::Inet { family: AF_INET6, kind: SOCK_STREAM, protocol: IPPROTO_TCP }),
    ("unix", Table::Unix),
    ("udp", Table::Inet { family: AF_INET, kind: SOCK_DGRAM, protocol: IPPROTO_UDP }),
    ("udp6", Table::Inet { family: AF_INET6, kind: SOCK_DGRAM, protocol: IPPROTO_UDP }),
];

/// What the tables told.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Sockets by inode; `None` until a table has told.
    sockets: FxHashMap<u64, Option<SeenSocket>>,
    missing: usize,
    /// Processes whose network namespace could not be entered: /proc told of it, which knows less.
    pub(super) by_proc: Vec<u32>,
}

/// Fills in what the sockets of a process are, as the tables of its own network namespace tell it. They do
/// not list a TCP or UDP socket that is neither bound nor connected, one of another family, or one made in
/// another namespace: those stay `None`.
pub(super) fn describe(pid: u32, descriptors: &mut [SnapshotFd]) {
    let inode = |entry: &SnapshotFd| (entry.file.kind() == FileKind::Socket).then_some(entry.file.inode);
    let mut told = look_up(&[pid], descriptors.iter().filter_map(inode));
    for entry in descriptors {
        // Two descriptors may have one socket.
        if let Some(seen) = inode(entry).and_then(|inode| told.sockets.get_mut(&inode)?.as_ref()) {
            entry.socket = Some(Socket { file: entry.file, ..seen.socket });
            entry.path.clone_from(if seen.name.is_some() { &seen.name } else { &seen.peer_name });
        }
    }
}

/// What these sockets are, by the tables of the network namespaces of these processes.
pub(super) fn look_up(pids: &[u32], inodes: impl Iterator<Item = u64>) -> Told {
    let mut told = Told { sockets: inodes.map(|inode| (inode, None)).collect(), ..Told::default() };
    told.missing = told.sockets.len();
    let (mut namespaces, mut closed) = (FxHashSet::default(), Vec::new());
    for &pid in pids {
        let number = namespace::number(pid);
        if told.missing > 0 && namespaces.insert(number) {
            match Diag::of(pid) {
                Ok(diag) => told.read(pid, number, Some(&diag)),
                Err(_) => closed.push((pid, number)),
            }
        }
    }
    // What /proc tells is less: it comes last.
    for (pid, number) in closed {
        if told.missing > 0 {
            told.by_proc.push(pid);
            told.read(pid, number, None);
        }
    }
    told
}

impl Told {
    /// The sockets that a table told of.
    pub(super) fn sockets(self) -> FxHashMap<u64, SeenSocket> {
        self.sockets.into_iter().filter_map(|(inode, seen)| Some((inode, seen?))).collect()
    }

    /// Goes through the tables of one namespace, as long as something is missing.
    fn read(&mut self, pid: u32, netns: u32, diag: Option<&Diag>) {
        for (name, table) in TABLES {
            if self.missing == 0 {
                return;
            }
            // Names of unix sockets: a client's own has none, its peer's has.
            let mut names: FxHashMap<u64, String> = FxHashMap::default();
            let mut take = |told: &mut Self, inode: u64, mut seen: SeenSocket| {
                if let Some(name) = &seen.name {
                    names.insert(inode, name.clone());
                }
                seen.socket.netns = netns;
                told.take(inode, seen);
            };
            // A kernel may be built without the part for one family.
            let listed =
                diag.is_some_and(|diag| diag.each(table, |inode, seen| take(self, inode, seen)).is_ok());
            if !listed {
                lines(pid, name, |line| {
                    if let Some((inode, seen)) = net_line::read(line, table) {
                        take(self, inode, seen);
                    }
                });
            }
            if !names.is_empty() {
                self.name_peers(&names);
            }
        }
    }

    /// The first word stands: a name with line breaks must not speak for another table's socket.
    fn take(&mut self, inode: u64, seen: SeenSocket) {
        if let Some(known @ None) = self.sockets.get_mut(&inode) {
            *known = Some(seen);
            self.missing -= 1;
        }
    }

    fn name_peers(&mut self, names: &FxHashMap<u64, String>) {
        for seen in self.sockets.values_mut().flatten().filter(|seen| seen.peer_name.is_none()) {
            seen.peer_name = names.get(&seen.socket.peer).cloned();
        }
    }
}

/// Hands on each line of a table in /proc.
fn lines(pid: u32, table: &str, mut line: impl FnMut(&[u8])) {
    let Ok(file) = File::open(format!("/proc/{pid}/net/{table}")) else { return };
    let mut lines = BufReader::with_capacity(1 << 16, file);
    let mut text = Vec::with_capacity(256);
    while lines.read_until(b'\n', &mut text).is_ok_and(|length| length > 0) {
        line(&text);
        text.clear();
    }
}
