//! What a session looks up in /proc: processes that it follows, and what the analyser asks for.

use super::console::system;
use super::ends::Ends;
use super::session::Session;
use anyhow::{Context, Result, anyhow};
use forkscope::event::{Event, ProcKey, Snapshot, What};
use forkscope::model::{Facts, Process};
use forkscope::source::usage::now;
use forkscope::source::{Known, proc};
use forkscope_proto::Kind;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often tables that are in doubt are asked of /proc.
const RESYNC: Duration = Duration::from_millis(100);
/// How often it is asked which children are to be looked at.
const GLANCES: Duration = Duration::from_millis(125);
/// How often it is asked whether anything lives.
const ALONE: Duration = Duration::from_secs(1);

/// What is still to be looked up, and when things were looked up last.
pub(super) struct Lookups {
    /// Processes whose descriptor tables are in doubt.
    doubtful: BTreeSet<u32>,
    pub(super) ends: Ends,
    resynced: Instant,
    glanced: Instant,
    /// Lost events after which all tables were in doubt.
    lost: u64,
}

impl Default for Lookups {
    fn default() -> Self {
        let now = Instant::now();
        Self { doubtful: BTreeSet::new(), ends: Ends::default(), resynced: now, glanced: now, lost: 0 }
    }
}

impl Lookups {
    /// The tables of these processes are to be asked of /proc.
    pub(super) fn doubt(&mut self, pids: impl IntoIterator<Item = u32>) {
        self.doubtful.extend(pids);
    }
}

impl Session {
    /// Traces a process, and takes its table from /proc after that: nothing falls between.
    /// `known`: what is known of it but for its threads.
    pub(super) fn follow(&mut self, pid: u32, started_here: bool, known: Known) -> Result<()> {
        let gone = |error| anyhow!("cannot look at process {pid}: {}", system(&error));
        let key = proc::key(pid).map_err(gone)?;
        let threads = proc::threads(pid).unwrap_or(1);
        let cannot = || format!("cannot trace process {pid}");
        self.source.follow(key, Known { threads, ..known }).with_context(cannot)?;
        let (key, mut snapshot) = proc::snapshot(pid).map_err(|error| {
            self.source.leave(pid);
            gone(error)
        })?;
        if snapshot.uring && !known.uring {
            // Set up since it was asked. Threads that it has made meanwhile are no fewer than two.
            let known = Known { threads: snapshot.threads.max(2), uring: true, ..known };
            self.source.follow(key, known).with_context(cannot)?;
        }
        snapshot.started_here = started_here;
        self.take_in(key, &snapshot);
        if let Ok(facts) = proc::facts(pid) {
            self.learn(pid, facts);
        }
        Ok(())
    }

    /// Takes in what /proc shows of a process that matters for advice.
    fn learn(&mut self, pid: u32, facts: Facts) {
        self.recording.facts(pid, &facts);
        self.analysis.learn(pid, facts);
    }

    /// Whether a living process is known from its fork, so that it is traced already.
    pub(super) fn saw_fork_of(&self, pid: u32) -> bool {
        let process = self.analysis.model.by_pid(pid);
        process.is_some_and(|process| process.ended.is_none() && process.forked_at.is_some())
    }

    /// Takes in a process as /proc shows it.
    pub(super) fn take_in(&mut self, process: ProcKey, snapshot: &Snapshot) {
        let event = Event { time: now(), process, tid: process.tgid, what: What::Snapshot(snapshot) };
        self.note(&event);
        if self.recording.lacks(process.tgid)
            && let Some(known) = self.analysis.model.by_pid(process.tgid)
        {
            known.facts.iter().for_each(|facts| self.recording.facts(process.tgid, facts));
            known.place.iter().for_each(|place| self.recording.place(process.tgid, place));
        }
    }

    /// Looks at the children that may stand still, those whose turn it is.
    pub(super) fn glance(&mut self) {
        if self.lookups.glanced.elapsed() < GLANCES {
            return;
        }
        self.lookups.glanced = Instant::now();
        for wanted in self.analysis.wanted_glances(now()) {
            // One that has ended, or may not be looked at, is no failure.
            let Ok(seen) = proc::glance(&wanted) else { continue };
            let process = wanted.child;
            let event = Event { time: now(), process, tid: process.tgid, what: What::Glance(&seen) };
            self.note(&event);
        }
    }

    /// Looks up what the analyser asked for.
    pub(super) fn look_up(&mut self) {
        let doubtful = self.answer();
        self.lookups.doubt(doubtful);
        if self.lookups.resynced.elapsed() >= RESYNC {
            self.resync(RESYNC / 2);
        }
        self.end_unseen(Instant::now());
    }

    /// The same at the session's end: nothing is left for another time.
    pub(super) fn look_up_all(&mut self) {
        self.look_up();
        self.resync(Duration::MAX);
        self.end_all_unseen();
    }

    /// Answers the analyser, but for the tables that are in doubt: whose they are.
    fn answer(&mut self) -> Vec<u32> {
        let wanted = self.analysis.take_wanted();
        self.wanted_facts(wanted.facts);
        self.wanted_places(wanted.places);
        self.wanted_stacks(&wanted.stacks);
        wanted.tables.into_iter().collect()
    }

    fn wanted_facts(&mut self, pids: impl IntoIterator<Item = u32>) {
        for pid in pids {
            if let Ok(facts) = proc::facts(pid) {
                self.learn(pid, facts);
            }
        }
    }

    fn wanted_places(&mut self, pids: impl IntoIterator<Item = u32>) {
        for pid in pids {
            if let Ok(place) = proc::place(pid) {
                self.recording.place(pid, &place);
                self.analysis.settle(pid, place);
            }
        }
    }

    /// Asks /proc for the tables that are in doubt, for so long; the others are asked for the next time.
    fn resync(&mut self, most: Duration) {
        self.count_losses();
        let began = Instant::now();
        while let Some(pid) = self.lookups.doubtful.pop_first() {
            // What is left of one that has ended, or another with its number, is not to be taken in.
            let lives = self.living(pid).is_some_and(|key| !proc::has_ended(key));
            if lives && let Ok((key, snapshot)) = proc::snapshot(pid) {
                if snapshot.uring {
                    self.source.meet_ring();
                }
                self.take_in(key, &snapshot);
            }
            if began.elapsed() >= most {
                break;
            }
        }
        // What a snapshot leaves in doubt, another look right now would leave so, too.
        let _again = self.answer();
        self.lookups.resynced = Instant::now();
    }

    /// The process with a number that lives, as far as is known.
    pub(super) fn living(&self, pid: u32) -> Option<ProcKey> {
        let model = &self.analysis.model;
        model.process(model.living_id(pid)?).map(|process| process.key)
    }

    /// Events that were lost may have been of any table.
    fn count_losses(&mut self) {
        // A stack is no part of the history.
        let lost = self.source.lost();
        let lost = lost.iter().filter(|&(&kind, _)| kind != Kind::Stack.name()).map(|(_, lost)| lost).sum();
        if lost > self.lookups.lost {
            self.lookups.lost = lost;
            self.analysis.model.note_losses();
            self.recording.losses();
            self.lookups.ends.may_be_lost();
            let living = self.analysis.model.living_processes();
            self.lookups.doubt(living.map(Process::pid));
        }
    }

    /// Whether /proc shows that nothing is left, asked once a second: a process whose end was lost must not
    /// keep forkscope for ever.
    pub(super) fn is_alone_by_proc(&self, checked: &mut Instant) -> bool {
        if checked.elapsed() < ALONE {
            return false;
        }
        *checked = Instant::now();
        let mut living = self.analysis.model.living_processes();
        living.all(|process| proc::has_ended(process.key))
    }
}
