//! A process and its descriptor table, in one look.

use super::{descriptors, process, sockets, to_io};
use crate::event::{ProcKey, Snapshot};
use forkscope_proto::FileKind;
use std::io;

/// The most of a command line that is kept, in bytes.
const MOST_CMDLINE: usize = 4096;

/// A process as /proc shows it now.
///
/// # Errors
/// Where it does not exist, has ended meanwhile, or may not be looked at.
pub fn snapshot(pid: u32) -> io::Result<(ProcKey, Snapshot)> {
    let process = process(pid)?;
    let stat = process.stat().map_err(to_io)?;
    let mut cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    cmdline.truncate(MOST_CMDLINE);
    let mut descriptors = descriptors::of(pid)?;
    if descriptors.iter().any(|entry| entry.file.kind() == FileKind::Socket) {
        let known = sockets::of(&process);
        for entry in &mut descriptors {
            if let Some((socket, path)) = known.get(&entry.file.inode) {
                entry.socket = Some(forkscope_proto::Socket { file: entry.file, ..*socket });
                entry.path.clone_from(path);
            }
        }
    }
    let snapshot = Snapshot {
        ppid: u32::try_from(stat.ppid).unwrap_or(0),
        comm: stat.comm,
        cmdline,
        threads: u32::try_from(stat.num_threads).unwrap_or(1),
        descriptors,
        started_here: false,
        whole: true,
    };
    Ok((ProcKey { tgid: pid, start: stat.starttime }, snapshot))
}
