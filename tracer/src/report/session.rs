//! How, where and when a report was taken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One run of forkscope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Where the events came from.
    pub backend: Backend,
    /// Of a replay: where the recording's events came from.
    #[serde(default)]
    pub recorded_by: Option<Backend>,
    /// What was traced.
    pub target: Target,
    /// When it began, in RFC 3339 with UTC. All other times count from here.
    #[schemars(extend("format" = "date-time"))]
    pub start: String,
    /// How long it was, in seconds.
    pub duration: f64,
    /// The machine.
    pub host: Host,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Programs in the kernel.
    Ebpf,
    /// ptrace(2).
    Ptrace,
    /// A recording.
    Replay,
    /// One look through /proc: nothing was traced.
    Snapshot,
}

/// What was traced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Target {
    /// A program that forkscope started, and its descendants.
    Run {
        /// The program and its arguments, as the user gave them.
        command: Vec<String>,
    },
    /// Running processes, and their descendants.
    Attach {
        /// The processes that the user named.
        pids: Vec<u32>,
    },
    /// The whole machine.
    Watch,
    /// One look at running processes and their descendants.
    Inspect {
        /// The processes that the user named.
        pids: Vec<u32>,
    },
}

/// The machine that was traced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// The kernel's release, as `uname -r` prints it.
    pub kernel: String,
    /// The architecture, as `uname -m` prints it.
    pub arch: String,
}
