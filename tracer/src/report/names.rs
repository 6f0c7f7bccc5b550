//! The words by which users know the enums of a finding: the same on the command line, the
//! screens and in the JSON.

use super::{Backend, Confidence, RuleId, Severity};

impl RuleId {
    /// The rules in the order in which they are listed.
    pub const ALL: [Self; 14] = [
        Self::Enotsock,
        Self::StaleDescriptor,
        Self::MisdirectedBytes,
        Self::SharedStream,
        Self::StolenReply,
        Self::ForeignGoodbye,
        Self::PreExecIo,
        Self::StalledChild,
        Self::SharedEpoll,
        Self::SharedWakeup,
        Self::PinnedConnection,
        Self::ExecLeak,
        Self::ForkInFlight,
        Self::InheritedConnection,
    ];

    /// The rule's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enotsock => "enotsock",
            Self::StaleDescriptor => "stale-descriptor",
            Self::MisdirectedBytes => "misdirected-bytes",
            Self::SharedStream => "shared-stream",
            Self::StolenReply => "stolen-reply",
            Self::ForeignGoodbye => "foreign-goodbye",
            Self::PreExecIo => "pre-exec-io",
            Self::StalledChild => "stalled-child",
            Self::SharedEpoll => "shared-epoll",
            Self::SharedWakeup => "shared-wakeup",
            Self::PinnedConnection => "pinned-connection",
            Self::ExecLeak => "exec-leak",
            Self::ForkInFlight => "fork-in-flight",
            Self::InheritedConnection => "inherited-connection",
        }
    }
}

impl Severity {
    /// The severities, least first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// The severity's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Backend {
    /// The backend's name as users write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ebpf => "eBPF",
            Self::Ptrace => "ptrace",
            Self::Replay => "a recording",
            Self::Snapshot => "/proc",
        }
    }
}

impl Confidence {
    /// The confidences, least first.
    pub const ALL: [Self; 3] = [Self::Inconclusive, Self::Likely, Self::Certain];

    /// The confidence's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inconclusive => "inconclusive",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    /// The name is what the report's JSON says.
    #[track_caller]
    fn check(value: impl Serialize, name: &str) {
        assert_eq!(serde_json::to_value(value).expect("an enum is plain data"), name);
    }

    #[test]
    fn names_are_those_of_the_json() {
        RuleId::ALL.iter().for_each(|rule| check(rule, rule.name()));
        Severity::ALL.iter().for_each(|severity| check(severity, severity.name()));
        Confidence::ALL.iter().for_each(|confidence| check(confidence, confidence.name()));
    }
}
