//! The analyser: the model, the rules over it, and the findings that they have made so far.
//!
//! Pure. [`Analysis::apply`] takes events; what the rules find is joined by its cause, so that one cause is
//! one finding with a count.

mod evidence;
mod fingerprint;
mod http2;
#[cfg(test)]
pub(crate) mod kernel;
mod places;
mod publish;
mod report;
mod stacks;
mod subject;
#[cfg(test)]
mod tests;
mod unread;

use crate::event::{Event, StackOf, WantedGlance, What};
use crate::model::{Change, Facts, Model, Place, ProcId, Topic};
use crate::report::{Baseline, Finding, Level, RuleId};
use crate::rules::{self, Draft, Drafts, Rule, Said};
use forkscope_proto::Kind;
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;

/// How often rules look at what time has brought, in nanoseconds.
const TICK: u64 = 100_000_000;

/// What the caller should look up in /proc, because the events cannot tell it.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Processes whose libraries and settings matter for advice.
    pub facts: FxHashSet<u32>,
    /// Processes whose tables are in doubt.
    pub tables: FxHashSet<u32>,
    /// Processes that may live in another pid namespace than forkscope.
    pub places: FxHashSet<u32>,
    /// Findings, and where threads were that they are about: [`Analysis::tell_stacks`].
    pub stacks: Vec<(u32, StackOf)>,
}

/// Everything known so far.
pub struct Analysis {
    /// The model.
    pub model: Model,
    rules: Vec<Box<dyn Rule>>,
    /// The rules that look at changes about each topic, by their place.
    looking: [Vec<usize>; Topic::COUNT],
    findings: Vec<Finding>,
    said: Said,
    /// What the user knows of already.
    known: Option<Baseline>,
    /// Findings that nobody has been shown yet, by index.
    fresh: Vec<usize>,
    wanted: Wanted,
    /// Whether anybody can say where threads were.
    wants_stacks: bool,
    events: [u64; Kind::ALL.len() + 1],
    /// Glances at children.
    glances: u64,
    /// The session's start on the clock of the events.
    start: u64,
    /// When the rules look at what time has brought.
    tick_at: u64,
    changes: Vec<Change>,
    drafts: Vec<Draft>,
    /// Findings that the newest event has shown again, by index, and when.
    again: Vec<(usize, u64)>,
}

impl Analysis {
    /// A session that starts at `start` nanoseconds of the events' clock.
    #[must_use]
    pub fn new(start: u64, levels: BTreeMap<RuleId, Level>) -> Self {
        let rules = rules::all();
        let mut looking = [const { Vec::new() }; Topic::COUNT];
        for (at, rule) in rules.iter().enumerate() {
            rule.topics().iter().for_each(|&topic| looking[topic as usize].push(at));
        }
        Self {
            model: Model::default(),
            rules,
            looking,
            findings: Vec::new(),
            said: Said::nothing(levels),
            known: None,
            fresh: Vec::new(),
            wanted: Wanted::default(),
            wants_stacks: false,
            events: [0; Kind::ALL.len() + 1],
            glances: 0,
            start,
            tick_at: 0,
            changes: Vec::new(),
            drafts: Vec::new(),
            again: Vec::new(),
        }
    }

    /// Knows these findings already.
    #[must_use]
    pub fn knowing(mut self, baseline: Option<Baseline>) -> Self {
        self.known = baseline;
        self
    }

    /// What the user knows of already.
    #[must_use]
    pub fn known(&self) -> Option<&Baseline> {
        self.known.as_ref()
    }

    /// This event will be taken in soon, after [`Model::foreseen`] others: it is faster then.
    pub fn foresee(&mut self, event: &Event<'_>) {
        self.model.foresee(event);
    }

    /// Takes in an event.
    pub fn apply(&mut self, event: &Event<'_>) {
        if let Some(kind) = kind_of(event) {
            self.events[kind as usize] += 1;
        }
        self.glances += u64::from(matches!(event.what, What::Glance(_)));
        self.changes.clear();
        self.model.apply(event, &mut self.changes);
        self.wanted.places.extend(places::moved(&self.model, event));
        let mut drafts = Drafts::new(&self.said, &mut self.drafts, &mut self.again);
        for change in &self.changes {
            match *change {
                // Early: who makes a connection may have ended before anything is found.
                Change::Connected { process } => self.wanted.want_facts(&self.model, process),
                Change::Crossed { parent, .. } if self.model.crosses(parent) => {
                    self.wanted.facts.insert(self.model.pid(parent));
                }
                Change::Uncertain { process } => {
                    self.wanted.tables.insert(self.model.pid(process));
                }
                _ => {}
            }
            let looking = &self.looking[change.topic() as usize];
            for &at in looking {
                self.rules[at].check(&self.model, change, &mut drafts);
            }
            #[cfg(test)]
            tests::others_say_nothing(&mut self.rules, looking, &self.model, change);
        }
        if self.model.now() >= self.tick_at {
            self.tick_at = self.model.now().saturating_add(TICK);
            self.rules.iter_mut().for_each(|rule| rule.tick(&self.model, &mut drafts));
        }
        while let Some((at, time)) = self.again.pop() {
            self.seen_again(at, time);
        }
        if !self.drafts.is_empty() {
            let drafts = std::mem::take(&mut self.drafts);
            drafts.into_iter().for_each(|draft| self.publish(draft));
        }
    }

    /// What the newest event changed in the model.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Takes what should be looked up.
    pub fn take_wanted(&mut self) -> Wanted {
        std::mem::take(&mut self.wanted)
    }

    /// Which children of processes with several threads to look at by now, a moment of the events' clock.
    /// What is seen comes in as events.
    pub fn wanted_glances(&mut self, now: u64) -> Vec<WantedGlance> {
        self.model.wanted_glances(now)
    }

    /// Remembers what /proc showed of a process.
    pub fn learn(&mut self, pid: u32, facts: Facts) {
        self.model.learn(pid, facts);
    }

    /// Remembers where /proc shows that a process lives. Children that it made before that
    /// was known live there too.
    pub fn settle(&mut self, pid: u32, place: Place) {
        self.wanted.places.extend(places::children(&self.model, pid, &place));
        self.model.settle(pid, place);
    }

    /// The session's start, on the clock of the events.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// All findings, in the order in which they were made.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Seconds since the session's start.
    fn seconds(&self, time: u64) -> f64 {
        seconds(self.start, time)
    }
}

fn seconds(start: u64, time: u64) -> f64 {
    time.saturating_sub(start) as f64 / 1e9
}

impl Wanted {
    fn want_facts(&mut self, model: &Model, id: ProcId) {
        if let Some(process) = model.process(id).filter(|process| process.facts.is_none()) {
            self.facts.insert(process.pid());
        }
    }
}

fn kind_of(event: &Event<'_>) -> Option<Kind> {
    Some(match event.what {
        What::Fork(_) => Kind::Fork,
        What::Exec(..) => Kind::Exec,
        What::Exit(_) => Kind::Exit,
        What::Call(..) => Kind::Call,
        What::Io(..) => Kind::Io,
        What::Socket(..) => Kind::Socket,
        What::Uring(_) => Kind::Uring,
        What::Passed(_) => Kind::Passed,
        What::Compat => Kind::Compat,
        What::Plaintext(..) => Kind::Plaintext,
        What::Snapshot(_) | What::Glance(_) => return None,
    })
}
