//! Where a thread was in its program, before it is known what its addresses mean. No event: the analyser is
//! told the names, and only where it asks.

use super::ProcKey;
use crate::report::{Frame, Moment};
use forkscope_proto::StackAt;
use serde::{Deserialize, Serialize};

/// Registers and the top of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenStack {
    /// Nanoseconds of `CLOCK_MONOTONIC`; a little before the event that it belongs to.
    pub time: u64,
    /// Whose.
    pub process: ProcKey,
    /// Which of its threads.
    pub tid: u32,
    /// What it was doing.
    pub at: StackAt,
    /// By which call; 0: not known.
    pub nr: u16,
    /// On which descriptor; -1: on none.
    pub fd: i32,
    /// Program counter, stack pointer and frame pointer.
    pub registers: [u64; 3],
    /// The memory from the stack pointer on.
    pub bytes: Box<[u8]>,
}

/// A moment of which somebody wants the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackOf {
    /// The first connect of a process on a number since it opened a socket there.
    Connect {
        /// Who.
        process: ProcKey,
        /// On which number.
        fd: i32,
        /// When it was opened.
        since: u64,
    },
    /// The fork that made a process.
    Fork {
        /// The new one.
        child: ProcKey,
    },
    /// A call that has failed.
    Failed {
        /// Who made it.
        process: ProcKey,
        /// Which of its threads.
        tid: u32,
        /// Which call.
        nr: u16,
        /// When it ended.
        time: u64,
    },
    /// Now: a process that stands still.
    Standing {
        /// Which.
        process: ProcKey,
    },
}

/// A stack whose addresses have become names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedStack {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// What it was doing.
    pub at: Moment,
    /// The frames, innermost first.
    pub frames: Vec<Frame>,
}
