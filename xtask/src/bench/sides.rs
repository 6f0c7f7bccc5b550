//! What is put in front of a workload.

use super::peers;
use super::tools::Tools;

/// One way to trace, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Untraced,
    Empty,
    Record,
    Ebpf,
    Recording,
    Screen,
    Ptrace,
    Strace,
    Seccomp,
    Perf,
    Bpftrace,
}

impl Side {
    /// In the order of the tables.
    pub(super) const ALL: [Self; 11] = [
        Self::Untraced,
        Self::Empty,
        Self::Record,
        Self::Ebpf,
        Self::Recording,
        Self::Screen,
        Self::Ptrace,
        Self::Strace,
        Self::Seccomp,
        Self::Perf,
        Self::Bpftrace,
    ];

    /// Its name where figures are kept.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Untraced => "untraced",
            Self::Empty => "floor-empty",
            Self::Record => "floor-record",
            Self::Ebpf => "ebpf",
            Self::Recording => "ebpf-recording",
            Self::Screen => "ebpf-screen",
            Self::Ptrace => "ptrace",
            Self::Strace => "strace",
            Self::Seccomp => "strace-seccomp",
            Self::Perf => "perf",
            Self::Bpftrace => "bpftrace",
        }
    }

    /// Its name on the page.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Untraced => "nothing",
            Self::Empty => "floor: empty program",
            Self::Record => "floor: record only",
            Self::Ebpf => "forkscope, eBPF",
            Self::Recording => "forkscope, eBPF, recording",
            Self::Screen => "forkscope, eBPF, live screen",
            Self::Ptrace => "forkscope, ptrace",
            Self::Strace => "strace",
            Self::Seccomp => "strace --seccomp-bpf",
            Self::Perf => "perf trace",
            Self::Bpftrace => "bpftrace",
        }
    }

    /// The side that is kept under this key.
    pub(super) fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.key() == key)
    }

    /// Whether a call takes so much longer that fewer operations suffice.
    pub(super) const fn is_slow(self) -> bool {
        matches!(self, Self::Ptrace | Self::Strace | Self::Seccomp | Self::Perf | Self::Bpftrace)
    }

    /// Whether it is another project's: where one does not run, the page says so and the others go on.
    pub(super) const fn is_peer(self) -> bool {
        matches!(self, Self::Strace | Self::Seccomp | Self::Perf | Self::Bpftrace)
    }

    /// Whether it is forkscope, which says at the end what it saw and lost.
    pub(super) const fn is_own(self) -> bool {
        matches!(self, Self::Ebpf | Self::Recording | Self::Screen | Self::Ptrace)
    }

    /// The whole command: the tracer, and what it traces.
    pub(super) fn command(self, tools: &Tools, traced: &[String]) -> Vec<String> {
        let prefix: Vec<String> = match self {
            Self::Untraced => Vec::new(),
            Self::Empty => tools.floor("empty"),
            Self::Record => tools.floor("record"),
            Self::Ebpf => forkscope(tools, "ebpf", &[]),
            Self::Recording => forkscope(tools, "ebpf", &["--record".into(), tools.file("session.rec")]),
            Self::Screen => vec!["screen".into(), tools.forkscope()],
            Self::Ptrace => forkscope(tools, "ptrace", &[]),
            Self::Strace => peers::strace(tools, false),
            Self::Seccomp => peers::strace(tools, true),
            Self::Perf => peers::perf(tools),
            // It takes the command as one word.
            Self::Bpftrace => return peers::bpftrace(tools, traced),
        };
        [&prefix[..], traced].concat()
    }
}

/// Findings go to the log. Without a report: for that the kernel would measure forkscope's programs.
fn forkscope(tools: &Tools, backend: &str, more: &[String]) -> Vec<String> {
    let words = [&*tools.forkscope(), "run", "--backend", backend, "--ui", "log"].map(str::to_owned);
    [&words[..], more, &["--".to_owned()]].concat()
}

#[cfg(test)]
mod tests {
    use super::Side;

    #[test]
    fn each_side_is_found_by_its_key() {
        for side in Side::ALL {
            assert_eq!(Side::of(side.key()), Some(side));
        }
        assert_eq!(Side::of("none"), None);
    }
}
