//! Stopping a process and letting it go on: the one thing that forkscope does to
//! others, where users ask for it.

use super::thread::Stat;
use super::{at_most, key};
use crate::event::ProcKey;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The most that is read of a stat file, in bytes.
const MOST: u64 = 4096;

/// Sends a signal to the process with this number and this start, and to no other that has the number by now.
///
/// # Errors
/// `ESRCH` where it is gone.
pub fn signal(process: ProcKey, signal: Signal) -> io::Result<()> {
    // SAFETY: no memory is passed.
    let pidfd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, process.tgid, 0) })?;
    // SAFETY: the kernel has just made it, and nobody else knows it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as i32) };
    // Asked when the number can be no other's any more (pidfd_open(2)).
    if key(process.tgid)? != process {
        return Err(Errno::ESRCH.into());
    }
    let (fd, none) = (pidfd.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
    // SAFETY: the signal's information is left to the kernel.
    Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal as i32, none, 0) })?;
    Ok(())
}

/// Whether forkscope may send signals to processes of all users.
#[must_use]
pub fn may_signal_all() -> bool {
    /// `CAP_KILL`.
    const KILL: u32 = 5;
    has_capability(KILL)
}

/// Whether forkscope has a capability, by its number (capabilities(7), include/uapi/linux/capability.h).
#[must_use]
pub fn has_capability(number: u32) -> bool {
    let status = super::process(std::process::id()).and_then(|own| own.status().map_err(super::to_io));
    status.is_ok_and(|status| status.capeff >> number & 1 == 1)
}

/// Whether a process is stopped, by a signal or under a tracer; `None`: it is gone.
#[must_use]
pub fn is_stopped(process: ProcKey) -> Option<bool> {
    if key(process.tgid).ok()? != process {
        return None;
    }
    // A leader may have ended before its other threads.
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.tgid)).ok()?.flatten();
    let stat = |path: &std::path::Path| Stat::read(&at_most(MOST, path.to_str()?).ok()?);
    let states = tasks.filter_map(|task| Some(stat(&task.path().join("stat"))?.state));
    let mut living = states.filter(|state| !matches!(state, b'Z' | b'X')).peekable();
    living.peek()?;
    // Threads stop one after another.
    Some(living.any(|state| matches!(state, b'T' | b't')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    fn until(mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !holds() {
            assert!(Instant::now() < end, "never");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_process_is_stopped_and_goes_on_and_no_other() {
        let mut cat = Command::new("cat").stdin(Stdio::piped()).spawn().expect("there is a cat");
        let process = key(cat.id()).expect("lives");
        let other = ProcKey { start: process.start + 1, ..process };
        assert_eq!(is_stopped(process), Some(false));
        assert!(signal(other, Signal::SIGKILL).is_err());
        signal(process, Signal::SIGSTOP).expect("own child");
        until(|| is_stopped(process) == Some(true));
        assert_eq!(is_stopped(other), None);
        signal(process, Signal::SIGCONT).expect("own child");
        until(|| is_stopped(process) == Some(false));
        drop(cat.stdin.take());
        assert!(cat.wait().expect("own child").success());
        assert_eq!(is_stopped(process), None);
    }
}
