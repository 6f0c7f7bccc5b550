//! What terms can ask about.

/// A column: what a term before its colon names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Numbers of processes.
    Pid,
    /// Names of processes.
    Comm,
    /// The system call.
    Call,
    /// How it failed.
    Errno,
    /// Descriptors.
    Fd,
    /// Connections, by their ids in the report.
    Conn,
    /// What they speak.
    Proto,
    /// The rule of a finding.
    Rule,
    /// How bad a finding is.
    Severity,
}

impl Column {
    /// The columns in the order in which they are listed.
    pub const ALL: [Self; 9] = [
        Self::Pid,
        Self::Comm,
        Self::Call,
        Self::Errno,
        Self::Fd,
        Self::Conn,
        Self::Proto,
        Self::Rule,
        Self::Severity,
    ];

    /// The column's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pid => "pid",
            Self::Comm => "comm",
            Self::Call => "call",
            Self::Errno => "errno",
            Self::Fd => "fd",
            Self::Conn => "conn",
            Self::Proto => "proto",
            Self::Rule => "rule",
            Self::Severity => "severity",
        }
    }

    /// The field's name in the report, where it is another.
    const fn in_report(self) -> &'static str {
        match self {
            Self::Call => "syscall",
            Self::Conn => "connection",
            Self::Proto => "protocol",
            _ => self.name(),
        }
    }

    /// A term on it, for who wrote one that is none.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Pid => "pid:4242",
            Self::Comm => "comm:python",
            Self::Call => "call:sendmsg,recvmsg",
            Self::Errno => "errno:ENOTSOCK",
            Self::Fd => "fd:6",
            Self::Conn => "conn:3",
            Self::Proto => "proto:http2",
            Self::Rule => "rule:enotsock",
            Self::Severity => "severity:error",
        }
    }

    /// The column with this name, whatever its case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(|column| is(column.name()) || is(column.in_report()))
    }
}
