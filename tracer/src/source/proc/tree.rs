//! Which processes there are, and whose children they are.

use super::link::RING;
use super::{numbers, process, to_io};
use crate::event::ProcKey;
use nix::fcntl::readlinkat;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::thread::JoinHandle;

/// `PF_KTHREAD` (include/linux/sched.h).
const KERNEL_THREAD: u32 = 0x0020_0000;

/// A process' number and start.
///
/// # Errors
/// Where there is no such process.
pub fn key(pid: u32) -> io::Result<ProcKey> {
    let start = process(pid)?.stat().map_err(to_io)?.starttime;
    Ok(ProcKey { tgid: pid, start })
}

/// Whether a process has ended: there is none with its number, or another, or only what its
/// parent has not waited for.
#[must_use]
pub fn has_ended(key: ProcKey) -> bool {
    match process(key.tgid).and_then(|process| process.stat().map_err(to_io)) {
        // A leader that ended before its other threads is a zombie, too (proc_pid_stat(5)).
        Ok(stat) => {
            let is_other = key.start != 0 && stat.starttime != key.start;
            is_other || (matches!(stat.state, 'Z' | 'X') && stat.num_threads <= 1)
        }
        // It may end while it is looked at.
        Err(error) => error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH),
    }
}

/// The process that a number belongs to: its own where it is a process', another's where it is a thread's.
///
/// # Errors
/// Where there is neither.
pub fn process_of(tid: u32) -> io::Result<u32> {
    let tgid = process(tid)?.status().map_err(to_io)?.tgid;
    Ok(u32::try_from(tgid).unwrap_or(tid))
}

/// How many threads a process has.
///
/// # Errors
/// Where there is no such process.
pub fn threads(pid: u32) -> io::Result<u32> {
    let threads = process(pid)?.stat().map_err(to_io)?.num_threads;
    Ok(u32::try_from(threads).unwrap_or(1))
}

/// Whether a process has set up io_uring.
#[must_use]
pub fn uses_uring(pid: u32) -> bool {
    let is_ring = |links: &File, _, name: &CStr| (*readlinkat(links, name).ok()? == *RING).then_some(());
    numbers::each(pid, is_ring).is_ok_and(|rings| !rings.is_empty())
}

/// Which of these processes and their descendants have set up io_uring, looked for in a thread of its own.
pub struct Rings(Option<JoinHandle<HashMap<u32, bool>>>);

impl Rings {
    /// Begins to look.
    #[must_use]
    pub fn of(pids: Vec<u32>) -> Self {
        let look = move || {
            let all: BTreeSet<u32> = pids.into_iter().flat_map(with_descendants).collect();
            all.into_iter().map(|pid| (pid, uses_uring(pid))).collect()
        };
        Self(std::thread::Builder::new().spawn(look).ok())
    }

    /// What was found, when that is done; one that is not in it was not looked at.
    #[must_use]
    pub fn found(self) -> HashMap<u32, bool> {
        self.0.and_then(|looking| looking.join().ok()).unwrap_or_default()
    }
}

/// All processes that have a program: kernel threads have no descriptors.
#[must_use]
pub fn all() -> Vec<u32> {
    parents().into_iter().filter(|&(_, (_, kernel))| !kernel).map(|(pid, _)| pid).collect()
}

/// A process and all its descendants, parents before their children, and those by number.
#[must_use]
pub fn with_descendants(pid: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (child, (parent, _)) in parents() {
        children.entry(parent).or_default().push(child);
    }
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(children.remove(&parent).unwrap_or_default());
        at += 1;
    }
    found
}

/// Whether a process is a thread of the kernel.
#[must_use]
pub fn is_kernel_thread(pid: u32) -> bool {
    let stat = process(pid).and_then(|process| process.stat().map_err(to_io));
    stat.is_ok_and(|stat| stat.flags & KERNEL_THREAD != 0)
}

/// Each process' parent, and whether it is a kernel thread.
fn parents() -> BTreeMap<u32, (u32, bool)> {
    let Ok(processes) = procfs::process::all_processes() else { return BTreeMap::new() };
    processes
        .filter_map(|process| {
            let stat = process.ok()?.stat().ok()?;
            let pid = u32::try_from(stat.pid).ok()?;
            Some((pid, (u32::try_from(stat.ppid).ok()?, stat.flags & KERNEL_THREAD != 0)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_has_ended() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat starts");
        let lives = key(child.id()).expect("it is there");
        assert!(!has_ended(lives));
        assert!(has_ended(ProcKey { start: lives.start + 1, ..lives }), "the number is another's");
        drop(child.stdin.take());
        while !has_ended(lives) {
            std::thread::yield_now();
        }
        assert!(key(child.id()).is_ok(), "what is left of it is still there");
        child.wait().expect("it has ended");
        assert!(has_ended(lives));
    }
}
