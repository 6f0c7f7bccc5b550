//! A process in the report.

use super::Thread;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A process that was seen. Its texts are the process' own: it may have put anything into them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Its number. Numbers are reused: with `start` it names a process for good.
    pub pid: u32,
    /// Its number in its own pid namespace, where that is another one than forkscope's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ns_pid: Option<u32>,
    /// The container that it is in: the first 12 digits of its id, or its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The process that forked it, where that is known; its parent may be another by now.
    pub ppid: Option<u32>,
    /// The name of its program, at most 15 bytes (`/proc/PID/comm`).
    pub comm: String,
    /// Its program and arguments, as last seen.
    pub cmdline: Vec<String>,
    /// The executable's path, where it could be read.
    pub exe: Option<String>,
    /// When it started; 0: before the session. In `inspect`, which has no session, below 0: how long ago, to
    /// a hundredth of a second.
    pub start: f64,
    /// When its fork was seen; null: it is older than the session.
    pub forked_at: Option<f64>,
    /// How many threads its parent had at that fork. The child begins with one.
    pub threads_at_fork: Option<u32>,
    /// The programs that it executed while traced, in order of time.
    pub execs: Vec<Exec>,
    /// How it ended; null: it was still there at the end.
    pub exit: Option<Exit>,
    /// Libraries in its memory that matter for the findings and their fixes.
    pub libraries: Vec<Library>,
    /// Environment variables that matter for the findings and their fixes, as they were
    /// when its program started.
    pub environment: BTreeMap<String, String>,
    /// Why some of what it did could not be seen. Empty: all was seen.
    pub unseen: BTreeSet<Unseen>,
    /// Its threads, and what each waits for (`inspect`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
}

/// A program executed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exec {
    /// When.
    pub time: f64,
    /// The name of the program, at most 15 bytes, as in `comm`.
    pub comm: String,
}

/// The end of a process: an exit status or a signal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exit {
    /// When.
    pub time: f64,
    /// Its exit status, where it exited.
    pub status: Option<u8>,
    /// The signal's number, where one killed it.
    pub signal: Option<u8>,
}

/// A library, or an interpreter, in a process' memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Library {
    /// What it is, for example `grpc`, `libpq`, `libssl`, `python`.
    pub name: String,
    /// Its version, where it could be told.
    pub version: Option<String>,
    /// The file it was mapped from.
    pub path: String,
}

/// A reason why some of what a process did could not be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    /// It ran before the session began: what it did until then is known only from /proc.
    LateAttach,
    /// It used `io_uring`, whose transfers are seen but whose other operations are not.
    IoUring,
    /// It made 32-bit system calls, which are not traced.
    Calls32Bit,
    /// Some of its events were lost.
    LostEvents,
    /// Its descriptors may not be looked at: it is another user's.
    NotPermitted,
}

impl Process {
    /// Its place in words: `7 in container 3f2a91c04d11`. `None`: it lives where forkscope does.
    #[must_use]
    pub fn inside(&self) -> Option<String> {
        match (self.ns_pid, self.container.as_deref()) {
            (Some(pid), Some(container)) => Some(format!("{pid} in container {container}")),
            (Some(pid), None) => Some(format!("{pid} in its pid namespace")),
            (None, Some(container)) => Some(format!("in container {container}")),
            (None, None) => None,
        }
    }

    /// Its command line as one line; its name in brackets, as ps(1) prints it, where
    /// there is no command line.
    #[must_use]
    pub fn command(&self) -> String {
        if self.cmdline.is_empty() { format!("[{}]", self.comm) } else { self.cmdline.join(" ") }
    }
}
