//! A finding before it has a number, times of the session and advice.

use crate::model::{ProcId, SockId};
use crate::report::{Confidence, RuleId, Severity};

/// What makes two findings one: what they have in common as their cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A process goes on using a number whose open file, an inherited one, is gone.
    Number {
        /// The process.
        process: ProcId,
        /// The number.
        fd: i32,
    },
    /// Two processes use one connection.
    Sharing(SockId),
    /// A connection is inherited.
    Holding(SockId),
    /// A connection is held after its user closed it.
    Pinning(SockId),
}

/// What a rule found.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Which rule.
    pub rule: RuleId,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What joins it with others.
    pub cause: Cause,
    /// One line.
    pub title: String,
    /// Two or three sentences.
    pub summary: String,
    /// The process it is about.
    pub process: ProcId,
    /// The other processes.
    pub others: Vec<ProcId>,
    /// The descriptor.
    pub fd: Option<i32>,
    /// The connection.
    pub socket: Option<SockId>,
    /// The call.
    pub nr: Option<u16>,
    /// The error.
    pub errno: Option<i32>,
    /// When it was seen, in nanoseconds.
    pub time: u64,
    /// What led to it, in order of time.
    pub steps: Vec<Step>,
}

/// One step of the evidence.
#[derive(Clone, Debug)]
pub struct Step {
    /// Nanoseconds.
    pub time: u64,
    /// Who.
    pub process: ProcId,
    /// Which thread.
    pub tid: u32,
    /// What happened.
    pub what: String,
    /// By which call; 0: by none.
    pub nr: u16,
    /// On which number.
    pub fd: Option<i32>,
    /// With which result.
    pub ret: Option<i64>,
}
