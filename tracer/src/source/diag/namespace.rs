//! Doing something in a process' network namespace. What is made there stays there: a
//! socket keeps its namespace.

use nix::sched::{CloneFlags, setns};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;

/// The number of a process' network namespace; 0 where it is not told. The kernel's numbers have 32 bits.
pub(crate) fn number(pid: u32) -> u32 {
    let link = fs::metadata(format!("/proc/{pid}/ns/net"));
    link.map_or(0, |data| u32::try_from(data.ino()).unwrap_or(0))
}

/// Does it here where that is the process' namespace already; else in a thread that enters the namespace and
/// ends: which one a thread is in, is its own affair (setns(2)).
pub(super) fn within<T: Send>(pid: u32, make: impl FnOnce() -> T + Send) -> io::Result<T> {
    let there = number(pid);
    if there == number(std::process::id()) {
        return if there == 0 { Err(io::ErrorKind::NotFound.into()) } else { Ok(make()) };
    }
    let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
    let enter = || -> io::Result<T> {
        setns(&namespace, CloneFlags::CLONE_NEWNET)?;
        Ok(make())
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, enter)?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended early")))
    })
}
