//! The life of tasks: created, executed, ended.

use crate::header::Header;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A task was created by the task of the header. Written before the new task runs.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Fork {
    /// The head; the creator.
    pub header: Header,
    /// Clone flags (clone(2)), without the exit signal.
    pub flags: u64,
    /// Start of the new process, as [`Header::start`].
    pub child_start: u64,
    /// When the creating call was entered; 0 where that was not seen.
    pub enter: u64,
    /// Thread group id of the new task: the creator's own for a thread.
    pub child_tgid: u32,
    /// Thread id of the new task.
    pub child_tid: u32,
    /// Number of threads of the creator at that moment.
    pub threads: u32,
    /// Zero.
    pub reserved: u32,
    /// Name of the new task, zero-padded.
    pub comm: [u8; 16],
}

/// `CLONE_VM` of clone(2).
pub const CLONE_VM: u64 = 0x100;
/// `CLONE_FILES` of clone(2): the new task shares the descriptor table.
pub const CLONE_FILES: u64 = 0x400;
/// `CLONE_VFORK` of clone(2): the creator waits until the child has executed or ended.
pub const CLONE_VFORK: u64 = 0x4000;
/// `CLONE_THREAD` of clone(2): the new task is a thread of the same process.
pub const CLONE_THREAD: u64 = 0x1_0000;

/// The process of the header executed a program; the payload is the start of its command line, NUL-separated.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Exec {
    /// The head; after exec the thread is the leader.
    pub header: Header,
    /// Name of the process, zero-padded.
    pub comm: [u8; 16],
}

/// A task ended.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Exit {
    /// The head.
    pub header: Header,
    /// Wait status as wait(2) gives it: of the task, or of the process with `last`; [`Exit::UNSEEN`].
    pub status: u32,
    /// 1: it was the last thread of its process.
    pub last: u32,
}

impl Exit {
    /// In place of a status, which is never so large: the end was not seen, but that the process is gone.
    pub const UNSEEN: u32 = u32::MAX;

    /// The wait status, where it is known.
    #[must_use]
    pub const fn status(&self) -> Option<u32> {
        match self.status {
            Self::UNSEEN => None,
            status => Some(status),
        }
    }
}

crate::layout!(Fork, 88);
crate::layout!(Exec, 48);
crate::layout!(Exit, 40);
