//! The demo's processes: what they print, how they begin and end.

use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Prints one line, at once: what stayed in a buffer would be copied by a fork, and printed twice.
pub(super) fn say(who: &str, what: impl fmt::Display) {
    let line = format!("[{who} {}] {what}\n", std::process::id());
    let mut stdout = io::stdout().lock();
    // Nobody may be reading; the program has its lesson to give all the same.
    drop(stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()));
}

/// What was tried, and what came of it.
pub(super) type Outcome<T> = Result<T, String>;

/// Says what an error was an answer to.
pub(super) fn tried<T, E: fmt::Display>(what: impl fmt::Display, result: Result<T, E>) -> Outcome<T> {
    result.map_err(|error| format!("{what}: {error}"))
}

/// The exit status of a process of the demo, which says what went wrong.
pub(super) fn status(who: &str, outcome: Outcome<()>) -> i32 {
    outcome.map_or_else(
        |failure| {
            say(who, format_args!("the demo went wrong: {failure}"));
            1
        },
        |()| 0,
    )
}

/// Runs `body` in a forked child, whose exit status it gives. The caller must be the process' only thread
/// that could hold a lock which `body` takes.
pub(super) fn in_child(body: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: the demo runs in a process with no other threads at work, so that no lock is
    // held for ever in the child.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            // The child must never come back into the parent's code, not even by a panic.
            let status = catch_unwind(AssertUnwindSafe(body)).unwrap_or(101);
            // SAFETY: ends the process, without the parent's handlers for its exit.
            unsafe { libc::_exit(status) }
        }
    }
}

/// Waits for a child's end. An error: it ended in another way than with status 0.
pub(super) fn reap(child: Pid) -> io::Result<()> {
    loop {
        return match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, 0)) => Ok(()),
            Ok(WaitStatus::Exited(_, status)) => {
                Err(io::Error::other(format!("it ended with status {status}")))
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => Err(io::Error::other(format!("{signal} ended it"))),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(errno) => Err(errno.into()),
        };
    }
}
