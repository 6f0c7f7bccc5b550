//! Finds racing changes of one table: where two threads change a number at once, the order of events cannot
//! tell what came of it, so /proc is asked.
//!
//! A call has its effect somewhere between its beginning and its end, and a thread may be off its processor
//! for long within that. Calls are told when they have ended, so that two which were under way at once can
//! be told in either order.

use super::{Change, Model, Origin, ProcId};
use forkscope_proto::{Call, Produces, calls};
use std::collections::VecDeque;

/// Changes of one table that are remembered: those of as many threads at once.
const MOST: usize = 32;
/// Forks of one table that are remembered.
const MOST_FORKS: usize = 4;
/// How long a call goes on whose other end was not taken, in nanoseconds.
pub(super) const OVERLAP: u64 = 5_000_000;

/// The time within which something was done, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Span {
    /// When a call was under way.
    pub(super) fn of(at: Origin, call: &Call) -> Self {
        let (time, other) = (at.time, call.other_end);
        let (from, to) = match (at.nr, other) {
            (calls::CLOSE, 0) => (time, time.saturating_add(OVERLAP)),
            (calls::CLOSE, _) => (time, other),
            (_, 0) => (time.saturating_sub(OVERLAP), time),
            _ => (other, time),
        };
        Self { from, to }
    }

    fn meets(self, other: Self) -> bool {
        self.from <= other.to && other.from <= self.to
    }
}

/// What became of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Closed,
    /// It got a file that may have been there before, so that the file does not tell this from the older one.
    Copied,
    /// It got a file like no other.
    Made,
}

/// A change of a number by one thread.
#[derive(Clone, Copy, Debug)]
struct Touch {
    fd: i32,
    tid: u32,
    span: Span,
    effect: Effect,
}

impl Touch {
    /// What a call that worked did to a number.
    fn of(at: Origin, call: &Call) -> Option<Self> {
        let produces = calls::SPECS.get(usize::from(at.nr))?.produces;
        let (fd, effect) = match (at.nr, produces) {
            (calls::CLOSE, _) => (call.fd, Effect::Closed),
            (calls::DUP | calls::DUP2 | calls::DUP3, _) => (call.other_fd, Effect::Copied),
            (calls::FCNTL, _) if call.other_fd >= 0 => (call.other_fd, Effect::Copied),
            (_, Produces::Nothing) => return None,
            (_, Produces::Other) => (call.other_fd, Effect::Made),
            (_, Produces::Result | Produces::Pair0 | Produces::Pair3) => (call.fd, Effect::Made),
        };
        Some(Self { fd, tid: at.tid, span: Span::of(at, call), effect })
    }

    fn collides(&self, other: &Self) -> bool {
        let copies = self.effect == Effect::Copied || other.effect == Effect::Copied;
        let makes = self.effect == Effect::Made || other.effect == Effect::Made;
        self.fd == other.fd && self.tid != other.tid && copies && !makes && self.span.meets(other.span)
    }
}

/// What was done to a table lately, by which thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    newest: VecDeque<Touch>,
    /// The latest end of those that are forgotten.
    forgotten: u64,
    forks: VecDeque<(Span, ProcId)>,
}

impl Touches {
    /// Takes in a change; whether it may have been before or after another thread's
    /// change of the same number.
    fn add(&mut self, touch: Touch) -> bool {
        let copies = touch.effect == Effect::Copied;
        let doubt = self.newest.iter().any(|other| other.collides(&touch))
            // One that is forgotten may have been of this number.
            || copies && touch.span.from <= self.forgotten;
        if self.newest.len() == MOST
            && let Some(oldest) = self.newest.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest.span.to);
        }
        self.newest.push_back(touch);
        doubt
    }

    /// The children that a change may or may not have reached: it was under way when the
    /// table was copied for them.
    fn children(&self, span: Span) -> impl Iterator<Item = ProcId> {
        self.forks.iter().filter(move |(fork, _)| span.from <= fork.to).map(|&(_, child)| child)
    }

    /// Takes in a fork of the table by `tid`; whether a change by another thread may have
    /// been before or after it.
    pub(super) fn forked(&mut self, tid: u32, span: Span, child: ProcId) -> bool {
        if self.forks.len() == MOST_FORKS {
            self.forks.pop_front();
        }
        self.forks.push_back((span, child));
        let may_meet = |touch: &Touch| touch.tid != tid && touch.span.to >= span.from;
        self.forgotten >= span.from || self.newest.iter().any(may_meet)
    }
}

impl Model {
    /// Says where a call's change may have been before or after another thread's.
    pub(super) fn race(&mut self, at: Origin, call: &Call, out: &mut Vec<Change>) {
        let alone = self.processes.get(&at.process).is_none_or(|process| process.threads <= 1);
        let Some(table) = self.table_id(at).and_then(|id| self.tables.get_mut(&id)) else { return };
        if alone && table.users <= 1 {
            return;
        }
        let Some(touch) = Touch::of(at, call) else { return };
        out.extend(table.touches.children(touch.span).map(|process| Change::Uncertain { process }));
        if table.touches.add(touch) {
            out.push(Change::Uncertain { process: at.process });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProcId;

    const MS: u64 = 1_000_000;

    /// A call on number `fd` with its two ends, of which the header has the first for `close`; 0: not taken.
    fn touch(nr: u16, tid: u32, fd: i32, [from, to]: [u64; 2]) -> Touch {
        let close = nr == calls::CLOSE;
        let (time, other_end) = if close { (from, to) } else { (to, from) };
        let at = Origin { time: time * MS, process: ProcId(1), tid, nr };
        let fds = if close { (fd, -1) } else { (3, fd) };
        let call = Call { other_end: other_end * MS, fd: fds.0, other_fd: fds.1, ..Call::default() };
        Touch::of(at, &call).expect("a change")
    }

    #[test]
    fn copies_collide_with_closes_of_the_number_meanwhile() {
        let copy = touch(calls::DUP2, 1, 7, [100, 101]);
        for (other, collides) in [
            (touch(calls::CLOSE, 2, 7, [99, 100]), true),
            (touch(calls::CLOSE, 2, 7, [97, 0]), true),
            (touch(calls::CLOSE, 2, 7, [90, 0]), false),
            // Off its processor for long.
            (touch(calls::CLOSE, 2, 7, [50, 100]), true),
            (touch(calls::CLOSE, 2, 7, [97, 99]), false),
            (touch(calls::CLOSE, 2, 7, [102, 103]), false),
            (touch(calls::CLOSE, 2, 8, [99, 102]), false),
            (touch(calls::CLOSE, 1, 7, [99, 102]), false),
            (touch(calls::DUP3, 2, 7, [99, 100]), true),
            (touch(calls::FCNTL, 2, 7, [101, 103]), true),
            (touch(calls::FCNTL, 2, 7, [0, 103]), true),
            // What is behind the number when a call has made it is asked of the kernel then.
            (touch(calls::ACCEPT4, 2, 7, [99, 102]), false),
        ] {
            assert_eq!((copy.collides(&other), other.collides(&copy)), (collides, collides), "{other:?}");
        }
        let closes = [1, 2].map(|tid| touch(calls::CLOSE, tid, 7, [100, 101]));
        assert!(!closes[0].collides(&closes[1]));
    }

    #[test]
    fn one_that_met_more_than_are_remembered_is_in_doubt() {
        let mut touches = Touches::default();
        assert!(!touches.add(touch(calls::CLOSE, 2, 7, [100, 101])));
        for at in 102..102 + MOST as u64 {
            assert!(!touches.add(touch(calls::CLOSE, 3, 9, [at, at])));
        }
        assert!(!touches.add(touch(calls::DUP2, 1, 7, [120, 200])));
        assert!(touches.add(touch(calls::DUP2, 4, 7, [100, 201])));
    }

    #[test]
    fn what_was_under_way_at_a_fork_is_in_doubt() {
        let mut touches = Touches::default();
        touches.add(touch(calls::DUP2, 2, 7, [90, 99]));
        let span = |from, to| Span { from: from * MS, to: to * MS };
        assert!(!touches.forked(1, span(100, 110), ProcId(2)));
        touches.add(touch(calls::ACCEPT4, 2, 8, [111, 120]));
        assert!(touches.forked(1, span(115, 130), ProcId(3)));
        assert!(!touches.forked(2, span(115, 131), ProcId(4)), "a thread does one thing at a time");
        let children = |span| touches.children(span).map(|ProcId(id)| id).collect::<Vec<_>>();
        assert_eq!(children(span(105, 200)), [2, 3, 4]);
        assert_eq!(children(span(131, 200)), [4]);
        assert!(children(span(132, 200)).is_empty());
    }
}
