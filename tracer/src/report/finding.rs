//! One diagnosed problem, as every screen and the report show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The rules of the catalogue, by the names that users type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleId {
    /// A socket call hit something that is no socket any more.
    Enotsock,
    /// A call hit a number whose open file is gone.
    StaleDescriptor,
    /// Bytes meant for one connection went to another.
    MisdirectedBytes,
    /// Two processes use one connected stream.
    SharedStream,
    /// One process read what another's request was answered with.
    StolenReply,
    /// A process ended a connection that another still uses.
    ForeignGoodbye,
    /// A child used an inherited connection between fork and exec.
    PreExecIo,
    /// A child waits for what only a thread that did not cross the fork would have done.
    StalledChild,
    /// One epoll instance is changed by one process and waited on by another.
    SharedEpoll,
    /// One eventfd or pipe wakes the threads of two processes.
    SharedWakeup,
    /// Its user closed a connection, and another process still holds it.
    PinnedConnection,
    /// A connection survived exec into a program that never opened it.
    ExecLeak,
    /// A fork while something was under way on a connection.
    ForkInFlight,
    /// A connection crossed a fork and is held, not used.
    InheritedConnection,
}

/// How bad a finding is. Ordered: `Info < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing is wrong.
    Info,
    /// Wrong under circumstances that were not seen.
    Warning,
    /// Something failed, or will.
    Error,
}

/// The level that a user has set a rule to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Findings of the rule have this severity.
    At(Severity),
    /// The rule is off.
    Off,
}

/// How sure a finding is. Ordered: `Inconclusive < Likely < Certain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The history has holes where it matters.
    Inconclusive,
    /// Everything seen fits, but something was not seen.
    Likely,
    /// Each step was seen.
    Certain,
}

/// One step of what led to a finding, in order of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Seconds since the session's start.
    pub time: f64,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// What happened, in words.
    pub what: String,
    /// The system call, where one did it.
    pub syscall: Option<String>,
    /// The descriptor, where one was meant.
    pub fd: Option<i32>,
    /// Its result as strace writes it: a number, or `-1 ENOTSOCK`.
    pub result: Option<String>,
}

/// What to change, and why it helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// What to do.
    pub text: String,
    /// Why it helps.
    pub why: String,
}

/// One diagnosed problem. Repeats of the same cause raise `count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Number in this session, from 1.
    pub id: u32,
    /// What makes it the same finding in another session, whatever the pids, descriptors, times and free
    /// ports are: one line, to be compared as a whole.
    #[serde(default)]
    pub fingerprint: String,
    /// The session's baseline has it: it fails nothing.
    #[serde(default)]
    pub known: bool,
    /// The rule that found it.
    pub rule: RuleId,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// One line: what failed.
    pub title: String,
    /// Two or three sentences: what happened, to whom, and by whom.
    pub summary: String,
    /// The process that the finding is about.
    pub pid: u32,
    /// The other processes in it.
    pub other_pids: Vec<u32>,
    /// The descriptor number, where one matters.
    pub fd: Option<i32>,
    /// The connection, as its id in the report.
    pub connection: Option<u32>,
    /// The system call that failed or did it.
    pub syscall: Option<String>,
    /// The error by name, for example `ENOTSOCK`.
    pub errno: Option<String>,
    /// Seconds since the session's start.
    pub first_seen: f64,
    /// Seconds since the session's start.
    pub last_seen: f64,
    /// How often it was seen.
    pub count: u64,
    /// What was seen, in order of time.
    pub evidence: Vec<Evidence>,
    /// Where threads were in their programs, where that was asked for (`--stacks`), in order of time.
    pub stacks: Vec<super::Stack>,
    /// What to change, best first.
    pub fix: Vec<Fix>,
    /// Where the rule is explained.
    pub docs: String,
}
