//! What a look shows, as data.

pub use crate::event::SeenCall;

use crate::event::ProcKey;
use crate::model::Place;
use forkscope_proto::{FileKind, Socket};
use rustc_hash::FxHashMap;

/// One look at some processes.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The processes, parents before their children.
    pub processes: Vec<SeenProcess>,
    /// What their sockets are, by inode. What no table told is not in it.
    pub sockets: FxHashMap<u64, SeenSocket>,
    /// What could not be looked at, and what would help.
    pub notes: Vec<String>,
}

/// A process.
#[derive(Clone, Debug, Default)]
pub struct SeenProcess {
    /// Its number and start.
    pub key: ProcKey,
    /// Its parent's number.
    pub ppid: u32,
    /// Its name.
    pub comm: String,
    /// Its command line, NUL-separated.
    pub cmdline: Vec<u8>,
    /// Where it lives.
    pub place: Place,
    /// Path of its program, where it may be seen.
    pub exe: Option<String>,
    /// How long ago it started, in seconds.
    pub age: f64,
    /// Its threads.
    pub threads: Vec<SeenThread>,
    /// Its descriptors, as far as they are endpoints: sockets, epoll instances, eventfds, pipes.
    pub descriptors: Vec<SeenFd>,
    /// Its descriptors may not be looked at.
    pub hidden: bool,
}

/// A thread.
#[derive(Clone, Debug, Default)]
pub struct SeenThread {
    /// Its number.
    pub tid: u32,
    /// Its name.
    pub comm: String,
    /// Its state, as the letter in /proc/PID/stat (proc_pid_stat(5)).
    pub state: u8,
    /// Where in the kernel it sleeps (proc_pid_wchan(5)).
    pub wchan: Option<String>,
    /// The system call that it is in (proc_pid_syscall(5)).
    pub call: Option<SeenCall>,
    /// The descriptors in the list of a `poll`.
    pub polled: Vec<i32>,
}

/// A descriptor.
#[derive(Clone, Debug, Default)]
pub struct SeenFd {
    /// Its number.
    pub fd: i32,
    /// What is behind it.
    pub kind: FileKind,
    /// Its inode. Anonymous inodes share one.
    pub inode: u64,
    /// Descriptors with the same number here have one open file. `None`: it was not asked or could not be.
    pub open_file: Option<u32>,
    /// It may be read and written.
    pub access: (bool, bool),
    /// An eventfd's own number, and its counter (fdinfo: `eventfd-id`, `eventfd-count`).
    pub eventfd: (Option<u64>, Option<u64>),
    /// What an epoll instance watches.
    pub watches: Vec<SeenWatch>,
}

/// A descriptor that an epoll instance watches (fdinfo: `tfd`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenWatch {
    /// The number under which it was registered.
    pub fd: i32,
    /// The inode of what was registered. `None` before Linux 4.13.
    pub inode: Option<u64>,
}

/// A socket.
#[derive(Clone, Debug, Default)]
pub struct SeenSocket {
    /// What it is.
    pub socket: Socket,
    /// Of a unix socket the name it is bound to; `@` begins an abstract one.
    pub name: Option<String>,
    /// Of a unix socket its peer's name, likewise.
    pub peer_name: Option<String>,
    /// Bytes to be read, and bytes sent and not yet taken; of a listener, who waits, and how many may.
    pub queues: Option<(u32, u32)>,
}
