//! What the keeper knows of a traced process and of each of its threads.

use super::calls::Begun;

/// Which calls of a process stop it.
///
/// ```text
///   AwaitsFilter --its seccomp(2) succeeds--> Filtered --it installs a filter of its own--> Every
///        `------------it executes a program without------------------------------------------^
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Each one, at its entry and its exit.
    Every,
    /// As `Every`, until forkscope's filter is installed.
    AwaitsFilter,
    /// Those that the filter names, at their entry.
    Filtered,
}

/// A process.
#[derive(Clone, Debug)]
pub(super) struct Process {
    /// Start in clock ticks since boot, as in /proc/PID/stat.
    pub(super) start: u64,
    /// How many threads it has.
    pub(super) threads: u32,
    pub(super) mode: Mode,
    /// It has forkscope's filter, for good: calls that the filter names fail when nobody traces.
    pub(super) filtered: bool,
    /// Its 32-bit calls have been told.
    pub(super) compat: bool,
    /// The errno with which the filter was refused.
    pub(super) refused: i32,
}

impl Process {
    pub(super) fn new(start: u64) -> Self {
        Self { start, threads: 1, mode: Mode::Every, filtered: false, compat: false, refused: 0 }
    }
}

/// A thread.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// Its process.
    pub(super) tgid: u32,
    /// The call that it is in, where its end is wanted.
    pub(super) begun: Option<Begun>,
    /// A call that may install a filter, where it is in one: its number.
    pub(super) filtering: bool,
    /// It is to be let go at its next stop.
    pub(super) leaving: bool,
    /// It has not stopped yet since it was seized.
    pub(super) fresh: bool,
}

impl Task {
    pub(super) fn new(tgid: u32) -> Self {
        Self { tgid, begun: None, filtering: false, leaving: false, fresh: false }
    }
}
