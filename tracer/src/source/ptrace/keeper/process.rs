//! What the keeper knows of a traced process and of each of its threads.

use super::calls::Begun;

/// Which calls of a process stop it.
///
/// ```text
///   AwaitsFilter --its seccomp(2) succeeds--> Filtered --it installs a filter of its own--> Every
///        |                                       `---the whole filter is refused to it-----^
///        `------------it executes a program without------------------------------------------^
/// ```
///
/// Which calls a filter names is the stage's to say ([`Stage`](super::super::stage::Stage)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each one, at its entry and its exit.
    Every,
    /// As `Every`, until forkscope's filter is installed.
    AwaitsFilter,
    /// Those that the filter names, at their entry.
    Filtered,
}

/// Whether what this keeper traces has forkscope's filter: a keeper has one program with all its descendants,
/// or processes that were attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// No: whatever is let go goes on.
    None,
    /// The program is about to install it.
    Awaited,
    /// Yes, for good: calls that it names fail when nobody traces.
    Installed,
}

/// A process.
#[derive(Clone, Debug)]
pub(super) struct Process {
    /// Start in clock ticks since boot, as in /proc/PID/stat.
    pub(super) start: u64,
    /// How many of its threads are traced.
    pub(super) threads: u32,
    pub(super) mode: Mode,
    /// The keeper has had all its threads leave the lean stage: one that its filter still
    /// stops had stopped before.
    pub(super) full: bool,
    /// Its 32-bit calls have been told.
    pub(super) compat: bool,
    /// It was forked while traced, and has executed no program since.
    pub(super) forked: bool,
    /// It does not let its descriptors be looked at, which has been told.
    pub(super) hidden: bool,
    /// The errno with which the filter was refused.
    pub(super) refused: i32,
}

impl Process {
    pub(super) fn new(start: u64, mode: Mode) -> Self {
        Self { start, threads: 1, mode, full: false, compat: false, forked: false, hidden: false, refused: 0 }
    }
}

/// A thread.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Its process.
    pub(super) tgid: u32,
    /// The call that it is in, where its end is wanted.
    pub(super) begun: Option<Begun>,
    /// It is in a call that installs a filter.
    pub(super) filtering: bool,
    /// When it entered the last call that stopped it; 0: none did.
    pub(super) entered: u64,
    /// It is to be let go at its next stop.
    pub(super) leaving: bool,
    /// It has not stopped yet since it was seized.
    pub(super) fresh: bool,
    /// Memory that it has for the whole filter, while it installs that; 0: none.
    pub(super) page: u64,
}

impl Task {
    pub(super) fn new(tgid: u32) -> Self {
        Self { tgid, begun: None, filtering: false, entered: 0, leaving: false, fresh: false, page: 0 }
    }
}
