//! Requests of ptrace(2) and waitpid(2) with signals as plain numbers: a program's real-time signals must
//! pass, and nix knows none of them.

use nix::errno::Errno;
use std::ptr::null_mut;

/// How a stopped thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// Until the next event or signal.
    Go = libc::PTRACE_CONT as isize,
    /// Until the next entry or exit of a system call, too.
    ToCall = libc::PTRACE_SYSCALL as isize,
    /// It stays stopped by job control, and reports when that ends.
    Listen = libc::PTRACE_LISTEN as isize,
    /// Traced no more.
    Detach = libc::PTRACE_DETACH as isize,
}

/// Lets a stopped thread go on, with a signal delivered to it (0: none).
///
/// # Errors
/// `ESRCH` where the thread is gone, which may happen at any moment: it was killed.
pub(super) fn resume(tid: i32, how: Resume, signal: i32) -> nix::Result<()> {
    // SAFETY: no memory is passed; the last argument of these requests is a signal's number.
    let result = unsafe {
        libc::ptrace(how as libc::c_uint, tid, null_mut::<libc::c_void>(), libc::c_long::from(signal))
    };
    Errno::result(result).map(drop)
}

/// The next change of any traced thread, if there is one already; see [`wait`].
///
/// # Errors
/// `ECHILD` where nothing is traced.
pub(super) fn look() -> nix::Result<Option<(i32, i32)>> {
    wait_with(libc::WNOHANG).map(|(tid, status)| (tid != 0).then_some((tid, status)))
}

/// Waits for the next change of any traced thread: its number and its wait status.
///
/// # Errors
/// `ECHILD` where nothing is traced, `EINTR` after a signal.
pub(super) fn wait() -> nix::Result<(i32, i32)> {
    wait_with(0)
}

fn wait_with(options: i32) -> nix::Result<(i32, i32)> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    let tid = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | options) };
    Errno::result(tid).map(|tid| (tid, status))
}

/// The signals that a stopped thread has blocked, a bit each.
///
/// # Errors
/// `ESRCH` where it is gone.
pub(super) fn signal_mask(tid: i32) -> nix::Result<u64> {
    let mut mask = 0;
    mask_with(libc::PTRACE_GETSIGMASK, tid, &mut mask)?;
    Ok(mask)
}

/// Has a stopped thread block these signals.
///
/// # Errors
/// `ESRCH` where it is gone.
pub(super) fn set_signal_mask(tid: i32, mut mask: u64) -> nix::Result<()> {
    mask_with(libc::PTRACE_SETSIGMASK, tid, &mut mask)
}

fn mask_with(request: libc::c_uint, tid: i32, mask: &mut u64) -> nix::Result<()> {
    // SAFETY: the kernel reads or writes as many bytes as it is told, which is the mask's length.
    let result = unsafe { libc::ptrace(request, tid, size_of::<u64>(), mask) };
    Errno::result(result).map(drop)
}
