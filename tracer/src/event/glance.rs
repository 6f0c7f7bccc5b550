//! A glance at a child, as data: what its threads were doing at one moment, and how
//! much they had done by then.

use serde::{Deserialize, Serialize};

/// The most threads of a child that are looked at. One with more is not judged.
pub const MOST_THREADS: usize = 32;
/// The most threads of a parent that are looked at.
pub const MOST_PARENT_THREADS: usize = 128;
/// The most descriptors that are taken of one epoll instance, or of one list of a `poll`.
pub const MOST_WATCHED: usize = 64;

/// What /proc showed of a process that a process with several threads had forked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    /// Its threads, by number, at most [`MOST_THREADS`].
    pub threads: Vec<GlancedThread>,
    /// It has more of them.
    pub more: bool,
    /// Bytes that it has read and written in all, whatever from and to (`rchar` and `wchar`, proc_pid_io(5)).
    pub moved: Option<u64>,
    /// The signals that it catches: bit N-1 is signal N (`SigCgt`, proc_pid_status(5)).
    pub caught: u64,
    /// The threads that its parent had had before the fork and has still, at most [`MOST_PARENT_THREADS`].
    /// `None`: they were not looked at.
    pub parent: Option<Vec<ParentThread>>,
}

impl Glance {
    /// Can /proc have shown this? A recording may say anything.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        // 15 bytes (`TASK_COMM_LEN`, include/linux/sched.h), each of which may have become
        // a replacement character.
        const MOST_NAME: usize = 3 * 15;
        let watched = |thread: &GlancedThread| match &thread.on {
            WaitsOn::Epoll(Some(watched)) => watched.len(),
            WaitsOn::Poll(list) => list.len(),
            _ => 0,
        };
        let parent = self.parent.as_deref().unwrap_or_default();
        self.threads.len() <= MOST_THREADS
            && self.threads.iter().all(|thread| watched(thread) <= MOST_WATCHED)
            && parent.len() <= MOST_PARENT_THREADS
            && parent.iter().all(|thread| thread.comm.len() <= MOST_NAME)
    }
}

/// A thread of the child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlancedThread {
    /// Its number.
    pub tid: u32,
    /// Processor time that it has used, in clock ticks (proc_pid_stat(5)).
    pub ticks: u64,
    /// How often it has begun to wait (`voluntary_ctxt_switches`, proc_pid_status(5)).
    pub switches: u64,
    /// The call that it is in; `None`: it runs, or a tracer has stopped it, or that may not be seen.
    pub call: Option<SeenCall>,
    /// What more there is to know of the call. Only where the child was looked at closely.
    pub on: WaitsOn,
}

/// A system call that has not returned yet (proc_pid_syscall(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCall {
    /// Its number.
    pub nr: u64,
    /// Its arguments.
    pub args: [u64; 6],
}

/// What a call waits on, beyond its arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitsOn {
    /// It was not looked at, or there is no more to see.
    #[default]
    Unknown,
    /// A futex.
    Futex {
        /// The thread that holds the lock, as the lock itself says ([`super::FutexWait::owner`]).
        owner: Option<u32>,
        /// It lies in a mapping that other processes may have, too. `None`: not known.
        shared: Option<bool>,
    },
    /// An epoll instance: the number under which each descriptor was registered, and its inode. `None`: there
    /// are more than [`MOST_WATCHED`], or they could not be read.
    Epoll(Option<Vec<(i32, Option<u64>)>>),
    /// The list of a `poll`, as far as it could be read.
    Poll(Vec<i32>),
}

/// A thread of the parent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentThread {
    /// Its number.
    pub tid: u32,
    /// Its name.
    pub comm: String,
}

/// Which child to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedGlance {
    /// The child.
    pub child: super::ProcKey,
    /// Also what its calls wait on.
    pub closely: bool,
    /// Also the threads of this process, its parent.
    pub parent: Option<u32>,
}
