//! A finding before it has a number, times of the session and advice.

use crate::model::{FileId, Origin, ProcId, SockId, Turn, WakeId};
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
    /// A child lacks what did not cross its fork.
    Stalling(ProcId),
    /// Two processes use one epoll instance.
    Epoll(FileId),
    /// Two processes wake themselves by one eventfd or pipe.
    Wakeup(WakeId),
}

/// How much a draft says of its cause, from the least to the most. Of drafts of one cause that are as bad and
/// as sure, the one that says most names the finding; the others are its evidence.
///
/// What was seen to happen says more than what makes it possible; what ends a connection more than what
/// fails once on it; data that went astray more than an error, because nothing else reports it. A
/// stream whose bytes contradict each other says most: whatever is read from it afterwards, by
/// whomever, follows from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Says {
    /// Harm is possible: a connection is held, leaked, used in turn.
    Possible,
    /// One call or one request came to nothing: nothing is behind its number, another cancelled
    /// it, a close ended nothing.
    Failed,
    /// Its user has lost the connection: another ended it, or something else has its number.
    Lost,
    /// Data went to the wrong one, or was read by the wrong one, and no call failed.
    Astray,
    /// The bytes of two processes broke the stream: a message in a message, a stream id used twice, a second
    /// session. Or a process died of it.
    Broken,
}

/// What a rule claims, without the words: whether that says anything new of its cause can be told from it.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Which rule.
    pub rule: RuleId,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// How much it says of its cause.
    pub says: Says,
    /// What joins it with others.
    pub cause: Cause,
}

/// What a rule found.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it claims.
    pub claim: Claim,
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
    /// By which call; `None`: by none, or by one that was not seen.
    pub nr: Option<u16>,
    /// On which number.
    pub fd: Option<i32>,
    /// With which result.
    pub ret: Option<i64>,
}

impl Step {
    /// Somebody did something by a call.
    pub fn did(by: Origin, what: impl Into<String>) -> Self {
        Self { nr: Some(by.nr), ..Self::of(by, what) }
    }

    /// Something came to be; by which call, only where that was seen ([`Origin::nr`]).
    pub fn of(by: Origin, what: impl Into<String>) -> Self {
        let Origin { time, process, tid, nr } = by;
        Self { time, process, tid, what: what.into(), nr: (nr != 0).then_some(nr), fd: None, ret: None }
    }

    /// A turn of a process.
    pub fn turn(turn: &Turn, what: impl Into<String>) -> Self {
        let Turn { from: time, process, tid, nr, .. } = *turn;
        Self::did(Origin { time, process, tid, nr }, what).on(turn.fd)
    }

    /// On this number.
    #[must_use]
    pub fn on(self, fd: i32) -> Self {
        Self { fd: Some(fd), ..self }
    }

    /// With this result.
    #[must_use]
    pub fn returning(self, ret: i64) -> Self {
        Self { ret: Some(ret), ..self }
    }
}
