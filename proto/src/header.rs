//! The head of every record.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What kind of record follows a [`Header`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Kind {
    /// A task was created: [`crate::Fork`].
    Fork = 1,
    /// A program was executed: [`crate::Exec`].
    Exec = 2,
    /// A task ended: [`crate::Exit`].
    Exit = 3,
    /// A system call that is not a transfer: [`crate::Call`].
    Call = 4,
    /// A transfer on a descriptor: [`crate::Io`].
    Io = 5,
    /// What a socket is: [`crate::Socket`].
    Socket = 6,
    /// A transfer that io_uring made: [`crate::UringIo`].
    Uring = 7,
    /// Descriptors that arrived by `SCM_RIGHTS`: [`crate::Passed`].
    Passed = 8,
    /// A process made a 32-bit system call; its calls are not read. Only the header.
    Compat = 9,
    /// A call of OpenSSL, with what is inside TLS: [`crate::Plaintext`].
    Plaintext = 10,
    /// Where in a program a thread was when it made a call: [`crate::Stack`].
    Stack = 11,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Fork,
        Self::Exec,
        Self::Exit,
        Self::Call,
        Self::Io,
        Self::Socket,
        Self::Uring,
        Self::Passed,
        Self::Compat,
        Self::Plaintext,
        Self::Stack,
    ];

    /// The kind with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            1..=11 => Some(Self::ALL[number as usize - 1]),
            _ => None,
        }
    }

    /// The word used for this kind in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Exec => "exec",
            Self::Exit => "exit",
            Self::Call => "call",
            Self::Io => "io",
            Self::Socket => "socket",
            Self::Uring => "uring",
            Self::Passed => "passed",
            Self::Compat => "compat",
            Self::Plaintext => "plaintext",
            Self::Stack => "stack",
        }
    }
}

/// The head of every record: when, who, what, and how many payload bytes follow the record.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Header {
    /// Nanoseconds of `CLOCK_MONOTONIC` when the probe ran.
    pub time: u64,
    /// Start of the process in clock ticks since boot, as field 22 of `/proc/PID/stat` (proc_pid_stat(5)).
    /// With `tgid` it names a process for good: numbers alone are reused.
    pub start: u64,
    /// The process: its thread group id.
    pub tgid: u32,
    /// The thread.
    pub tid: u32,
    /// A [`Kind`] as its number.
    pub kind: u16,
    /// The system call's number, 0 where no call is meant.
    pub nr: u16,
    /// Bytes of payload after the fixed part of the record.
    pub payload: u32,
}

crate::layout!(Header, 32);
