//! What a wait status says about a traced thread (ptrace(2), "Stopped states").
//!
//! ```text
//!   running --entry or exit of a call--> Call        running --fork, clone--> Born
//!   running --a call that the filter names--> Filter running --exec--> Executed
//!   running --a signal is due--> Signal(n)           running --SIGSTOP, SIGTSTP, ...--> Group(n)
//!   running --first stop, PTRACE_INTERRUPT, SIGCONT after Group--> Trap
//!   any of these, by SIGKILL or exit--> Ended(status)
//! ```

/// The event of a stop that seizing brings with it (include/uapi/linux/ptrace.h).
const PTRACE_EVENT_STOP: i32 = 128;
/// What `PTRACE_O_TRACESYSGOOD` adds to the signal of a system call's stop.
const SYSCALL_GOOD: i32 = 0x80;

/// What happened to a traced thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It has ended; the wait status is that of wait(2).
    Ended(i32),
    /// It enters or leaves a system call.
    Call,
    /// It enters a system call that the filter names.
    Filter,
    /// It made a thread or a process.
    Born,
    /// Its process executed a program.
    Executed,
    /// It is stopped by job control, with this signal.
    Group(i32),
    /// It stops because of the tracer, or goes on after job control.
    Trap,
    /// A signal is about to be delivered to it.
    Signal(i32),
}

impl Stop {
    /// Reads a wait status.
    pub(super) fn read(status: i32) -> Self {
        if !libc::WIFSTOPPED(status) {
            return Self::Ended(status);
        }
        let signal = libc::WSTOPSIG(status);
        match status >> 16 {
            0 if signal == libc::SIGTRAP | SYSCALL_GOOD => Self::Call,
            0 => Self::Signal(signal),
            libc::PTRACE_EVENT_SECCOMP => Self::Filter,
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => Self::Born,
            libc::PTRACE_EVENT_EXEC => Self::Executed,
            PTRACE_EVENT_STOP if signal != libc::SIGTRAP => Self::Group(signal),
            _ => Self::Trap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_told_apart() {
        let stopped = |event: i32, signal: i32| event << 16 | signal << 8 | 0x7f;
        for (status, expected) in [
            (0, Stop::Ended(0)),
            (7 << 8, Stop::Ended(7 << 8)),
            (libc::SIGKILL, Stop::Ended(libc::SIGKILL)),
            (stopped(0, libc::SIGTRAP | 0x80), Stop::Call),
            (stopped(0, libc::SIGTRAP), Stop::Signal(libc::SIGTRAP)),
            (stopped(0, libc::SIGSTOP), Stop::Signal(libc::SIGSTOP)),
            (stopped(0, 40), Stop::Signal(40)),
            (stopped(libc::PTRACE_EVENT_SECCOMP, libc::SIGTRAP), Stop::Filter),
            (stopped(libc::PTRACE_EVENT_VFORK, libc::SIGTRAP), Stop::Born),
            (stopped(libc::PTRACE_EVENT_CLONE, libc::SIGTRAP), Stop::Born),
            (stopped(libc::PTRACE_EVENT_EXEC, libc::SIGTRAP), Stop::Executed),
            (stopped(128, libc::SIGTTIN), Stop::Group(libc::SIGTTIN)),
            (stopped(128, libc::SIGTRAP), Stop::Trap),
        ] {
            assert_eq!(Stop::read(status), expected, "{status:#x}");
        }
    }
}
