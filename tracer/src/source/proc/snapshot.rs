//! A process and its descriptor table, in one look.

use super::{cmdline, descriptors, glance, key, process, sockets, to_io};
use crate::event::{ProcKey, Snapshot};
use procfs::process::Stat;
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
    let copied_from = copied_from(&stat, pid);
    let snapshot = Snapshot {
        ppid: u32::try_from(stat.ppid).unwrap_or(0),
        comm: stat.comm,
        cmdline,
        threads: u32::try_from(stat.num_threads).unwrap_or(1).max(1),
        descriptors,
        started_here: false,
        uring,
        whole: true,
        copied_from,
    };
    Ok((seen, snapshot))
}

/// How many threads the parent of a process has that are older than it, where it is a copy of its parent.
///
/// Each exec lays memory out anew (`load_elf_binary`, fs/binfmt_elf.c), and a fork copies it:
/// whose stack, heap and arguments begin where its parent's do has executed nothing since. Where
/// that may not be seen they are 0.
fn copied_from(stat: &Stat, pid: u32) -> Option<u32> {
    let parent = u32::try_from(stat.ppid).ok()?;
    let of_parent = process(parent).ok()?.stat().ok()?;
    let layout = |stat: &Stat| (stat.startcode, stat.startstack, stat.start_brk, stat.arg_start);
    let is_copy = stat.startstack != 0 && layout(stat) == layout(&of_parent);
    if !is_copy || of_parent.num_threads < 2 || have_one_memory(parent, pid) {
        return None;
    }
    let older = glance::parent_threads(parent, ProcKey { tgid: pid, start: stat.starttime }).ok()?;
    u32::try_from(older.len()).ok()
}

/// Whether two processes have the same memory, or that may not be asked.
fn have_one_memory(pid: u32, other: u32) -> bool {
    /// `KCMP_VM` (include/uapi/linux/kcmp.h).
    const VM: libc::c_ulong = 1;
    const NOTHING: libc::c_ulong = 0;
    let [pid, other] = [pid, other].map(libc::c_ulong::from);
    // SAFETY: the call takes plain numbers, and changes nothing.
    let result = unsafe { libc::syscall(libc::SYS_kcmp, pid, other, VM, NOTHING, NOTHING) };
    // Others are an order among different ones (kcmp(2)).
    !matches!(result, 1..=3)
}

#[cfg(test)]
mod tests;
