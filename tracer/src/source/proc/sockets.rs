//! What the sockets among a process' descriptors are.

use super::net_line::{self, Inet};
use crate::event::SnapshotFd;
use forkscope_proto::{FileKind, Socket};
use rustc_hash::FxHashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;

/// The internet tables, with what they list.
const INET: [(&str, Inet); 4] = [
    ("tcp", Inet { family: 2, kind: 1, protocol: 6 }),
    ("tcp6", Inet { family: 10, kind: 1, protocol: 6 }),
    ("udp", Inet { family: 2, kind: 2, protocol: 17 }),
    ("udp6", Inet { family: 10, kind: 2, protocol: 17 }),
];

/// Sockets by inode, with the name of those that have one; `None` until a table has told.
struct Wanted {
    sockets: FxHashMap<u64, Option<(Socket, Option<String>)>>,
    missing: usize,
}

/// Fills in what the sockets are, as the tables of the process' own network namespace tell it. They do not
/// list a TCP or UDP socket that is neither bound nor connected, one of another family, or one made in
/// another namespace: those stay `None`.
pub(super) fn describe(pid: u32, descriptors: &mut [SnapshotFd]) {
    let sockets: FxHashMap<_, _> = descriptors.iter().filter_map(inode).map(|inode| (inode, None)).collect();
    if sockets.is_empty() {
        return;
    }
    let mut wanted = Wanted { missing: sockets.len(), sockets };
    for (table, has) in &INET[..2] {
        wanted
            .read(pid, table, |line| net_line::inet(line, *has).map(|(inode, socket)| (inode, socket, None)));
    }
    wanted.read(pid, "unix", net_line::unix);
    for (table, has) in &INET[2..] {
        wanted
            .read(pid, table, |line| net_line::inet(line, *has).map(|(inode, socket)| (inode, socket, None)));
    }
    let netns = netns(pid);
    for entry in descriptors {
        let told = inode(entry).and_then(|inode| wanted.sockets.get(&inode)?.as_ref());
        if let Some((socket, name)) = told {
            entry.socket = Some(Socket { file: entry.file, netns, ..*socket });
            entry.path.clone_from(name);
        }
    }
}

impl Wanted {
    /// Goes through a table once, as long as something is missing.
    fn read(
        &mut self,
        pid: u32,
        table: &str,
        parse: impl Fn(&[u8]) -> Option<(u64, Socket, Option<String>)>,
    ) {
        let Some(Ok(file)) = (self.missing > 0).then(|| File::open(format!("/proc/{pid}/net/{table}")))
        else {
            return;
        };
        let mut lines = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::with_capacity(256);
        while self.missing > 0 && lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            // The first word stands: a name with line breaks must not speak for another table's socket.
            if let Some((inode, socket, name)) = parse(&line)
                && let Some(known @ None) = self.sockets.get_mut(&inode)
            {
                *known = Some((socket, name));
                self.missing -= 1;
            }
            line.clear();
        }
    }
}

fn inode(entry: &SnapshotFd) -> Option<u64> {
    (entry.file.kind() == FileKind::Socket).then_some(entry.file.inode)
}

/// The inode of the process' network namespace; 0 where it is not told. The kernel's numbers have 32 bits.
fn netns(pid: u32) -> u32 {
    fs::metadata(format!("/proc/{pid}/ns/net")).map_or(0, |data| u32::try_from(data.ino()).unwrap_or(0))
}
