//! How much of what a process does stops it: little, until it may come to own something
//! that forkscope is about.
//!
//! ```text
//!   Lean --it is about to make its first socket, pipe, epoll instance, ..., or a process that shares what it has--> Full
//! ```
//!
//! A process is in a stage by the filters that it has: a second one, on top of the first, only adds stops.
//! Both are inherited and stay for good, so that no child of a process in the full stage is in the lean one.

use forkscope_proto::process::{CLONE_FILES, CLONE_THREAD, CLONE_VFORK, CLONE_VM};
use forkscope_proto::{Enter, FileKind, Gate, Shape, calls};

/// A stage, as one of the two filters makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Only calls stop by which a process leaves this stage, or makes a thread or a process.
    Lean,
    /// All calls of the table stop.
    Full,
}

/// Calls that make a first endpoint: what a process has of these, and its children with it, is what findings
/// are about. Others come only over a socket (recvmsg(2)) or an io_uring.
const MAKERS: [u16; 10] = [
    calls::SOCKET,
    calls::SOCKETPAIR,
    calls::PIPE,
    calls::PIPE2,
    calls::EPOLL_CREATE,
    calls::EPOLL_CREATE1,
    calls::EVENTFD,
    calls::EVENTFD2,
    calls::IO_URING_SETUP,
    calls::PIDFD_GETFD,
];

impl Stage {
    /// What tells a stop of this stage's filter from those of a program's own (`SECCOMP_RET_DATA`,
    /// seccomp(2)). Of two filters that stop a call the newer one's is told.
    pub(super) const fn mark(self) -> u32 {
        match self {
            Self::Lean => 0xf05d,
            Self::Full => 0xf05c,
        }
    }

    /// The stage of a thread that stopped with this mark; `None`: no filter of forkscope's stopped it.
    pub(super) fn of(mark: u32) -> Option<Self> {
        [Self::Lean, Self::Full].into_iter().find(|stage| stage.mark() == mark)
    }

    /// The stage for a program that inherits descriptors of these kinds, and an io_uring or none.
    pub(super) fn at_start(inherited: impl IntoIterator<Item = FileKind>, uring: bool) -> Self {
        // A pipe that a program was given leads to others: it is none by which it wakes itself.
        let counts = |kind| matches!(kind, FileKind::Socket | FileKind::Epoll | FileKind::Eventfd);
        if uring || inherited.into_iter().any(counts) { Self::Full } else { Self::Lean }
    }

    /// Whether a call of the table stops, where its arguments are as the gate wants them.
    pub(super) fn stops(self, number: u16) -> Option<Gate> {
        let spec = calls::SPECS.get(usize::from(number))?;
        // Those that make threads and processes, whatever comes of them, for the time when they begin.
        let makes_tasks = spec.shape == Shape::Ignored && spec.enter == Enter::Time;
        let stops = makes_tasks
            || match self {
                Self::Full => spec.shape != Shape::Ignored,
                Self::Lean => MAKERS.contains(&number) || is_unsharing(number),
            };
        stops.then_some(spec.gate)
    }
}

/// Calls that give a thread a descriptor table of its own, if their arguments say so.
pub(super) fn is_unsharing(number: u16) -> bool {
    matches!(number, calls::UNSHARE | calls::CLOSE_RANGE)
}

/// The flags of a call that makes a thread or a process, where it is one: its first argument,
/// and what that points to.
pub(super) fn clone_flags(number: u64, first: u64, pointed: impl FnOnce() -> Option<u64>) -> Option<u64> {
    /// The exit signal in clone's flags (`CSIGNAL`, clone(2)).
    const EXIT_SIGNAL: u64 = 0xff;
    match u16::try_from(number).ok()? {
        calls::CLONE => Some(first & !EXIT_SIGNAL),
        calls::CLONE3 => Some(pointed().unwrap_or(0)),
        calls::FORK => Some(0),
        calls::VFORK => Some(CLONE_VFORK | CLONE_VM),
        _ => None,
    }
}

/// Whether a process of so many threads leaves the lean stage before it makes a thread or a
/// process with these flags.
pub(super) fn clone_ends_lean(flags: u64, threads: u32) -> bool {
    let (is_thread, shares) = (flags & CLONE_THREAD != 0, flags & CLONE_FILES != 0);
    // What one does to a table that two processes have is the other's as well, and a thread with one of its
    // own has what its process does not have.
    let odd_tables = is_thread != shares;
    // Whether such a child goes on is told by all that it does.
    let may_stand_still = !is_thread && threads > 1 && flags & CLONE_VM == 0;
    odd_tables || may_stand_still
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_inherits_decides_where_it_starts() {
        use FileKind::{CharDevice, Epoll, Eventfd, Pipe, Regular, Socket};
        for (inherited, uring, expected) in [
            (vec![CharDevice, Pipe, Regular], false, Stage::Lean),
            (vec![], true, Stage::Full),
            (vec![CharDevice, Socket], false, Stage::Full),
            (vec![Epoll], false, Stage::Full),
            (vec![Eventfd], false, Stage::Full),
        ] {
            assert_eq!(Stage::at_start(inherited.clone(), uring), expected, "{inherited:?}");
        }
    }

    #[test]
    fn marks_tell_the_stages_apart() {
        for stage in [Stage::Lean, Stage::Full] {
            assert_eq!(Stage::of(stage.mark()), Some(stage));
        }
        assert_eq!(Stage::of(0), None);
    }

    #[test]
    fn the_flags_of_what_makes_tasks() {
        let none = || None;
        assert_eq!(clone_flags(calls::CLONE.into(), 0x411, none), Some(0x400));
        assert_eq!(clone_flags(calls::CLONE3.into(), 8, || Some(CLONE_FILES)), Some(CLONE_FILES));
        assert_eq!(clone_flags(calls::CLONE3.into(), 8, none), Some(0));
        assert_eq!(clone_flags(calls::FORK.into(), 7, none), Some(0));
        assert_eq!(clone_flags(calls::VFORK.into(), 7, none), Some(CLONE_VFORK | CLONE_VM));
        assert_eq!(clone_flags(calls::SOCKET.into(), 7, none), None);
        assert_eq!(clone_flags(u64::MAX, 7, none), None);
    }

    #[test]
    fn who_shares_a_table_or_loses_threads_leaves_the_lean_stage() {
        let thread = CLONE_THREAD | CLONE_VM;
        for (flags, threads, expected) in [
            (0, 1, false),
            (0, 2, true),
            (CLONE_VFORK | CLONE_VM, 8, false),
            (CLONE_FILES, 1, true),
            (CLONE_FILES | CLONE_VM, 1, true),
            (thread | CLONE_FILES, 1, false),
            (thread | CLONE_FILES, 8, false),
            (thread, 1, true),
        ] {
            assert_eq!(clone_ends_lean(flags, threads), expected, "{flags:#x} {threads}");
        }
    }
}
