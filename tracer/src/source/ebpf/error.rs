//! Why tracing through eBPF cannot start, in words for the user.

use super::btf::BtfError;
use std::io;
use thiserror::Error;

/// Why tracing through eBPF cannot start.
#[derive(Debug, Error)]
pub enum EbpfError {
    /// The user may not load programs.
    #[error(
        "loading eBPF programs needs root, or the capabilities CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: run it with sudo"
    )]
    NoPrivilege,
    /// forkscope runs in a container with numbers of its own.
    #[error(
        "forkscope runs in a pid namespace of its own, where process numbers differ from the kernel's: run it on the host, or start the container with the host's pid namespace (docker run --pid=host)"
    )]
    PidNamespace,
    /// No type information, or an unknown layout.
    #[error(transparent)]
    Layout(#[from] BtfError),
    /// The kernel is too old.
    #[error("this kernel has no eBPF ring buffers: forkscope needs Linux 5.8 or newer")]
    NoRingBuffer,
    /// The kernel refused a program or map.
    #[error("the kernel refused forkscope's {what}: {source}")]
    Refused {
        /// Which part.
        what: String,
        /// The kernel's words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The filter cannot be mapped.
    #[error("cannot map the table of traced processes: {0}")]
    Map(#[from] io::Error),
}

impl EbpfError {
    /// The reason in a clause, where something else is done instead.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::NoPrivilege => {
                "eBPF needs root, or some capabilities (`forkscope doctor` says more)".to_owned()
            }
            Self::PidNamespace => "eBPF needs the host's pid namespace (docker run --pid=host)".to_owned(),
            other => {
                let text = other.to_string();
                format!("eBPF does not work here: {}", text.lines().next().unwrap_or_default())
            }
        }
    }

    /// The kernel refused `what`.
    pub(super) fn refused(what: &str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Refused { what: what.to_owned(), source: Box::new(source) }
    }
}
