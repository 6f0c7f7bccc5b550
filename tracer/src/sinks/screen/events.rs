//! The pane of events: the newest, as they come.

use super::Sight;
use super::list::{List, Step};
use super::page::{Line, Role, Table, numbers, plain, span, words};
use super::tail::{Entry, Tail};
use crate::errno;

/// The pane's state. A row is an event's number.
#[derive(Debug)]
pub(super) struct Events {
    pub(super) list: List<u64>,
    /// The cursor stays at the newest.
    pub(super) follows: bool,
    /// Only what makes, ends or hands on something, or fails.
    pub(super) only_telling: bool,
    /// Up to which event the rows were chosen.
    seen: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self { list: List::default(), follows: true, only_telling: false, seen: 0 }
    }
}

impl Events {
    /// Chooses all rows anew: what is shown has changed.
    pub(super) fn forget(&mut self) {
        self.seen = 0;
        let selected = self.list.selected();
        self.list = List::default();
        self.list.fill(selected.into_iter().collect());
    }

    /// Finds out which rows there are.
    pub(super) fn fill(&mut self, sight: &Sight<'_>, tail: &Tail) {
        let (first, end) = tail.ends();
        let shows = |number: &u64| {
            tail.get(*number).is_some_and(|entry| {
                (!self.only_telling || entry.telling) && sight.shows_event(entry, tail.line(entry))
            })
        };
        let from = self.seen.max(first);
        if from < end || self.list.rows().first().is_some_and(|&row| row < first) {
            // What was chosen before is chosen still.
            let kept = self.list.rows();
            let gone = if self.seen == 0 { kept.len() } else { kept.partition_point(|&row| row < first) };
            let mut rows = kept[gone..].to_vec();
            rows.extend((from..end).filter(shows));
            self.list.fill(rows);
            self.seen = end;
        }
        if self.follows {
            self.list.step(Step::Last, 1);
        }
    }

    /// Selects the event that is nearest to a moment, on a thread if it is one of it.
    pub(super) fn select_at(&mut self, tail: &Tail, time: u64, tid: u32) -> bool {
        let Some(near) = tail.at(time) else { return false };
        let (first, end) = tail.ends();
        let around = near.saturating_sub(64).max(first)..end.min(near + 64);
        let entry = |number: u64| tail.get(number);
        // A fork is the parent's event, and is told of the child: the very moment counts most.
        let distance = |number: &u64| {
            entry(*number).map(|entry| (entry.time != time, entry.tid != tid, entry.time.abs_diff(time)))
        };
        let Some(best) = around.min_by_key(distance) else { return false };
        self.follows = false;
        self.list.select(best)
    }

    /// The rows that are seen.
    pub(super) fn table(&mut self, sight: &Sight<'_>, tail: &Tail, height: usize) -> Table {
        let window = self.list.window(height);
        let rows = &self.list.rows()[window.clone()];
        let rows = rows.iter().filter_map(|&number| tail.get(number)).map(|entry| row(sight, tail, entry));
        Table {
            columns: vec![
                numbers("TIME", 14, 1),
                numbers("PID", 8, 0),
                words("NAME", 15, 2),
                numbers("CONN", 6, 3),
                words("EVENT", 0, 0),
            ],
            empty: sight.nothing("No event yet."),
            ..self.list.framed(&window, rows.collect())
        }
    }
}

fn row(sight: &Sight<'_>, tail: &Tail, entry: &Entry) -> Vec<Line> {
    let process = entry.process.and_then(|id| sight.analysis.model.process(id));
    let name = process.map(|process| process.comm.to_string()).unwrap_or_default();
    let failed = entry.errno.is_some_and(|errno| !errno::is_not_now(errno));
    let role = if failed { Role::Error } else { Role::Plain };
    // The line begins with the time and the process, which have columns here.
    let line = tail.line(entry);
    let what = line.splitn(3, ' ').nth(2).unwrap_or(line);
    vec![
        plain(format!("{:+.6}", sight.seconds(entry.time))),
        plain(entry.pid.to_string()),
        plain(name),
        plain(entry.connections[0].map(|id| id.to_string()).unwrap_or_default()),
        vec![span(what, role)],
    ]
}
