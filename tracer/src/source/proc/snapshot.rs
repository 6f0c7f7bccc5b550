//! A process and its descriptor table, in one look.

use super::{cmdline, descriptors, key, process, sockets, to_io};
use crate::event::{ProcKey, Snapshot};
use std::io;

/// A process as /proc shows it now.
///
/// # Errors
/// Where it does not exist, has ended meanwhile, or may not be looked at.
pub fn snapshot(pid: u32) -> io::Result<(ProcKey, Snapshot)> {
    let stat = process(pid)?.stat().map_err(to_io)?;
    let seen = ProcKey { tgid: pid, start: stat.starttime };
    let cmdline = cmdline(pid);
    let (mut descriptors, uring) = descriptors::of(pid)?;
    sockets::describe(pid, &mut descriptors);
    // The number may have become another process' meanwhile.
    if key(pid)? != seen {
        return Err(io::ErrorKind::NotFound.into());
    }
    let snapshot = Snapshot {
        ppid: u32::try_from(stat.ppid).unwrap_or(0),
        comm: stat.comm,
        cmdline,
        threads: u32::try_from(stat.num_threads).unwrap_or(1).max(1),
        descriptors,
        started_here: false,
        uring,
        whole: true,
    };
    Ok((seen, snapshot))
}
