//! One pass over a recording: what was fed to the analysis since the recording's beginning.

use crate::analysis::Analysis;
use crate::event::{Event, What};
use crate::model::Audience;
use crate::recording::{End, Entry};
use crate::report::{Baseline, Finding, Level, RuleId, Severity};
use std::collections::BTreeMap;
use std::time::Duration;

/// What to make of a recording. It is the same in each pass.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The levels that rules were set to.
    pub levels: BTreeMap<RuleId, Level>,
    /// What the user knows of already.
    pub known: Option<Baseline>,
    /// After how many events the replay ends.
    pub max_events: Option<u64>,
    /// After how much of the session it ends.
    pub duration: Option<Duration>,
}

/// What happened in a replay, for who shows it.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// An event was applied. What it changed: [`Analysis::changes`].
    Event(&'a Event<'a>),
    /// A finding is new, or has a new name. With its advice; where the session showed it, a few events
    /// after that which made it.
    Finding(&'a Finding),
    /// The recording ends here, although the session went on: a sentence that says why.
    Broken(&'a str),
}

/// What is told of what happened.
pub(super) type Each<'a> = &'a mut dyn FnMut(Seen<'_>, &Analysis);

/// What an entry was.
pub(super) enum Fed {
    Event,
    /// Findings were shown: the worst of those that are not known.
    Findings(Option<Severity>),
    Other,
}

/// Since the recording's beginning.
pub(super) struct Pass {
    pub(super) analysis: Analysis,
    /// The session's start, and the latest event's moment, in nanoseconds of the events' clock.
    start: u64,
    now: u64,
    /// Events that came. What was looked up is not among them.
    events: u64,
    /// The session's end, once it was read.
    pub(super) end: Option<End>,
    /// Why no more can be read.
    pub(super) broken: Option<String>,
    /// Nothing more is fed: the end, or what the setup says is enough.
    pub(super) over: bool,
}

impl Pass {
    pub(super) fn new(start: u64, setup: &Setup) -> Self {
        let mut analysis = Analysis::new(start, setup.levels.clone()).knowing(setup.known.clone());
        // A replay is not recorded.
        analysis.model.set_audience(Audience { recording: false, ..Audience::default() });
        Self { analysis, start, now: start, events: 0, end: None, broken: None, over: false }
    }

    /// Does with an entry what the session did.
    pub(super) fn take(&mut self, entry: Entry<'_>, each: Each<'_>) -> Fed {
        let fed = match entry {
            Entry::Event(event) => {
                self.event(&event);
                each(Seen::Event(&event), &self.analysis);
                Fed::Event
            }
            Entry::Turn => Fed::Findings(self.show(each)),
            Entry::Facts(pid, facts) => {
                self.analysis.learn(pid, facts);
                Fed::Other
            }
            Entry::Place(pid, place) => {
                self.analysis.settle(pid, place);
                Fed::Other
            }
            Entry::Stacks(finding, stacks) => {
                self.analysis.tell_stacks(finding, stacks);
                Fed::Other
            }
            Entry::Losses => {
                self.analysis.model.note_losses();
                Fed::Other
            }
            Entry::End(end) => {
                self.end = Some(end);
                self.over = true;
                Fed::Other
            }
        };
        // What the session looked up stands in the recording.
        drop(self.analysis.take_wanted());
        fed
    }

    fn event(&mut self, event: &Event<'_>) {
        self.now = self.now.max(event.time);
        // What was looked up is no event that came.
        self.events += u64::from(!matches!(event.what, What::Snapshot(_) | What::Glance(_)));
        self.analysis.apply(event);
    }

    /// Shows what is new: the worst of it that is not known.
    pub(super) fn show(&mut self, each: Each<'_>) -> Option<Severity> {
        let fresh = self.analysis.take_fresh();
        fresh.iter().for_each(|finding| each(Seen::Finding(finding), &self.analysis));
        fresh.iter().filter(|finding| !finding.known).map(|finding| finding.severity).max()
    }

    /// Up to the latest event.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now.saturating_sub(self.start))
    }

    /// Events that came.
    pub(super) fn events(&self) -> u64 {
        self.events
    }

    /// Whether the setup says that it is enough.
    pub(super) fn is_enough(&self, setup: &Setup) -> bool {
        setup.max_events.is_some_and(|most| self.events >= most)
            || setup.duration.is_some_and(|most| self.elapsed() >= most)
    }
}
