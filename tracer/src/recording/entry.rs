//! What a recording holds one after the other.

use crate::event::{Event, NamedStack};
use crate::model::{Facts, Place};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// One thing that the analyser was fed, or that was done with it.
#[derive(Debug)]
pub enum Entry<'a> {
    /// An event, or a process as /proc showed it.
    Event(Event<'a>),
    /// What /proc showed of a process that matters for advice.
    Facts(u32, Facts),
    /// Where a process lives, as /proc showed it.
    Place(u32, Place),
    /// Where threads were in their programs at the moments that a finding is about.
    Stacks(u32, Vec<NamedStack>),
    /// It was noticed that events had been lost.
    Losses,
    /// What was new was shown.
    Turn,
    /// The session ended.
    End(End),
}

/// Tags of the entries that are no records. Those of records are the numbers of their kinds.
pub(super) mod tag {
    pub(in crate::recording) const SNAPSHOT: u8 = 100;
    pub(in crate::recording) const FACTS: u8 = 101;
    pub(in crate::recording) const LOSSES: u8 = 102;
    pub(in crate::recording) const TURN: u8 = 103;
    pub(in crate::recording) const END: u8 = 104;
    pub(in crate::recording) const PLACE: u8 = 105;
    pub(in crate::recording) const GLANCE: u8 = 106;
    pub(in crate::recording) const STACKS: u8 = 107;

    /// Whether what has this tag is an event, which has a moment.
    pub(in crate::recording) fn is_event(tag: u8) -> bool {
        !matches!(tag, FACTS | LOSSES | TURN | END | PLACE | STACKS)
    }
}

/// How a session ended, and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// How long it was, in seconds.
    pub duration: f64,
    /// The exit status that the command had without findings that fail it.
    pub status: u8,
    /// Records lost because nobody made room in time, by kind.
    pub lost: BTreeMap<String, u64>,
    /// Records that were no records.
    pub malformed: u64,
    /// Each program of the backend.
    pub programs: Vec<Program>,
    /// Processor seconds that forkscope itself used.
    pub own_cpu: Option<f64>,
}

impl End {
    /// Can a session have ended so? Times are numbers, and none is longer than the clock of events can tell.
    pub(super) fn is_possible(&self) -> bool {
        let most = Duration::from_nanos(u64::MAX).as_secs_f64();
        // No comparison with what is no number holds.
        [Some(self.duration), self.own_cpu].into_iter().flatten().all(|time| (0.0..=most).contains(&time))
    }
}

/// What one program of a backend cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// How often it ran.
    pub runs: u64,
    /// How long it ran in all, in nanoseconds.
    pub time: u64,
    /// How often it was not run.
    pub missed: u64,
}
