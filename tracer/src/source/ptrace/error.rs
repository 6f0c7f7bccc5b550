//! Why tracing through ptrace cannot start or a process cannot be traced, in words for the user.

use nix::errno::Errno;
use std::io;
use thiserror::Error;

/// Why a step of tracing through ptrace failed.
#[derive(Debug, Error)]
pub enum PtraceError {
    /// The keeper could not be started.
    #[error("cannot start forkscope's tracing process: {0}")]
    Keeper(#[from] io::Error),
    /// The keeper is gone.
    #[error("forkscope's tracing process has ended, so nothing more is seen: was it killed?")]
    Gone,
    /// Another tracer has the process.
    #[error(
        "process {pid} is traced by process {by} already, and ptrace allows one tracer only: end that one first"
    )]
    Taken {
        /// The process.
        pid: u32,
        /// Who traces it.
        by: u32,
    },
    /// It may not be traced.
    #[error(
        "process {0} may not be traced through ptrace: run forkscope as root, or as its user with kernel.yama.ptrace_scope=0 (sysctl)"
    )]
    NotAllowed(u32),
    /// Anything else.
    #[error("process {pid} cannot be traced: {errno}")]
    Refused {
        /// The process.
        pid: u32,
        /// The system's word.
        errno: Errno,
    },
}

impl PtraceError {
    /// What it means that a process could not be seized.
    pub(super) fn of(pid: u32, errno: Errno) -> Self {
        if errno != Errno::EPERM {
            return Self::Refused { pid, errno };
        }
        match tracer_of(pid) {
            Some(by) => Self::Taken { pid, by },
            None => Self::NotAllowed(pid),
        }
    }
}

/// Who traces a process (`TracerPid`, proc_pid_status(5)).
fn tracer_of(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("TracerPid:"))?;
    line.trim().parse().ok().filter(|&by| by != 0)
}
