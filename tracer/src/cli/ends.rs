//! Ends of processes of which the event was lost: /proc shows that they are gone. Else they would hold their
//! connections for ever.

use super::session::Session;
use forkscope::event::{Event, ProcKey, What};
use forkscope::source::proc;
use forkscope::source::usage::now;
use forkscope_proto::{Exit, Header};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often /proc is asked after a loss.
const OFTEN: Duration = Duration::from_secs(1);
/// For how long: a process gives up much memory, and lingering connections, after its end was told.
const LONG: Duration = Duration::from_secs(10);
/// How long before the source was found empty a process must have been gone: its last events have been
/// analysed then.
const SETTLES: Duration = Duration::from_secs(1);

/// What is known of lost ends.
pub(super) struct Ends {
    /// Until when they are looked for.
    until: Option<Instant>,
    looked: Instant,
    /// Processes that were gone, since when.
    gone: BTreeMap<ProcKey, Instant>,
    /// When the source had nothing more, the last time.
    emptied: Instant,
}

impl Default for Ends {
    fn default() -> Self {
        let now = Instant::now();
        Self { until: None, looked: now, gone: BTreeMap::new(), emptied: now }
    }
}

impl Ends {
    /// Events were lost.
    pub(super) fn may_be_lost(&mut self) {
        self.until = Some(Instant::now() + LONG);
    }

    /// What the source had before this moment has been taken.
    pub(super) fn emptied(&mut self, when: Instant) {
        self.emptied = when;
    }

    /// The processes whose last events would have come by now.
    fn due(&self) -> Vec<ProcKey> {
        let is_due = |&(_, since): &(&ProcKey, &Instant)| *since + SETTLES <= self.emptied;
        self.gone.iter().filter(is_due).map(|(key, _)| *key).collect()
    }
}

impl Session {
    /// Looks for lost ends, where there may be some.
    pub(super) fn end_unseen(&mut self, now: Instant) {
        for process in self.lookups.ends.due() {
            self.lookups.ends.gone.remove(&process);
            self.ended_unseen(process);
        }
        let ends = &self.lookups.ends;
        if ends.until.is_some_and(|until| now < until) && now.duration_since(ends.looked) >= OFTEN {
            for process in self.gone() {
                self.lookups.ends.gone.entry(process).or_insert(now);
            }
            self.lookups.ends.looked = now;
        }
    }

    /// The same at the session's end, when all has been taken.
    pub(super) fn end_all_unseen(&mut self) {
        if self.lookups.ends.until.is_some() {
            self.gone().into_iter().for_each(|process| self.ended_unseen(process));
        }
    }

    /// Processes that live as far as is known, and do not.
    fn gone(&self) -> Vec<ProcKey> {
        let living = self.analysis.model.living_processes().map(|process| process.key);
        living.filter(|&key| proc::has_ended(key)).collect()
    }

    fn ended_unseen(&mut self, process: ProcKey) {
        if self.living(process.tgid) == Some(process) {
            let exit = Exit { header: Header::default(), status: Exit::UNSEEN, last: 1 };
            let event = Event { time: now(), process, tid: process.tgid, what: What::Exit(&exit) };
            self.note(&event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While events wait in the source, the end may be among them.
    #[test]
    fn an_end_is_lost_when_what_came_before_has_been_taken() {
        let start = Instant::now();
        let process = ProcKey { tgid: 7, start: 1 };
        let mut ends = Ends::default();
        ends.gone.insert(process, start);
        for (millis, due) in [(0, false), (900, false), (1000, true)] {
            ends.emptied(start + Duration::from_millis(millis));
            assert_eq!(ends.due(), if due { vec![process] } else { vec![] }, "{millis}");
        }
    }
}
