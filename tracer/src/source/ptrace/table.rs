//! The record of a descriptor table as it was when its process left the lean stage: what it did to its table
//! before that was not seen. From the keeper to forkscope, where it becomes a snapshot.

use crate::event::{ProcKey, Snapshot, SnapshotFd};
use forkscope_proto::{FileRef, Header};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Its kind, which is none of the probes'.
pub(super) const KIND: u16 = 0x8000;

/// The fixed part. The command line, and an [`Entry`] with its path for each descriptor, follow.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Table {
    pub(super) header: Header,
    /// The process' name, zero-padded.
    pub(super) comm: [u8; 16],
    /// Its parent.
    pub(super) ppid: u32,
    /// How many threads it has.
    pub(super) threads: u32,
    /// Bytes of its command line.
    pub(super) cmdline: u32,
    /// Zero.
    pub(super) reserved: u32,
}

/// One descriptor, before its path.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Entry {
    file: FileRef,
    fd: i32,
    /// 1: it closes on exec.
    cloexec: u32,
    /// Bytes of its path; [`Entry::NONE`]: it has none.
    path: u32,
    reserved: u32,
}

impl Entry {
    const NONE: u32 = u32::MAX;
}

/// What follows the fixed part.
pub(super) fn payload(cmdline: &[u8], descriptors: &[SnapshotFd]) -> Vec<u8> {
    let mut payload = cmdline.to_vec();
    for SnapshotFd { fd, cloexec, file, path, .. } in descriptors {
        let length = path.as_ref().map_or(Entry::NONE, |path| path.len() as u32);
        let entry = Entry { file: *file, fd: *fd, cloexec: u32::from(*cloexec), path: length, reserved: 0 };
        payload.extend_from_slice(entry.as_bytes());
        payload.extend_from_slice(path.as_deref().unwrap_or_default().as_bytes());
    }
    payload
}

/// Reads a record, where it is one of these: its head, and the process as it says.
pub(super) fn read(record: &[u8]) -> Option<(u64, ProcKey, Snapshot)> {
    let (table, rest) = Table::read_from_prefix(record).ok()?;
    let Header { time, tgid, start, kind, .. } = table.header;
    if kind != KIND {
        return None;
    }
    let (cmdline, mut rest) = rest.split_at_checked(table.cmdline as usize)?;
    let mut descriptors = Vec::new();
    while let Ok((Entry { file, fd, cloexec, path: length, .. }, after)) = Entry::read_from_prefix(rest) {
        let (path, after) = match length {
            Entry::NONE => (None, after),
            length => {
                let (path, after) = after.split_at_checked(length as usize)?;
                (Some(String::from_utf8_lossy(path).into_owned()), after)
            }
        };
        descriptors.push(SnapshotFd { fd, cloexec: cloexec == 1, file, path, socket: None });
        rest = after;
    }
    let snapshot = Snapshot {
        ppid: table.ppid,
        comm: String::from_utf8_lossy(&table.comm).trim_end_matches('\0').to_owned(),
        cmdline: cmdline.to_vec(),
        threads: table.threads,
        descriptors,
        whole: true,
        ..Snapshot::default()
    };
    Some((time, ProcKey { tgid, start }, snapshot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let file = |inode| FileRef { inode, kind: 3, ..FileRef::NONE };
        let entry = |fd, path: Option<&str>| SnapshotFd {
            fd,
            cloexec: fd == 4,
            file: file(fd as u64),
            path: path.map(str::to_owned),
            socket: None,
        };
        let descriptors = [entry(0, None), entry(4, Some("/a path")), entry(7, Some(""))];
        let payload = payload(b"a\0b\0", &descriptors);
        let header = Header { time: 5, start: 6, tgid: 7, kind: KIND, ..Header::default() };
        let mut table = Table { header, ppid: 2, threads: 3, cmdline: 4, ..Table::default() };
        table.comm[..3].copy_from_slice(b"cat");
        let record = [table.as_bytes(), &payload].concat();
        let (time, process, snapshot) = read(&record).expect("a table");
        assert_eq!((time, process), (5, ProcKey { tgid: 7, start: 6 }));
        assert_eq!((snapshot.comm.as_str(), &*snapshot.cmdline), ("cat", &b"a\0b\0"[..]));
        assert_eq!((snapshot.ppid, snapshot.threads, snapshot.whole), (2, 3, true));
        let told = |entry: &SnapshotFd| (entry.fd, entry.cloexec, entry.file, entry.path.clone());
        let [told, written] = [&snapshot.descriptors, &descriptors.to_vec()]
            .map(|entries| entries.iter().map(told).collect::<Vec<_>>());
        assert_eq!(told, written);
    }

    #[test]
    fn another_record_is_none() {
        assert!(read(Header::default().as_bytes()).is_none());
        assert!(read(Table::default().as_bytes()).is_none());
    }
}
