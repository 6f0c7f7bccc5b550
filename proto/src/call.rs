//! System calls that are not transfers.

use crate::FileRef;
use crate::header::Header;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One system call on descriptors, whether it worked or failed.
///
/// The payload depends on the call: a path (`open`), a socket address (`connect`, `bind`), events
/// (`epoll_wait`, `epoll_ctl`), `struct open_how` (`openat2`).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Call {
    /// The head.
    pub header: Header,
    /// The raw arguments.
    pub args: [u64; 6],
    /// Result, or minus the errno.
    pub ret: i64,
    /// When the call began, in nanoseconds as in the header. For `close`, whose header has that, since the
    /// number is free from then on: when it ended. 0: not taken.
    pub other_end: u64,
    /// The descriptor that the call names (`args[0]` mostly), or the first that it made. -1: none.
    pub fd: i32,
    /// The descriptor that the call made or replaced, or the second that it names. -1: none.
    pub other_fd: i32,
    /// What the call was on: what is behind `fd`, or was before another thread displaced it. For `close`:
    /// what was behind it at entry.
    pub file: FileRef,
    /// What is behind `other_fd` after the call.
    pub other: FileRef,
    /// For `dup2` and `dup3`: what was behind `other_fd` at entry, closed by the call.
    pub replaced: FileRef,
}

/// One descriptor that arrived by `SCM_RIGHTS`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct PassedFd {
    /// The file that arrived.
    pub file: FileRef,
    /// The number it got.
    pub fd: i32,
    /// Zero.
    pub reserved: u32,
}

/// Descriptors that a `recvmsg` brought by `SCM_RIGHTS` (unix(7)).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Passed {
    /// The head.
    pub header: Header,
    /// The socket they came over.
    pub via: i32,
    /// How many came. Where more came than [`Passed::MOST`], the rest is not listed.
    pub count: u32,
    /// The first of them.
    pub fds: [PassedFd; Self::MOST],
}

impl Passed {
    /// How many descriptors one record lists.
    pub const MOST: usize = 8;
}

crate::layout!(Call, 176);
crate::layout!(PassedFd, 32);
crate::layout!(Passed, 296);
