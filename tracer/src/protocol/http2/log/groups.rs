//! The streams that are remembered, each with what was seen on it: neighbours on which the same was seen are kept as one.

use super::stream::{Body, Stream};
use crate::protocol::Direction;
use crate::protocol::http2::messages::Messages;
use std::collections::VecDeque;
use std::rc::Rc;

/// Streams that are remembered: the newest, and before them those that go on.
pub(super) const STREAMS: usize = 32;

/// The newest groups, of streams that may go on: two that are alike so far are not joined for a moment.
const GOING_ON: usize = 1;

/// How many of the newest groups are looked at, to find some that became alike.
const NEWEST: usize = 8;

/// For how many new streams there is room in hand: the two newest are their own, and one more may be unlike them.
const SPARE: usize = 3;

/// Between the numbers of two streams of one side.
const STEP: u32 = 2;

/// Streams in the order in which they were first seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Groups {
    groups: VecDeque<Group>,
    count: usize,
    /// Room for what is seen on new streams, so that most are followed without asking for memory.
    spare: Vec<Rc<Body>>,
}

/// Streams whose numbers follow one another, and on which the same was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    first: u32,
    count: u8,
    /// Each direction has ended.
    ended: [bool; 2],
    /// It was seen to be unlike the group before it.
    apart: bool,
    body: Rc<Body>,
}

/// A stream that is remembered.
pub(super) struct Known<'a> {
    pub(super) ended: &'a mut [bool; 2],
    pub(super) body: &'a mut Body,
}

impl Group {
    fn ids(&self) -> impl Iterator<Item = u32> + use<> {
        let first = self.first;
        (0..u32::from(self.count)).map(move |at| first + at * STEP)
    }

    fn has(&self, id: u32) -> bool {
        let distance = id.checked_sub(self.first);
        distance.is_some_and(|far| far.is_multiple_of(STEP) && far / STEP < self.count.into())
    }

    fn is_over(&self) -> bool {
        self.ended == [true; 2]
    }
}

impl Groups {
    /// All, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Stream<'_>> {
        self.groups.iter().flat_map(|group| group.ids().map(|id| Stream { id, of: &group.body }))
    }

    /// What was seen on it.
    pub(super) fn get(&self, id: u32) -> Option<&Body> {
        self.place(id).map(|at| &*self.groups[at].body)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, id: u32) -> Option<Known<'_>> {
        let at = self.place(id)?;
        self.at_mut(at, id)
    }

    /// Where a stream is, if it is remembered.
    pub(super) fn place(&self, id: u32) -> Option<usize> {
        // The newest are asked for most.
        self.groups.iter().rposition(|group| group.has(id))
    }

    /// The newest.
    pub(super) fn newest(&mut self) -> Option<Known<'_>> {
        let at = self.groups.len().checked_sub(1)?;
        let id = self.groups[at].first;
        self.at_mut(at, id)
    }

    /// A stream that is in the group there.
    pub(super) fn at_mut(&mut self, at: usize, id: u32) -> Option<Known<'_>> {
        let at = if self.groups[at].count > 1 { self.part(at, id) } else { at };
        let group = self.groups.get_mut(at)?;
        group.apart = false;
        Some(Known { ended: &mut group.ended, body: Rc::make_mut(&mut group.body) })
    }

    /// Of those that have not ended this way, the place among their messages is not known any more.
    pub(super) fn lose(&mut self, dir: Direction) {
        let at = dir.index();
        let going_on = self.groups.iter_mut().filter(|group| !group.ended[at]);
        for group in going_on.filter(|group| group.body.messages[at] != Messages::Lost) {
            group.apart = false;
            Rc::make_mut(&mut group.body).messages[at] = Messages::Lost;
        }
    }

    /// Remembers one more. The one that is forgotten for it, if one is, and whether anybody was seen to open that.
    pub(super) fn add(&mut self, id: u32) -> Option<(u32, bool)> {
        self.join();
        let forgotten = if self.count == STREAMS { self.forget() } else { None };
        if self.groups.is_empty() {
            self.spare.reserve_exact(SPARE);
            self.spare.resize_with(SPARE, Rc::default);
        }
        let body = self.spare.pop().unwrap_or_default();
        if self.groups.len() == self.groups.capacity() {
            // Most connections have few groups, and there are many connections.
            self.groups.reserve_exact((self.groups.len() / 2).max(4));
        }
        self.groups.push_back(Group { first: id, count: 1, ended: [false; 2], apart: false, body });
        self.count += 1;
        forgotten
    }

    /// Keeps the room of what nobody needs any more.
    fn spare(&mut self, mut body: Rc<Body>) {
        if let Some(room) = Rc::get_mut(&mut body).filter(|_| self.spare.len() < SPARE) {
            *room = Body::default();
            self.spare.push(body);
        }
    }

    /// Joins what became alike.
    fn join(&mut self) {
        for at in (1..self.groups.len()).rev().take(NEWEST) {
            let [before, group] = [at - 1, at].map(|at| &self.groups[at]);
            let follows = before.first.checked_add(STEP * u32::from(before.count)) == Some(group.first);
            let may_join = group.is_over() || at + GOING_ON < self.groups.len();
            if group.apart || !follows || !may_join {
                continue;
            }
            if before.ended != group.ended || before.body != group.body {
                self.groups[at].apart = true;
                self.share(at);
                continue;
            }
            if let Some(group) = self.groups.remove(at) {
                self.groups[at - 1].count += group.count;
                self.spare(group.body);
            }
        }
    }

    /// Has a group share what was seen with one before it that has the same: some sorts of streams take turns.
    fn share(&mut self, at: usize) {
        let own = &self.groups[at].body;
        let Some(same) = self.groups.range(..at).rev().find(|other| other.body == *own) else { return };
        let shared = Rc::clone(&same.body);
        let own = std::mem::replace(&mut self.groups[at].body, shared);
        self.spare(own);
    }

    /// Forgets the oldest that is over, or the oldest.
    fn forget(&mut self) -> Option<(u32, bool)> {
        let at = self.groups.iter().position(Group::is_over).unwrap_or(0);
        let group = self.groups.get_mut(at)?;
        let forgotten = (group.first, group.body.uses.iter().any(|usage| usage.opened));
        self.count -= 1;
        if group.count > 1 {
            group.count -= 1;
            group.first += STEP;
        } else if let Some(group) = self.groups.remove(at) {
            self.spare(group.body);
        }
        Some(forgotten)
    }

    /// Parts a stream from the others of its group; where it is now.
    fn part(&mut self, at: usize, id: u32) -> usize {
        let group = self.groups[at].clone();
        let before = ((id - group.first) / STEP) as u8;
        let after = group.count - before - 1;
        self.groups[at] = Group { first: id, count: 1, apart: false, ..group.clone() };
        if after > 0 {
            let rest = Group { first: id + STEP, count: after, apart: false, ..group.clone() };
            self.groups.insert(at + 1, rest);
        }
        if before > 0 {
            self.groups.insert(at, Group { count: before, ..group });
        }
        at + usize::from(before > 0)
    }
}

#[cfg(test)]
mod tests;
