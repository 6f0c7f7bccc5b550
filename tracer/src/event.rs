//! What happened: the one form in which every source hands on what it saw.

mod called;
mod futex;
mod glance;
mod stack;

pub use called::{OTHER_CALLS, fork_call, uring_call};
pub use futex::FutexWait;
pub use glance::{
    Glance, GlancedThread, MOST_PARENT_THREADS, MOST_THREADS, MOST_WATCHED, ParentThread, SeenCall, WaitsOn,
    WantedGlance,
};

pub use stack::{NamedStack, StackOf, TakenStack};

use forkscope_proto as proto;

/// A process for good: its number alone is reused, together with its start it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcKey {
    /// Thread group id.
    pub tgid: u32,
    /// Start in clock ticks since boot (field 22 of /proc/PID/stat).
    pub start: u64,
}

/// One thing that happened, borrowed from the batch it came in.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// Who did it.
    pub process: ProcKey,
    /// Which of its threads.
    pub tid: u32,
    /// What it was.
    pub what: What<'a>,
}

/// What happened. The payload of a record, where it has one, stands beside it.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// A task was created.
    Fork(&'a proto::Fork),
    /// A program was executed; its command line, NUL-separated, maybe cut.
    Exec(&'a proto::Exec, &'a [u8]),
    /// A task ended.
    Exit(&'a proto::Exit),
    /// A system call that is no transfer; its path, address or events.
    Call(&'a proto::Call, &'a [u8]),
    /// A transfer; its first bytes.
    Io(&'a proto::Io, &'a [u8]),
    /// What a socket is; its path where it has one.
    Socket(&'a proto::Socket, &'a [u8]),
    /// A transfer by io_uring.
    Uring(&'a proto::UringIo),
    /// Descriptors arrived in a message.
    Passed(&'a proto::Passed),
    /// A call of OpenSSL; the first bytes of what is inside TLS.
    Plaintext(&'a proto::Plaintext, &'a [u8]),
    /// A 32-bit call was seen.
    Compat,
    /// A process and its descriptor table as /proc showed them: at a late attach, or where a race left doubt.
    Snapshot(&'a Snapshot),
    /// What a child of a process with several threads was doing, as /proc showed it.
    Glance(&'a Glance),
}

/// A process as /proc showed it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Its parent's number.
    pub ppid: u32,
    /// Its name.
    pub comm: String,
    /// Its command line, NUL-separated.
    pub cmdline: Vec<u8>,
    /// How many threads it has.
    pub threads: u32,
    /// Its descriptors.
    pub descriptors: Vec<SnapshotFd>,
    /// Whether the process was started by forkscope itself, so that its history is seen from the beginning.
    pub started_here: bool,
    /// Whether it has set up io_uring.
    pub uring: bool,
    /// Whether `descriptors` is the whole table: what it does not name is closed.
    pub whole: bool,
    /// How many threads its parent has that are older than it, where it is a copy of its parent: neither has
    /// executed a program since the fork.
    pub copied_from: Option<u32>,
}

/// A descriptor as /proc showed it.
#[derive(Clone, Debug, Default)]
pub struct SnapshotFd {
    /// Its number.
    pub fd: i32,
    /// Whether it closes on exec.
    pub cloexec: bool,
    /// What is behind it. The address of the `struct file` is not known here and 0.
    pub file: proto::FileRef,
    /// Its path, where it has one.
    pub path: Option<String>,
    /// What the socket is, where it is one.
    pub socket: Option<proto::Socket>,
}
