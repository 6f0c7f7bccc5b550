//! A process that a program forks.

use nix::unistd::{ForkResult, Pid, fork};

/// A child that does this and ends.
pub(super) fn child(work: impl FnOnce()) -> Pid {
    // SAFETY: the child does its work, which makes system calls only, and ends without running
    // anything of the parent's.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            work();
            // SAFETY: ends at once.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => child,
    }
}
