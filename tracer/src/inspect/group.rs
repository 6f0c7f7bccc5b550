//! Descriptors by what is behind them.

use super::look::{Look, SeenFd};
use forkscope_proto::FileKind;
use rustc_hash::FxHashMap;

/// What tells one thing from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// Its inode.
    Inode(FileKind, u64),
    /// The kernel's number of an eventfd.
    Eventfd(u64),
    /// The open file: what has an anonymous inode has no other identity.
    OpenFile(u32),
    /// Could not be asked: number and content, which a copy made by fork has in common with its original.
    Alike(FileKind, i32, Vec<(i32, Option<u64>)>),
}

/// A descriptor and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'a> {
    /// The process.
    pub(super) pid: u32,
    /// The descriptor.
    pub(super) entry: &'a SeenFd,
}

/// One thing, with all descriptors for it.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// In the order of the processes. Never empty.
    pub(super) held: Vec<Held<'a>>,
}

/// All things of a look, in the order in which they turn up.
pub(super) fn groups(look: &Look) -> Vec<Group<'_>> {
    let mut places: FxHashMap<Identity, usize> = FxHashMap::default();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for process in &look.processes {
        for entry in &process.descriptors {
            let place = *places.entry(identity(entry)).or_insert_with(|| {
                groups.push(Group { held: Vec::new() });
                groups.len() - 1
            });
            groups[place].held.push(Held { pid: process.key.tgid, entry });
        }
    }
    groups
}

fn identity(entry: &SeenFd) -> Identity {
    match (entry.kind, entry.open_file, entry.eventfd.0) {
        (FileKind::Eventfd, _, Some(number)) => Identity::Eventfd(number),
        (FileKind::Eventfd | FileKind::Epoll, Some(file), _) => Identity::OpenFile(file),
        (FileKind::Eventfd | FileKind::Epoll, None, _) => {
            let watches = entry.watches.iter().map(|watch| (watch.fd, watch.inode));
            Identity::Alike(entry.kind, entry.fd, watches.collect())
        }
        (kind, _, _) => Identity::Inode(kind, entry.inode),
    }
}

impl<'a> Group<'a> {
    /// Any of its descriptors: what is behind all of them is the same.
    pub(super) fn any(&self) -> &'a SeenFd {
        self.held[0].entry
    }

    /// Whether more than one process holds it.
    pub(super) fn is_shared(&self) -> bool {
        self.held.iter().any(|held| held.pid != self.held[0].pid)
    }

    /// The processes, one for each descriptor.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.held.iter().map(|held| held.pid).collect()
    }

    /// Numbers for its open files, from 1, for each descriptor; `None` where it could not be asked. One
    /// descriptor alone needs no asking.
    pub(super) fn open_files(&self) -> Vec<Option<u32>> {
        if self.held.len() == 1 {
            return vec![Some(1)];
        }
        let mut seen = Vec::new();
        let number = |held: &Held<'_>| {
            let file = held.entry.open_file?;
            let place = seen.iter().position(|&other| other == file).unwrap_or_else(|| {
                seen.push(file);
                seen.len() - 1
            });
            u32::try_from(place + 1).ok()
        };
        self.held.iter().map(number).collect()
    }
}
