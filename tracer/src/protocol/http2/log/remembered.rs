//! The streams that are remembered, each with what was seen on it: what was seen on many alike is kept
//! once, for all connections.

use super::coded::{Coded, Mark};
use super::stream::{Body, Stream};
use crate::protocol::http2::messages::Messages;
use crate::protocol::http2::shared::Pool;
use crate::protocol::{Direction, fetch};
use std::cell::RefCell;
use std::rc::Rc;

/// Streams that are remembered: the newest, and before them those that go on.
pub(super) const STREAMS: usize = 32;

/// Streams that may have what was seen on them for themselves between two transfers: those
/// that go on change again.
const OWN: u32 = 2;

/// How much room is kept for what is seen on streams that go on, so that most are followed
/// without asking for memory.
const SPARE: usize = 64;

/// For how many room is made at once.
const AT_ONCE: usize = 8;

thread_local! {
    static KNOWN: RefCell<Pool<Body>> = RefCell::default();
    static ROOM: RefCell<Vec<Rc<Body>>> = const { RefCell::new(Vec::new()) };
}

/// Streams in the order in which they were first seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    streams: Coded,
    /// What was seen on them, by the number in their marks. Those that no stream has are free.
    bodies: Vec<Rc<Body>>,
    /// Which of these are one stream's own, by bits: to be shared once it rests.
    own: u64,
    /// One that surely is free.
    free: Option<u8>,
    /// What was seen on one that was lost or over and goes on, while that is its own.
    goes_on: Option<u8>,
    /// How many streams they are.
    count: u8,
}

const _: () = assert!(size_of::<Remembered>() == 72);

const _: () = assert!(STREAMS < Mark::PLACES && Mark::PLACES == u64::BITS as usize);

/// A stream that is remembered.
pub(super) struct Known<'a> {
    streams: &'a mut Coded,
    at: usize,
    pub(super) body: &'a mut Body,
}

impl Known<'_> {
    /// This direction has ended.
    pub(super) fn end(&mut self, dir: Direction) {
        self.streams.set(self.at, self.streams.mark(self.at).ended(dir));
    }
}

impl Remembered {
    /// All, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Stream<'_>> {
        self.streams.iter().map(|(id, mark)| {
            let Body { uses, messages } = &*self.bodies[mark.place()];
            Stream { id, uses, messages: *messages }
        })
    }

    /// Has the processor fetch the list.
    pub(super) fn fetch(&self) {
        self.streams.fetch();
        fetch(&self.bodies[..]);
    }

    /// Whether it is remembered.
    pub(super) fn has(&self, id: u32) -> bool {
        self.streams.find(id).is_some()
    }

    /// What was seen on it.
    pub(super) fn get(&self, id: u32) -> Option<&Body> {
        let at = self.streams.find(id)?;
        Some(&self.bodies[self.streams.mark(at).place()])
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, id: u32) -> Option<Known<'_>> {
        let at = self.streams.find(id)?;
        self.at_mut(at)
    }

    /// The newest.
    pub(super) fn newest(&mut self) -> Option<Known<'_>> {
        let at = self.streams.last()?;
        self.at_mut(at)
    }

    /// The stream whose mark is there.
    fn at_mut(&mut self, at: usize) -> Option<Known<'_>> {
        let mut place = self.streams.mark(at).place();
        if Rc::get_mut(self.bodies.get_mut(place)?).is_none() {
            let mut own = room();
            Rc::make_mut(&mut own).clone_from(&self.bodies[place]);
            let rested = own.messages.contains(&Messages::Lost) || self.streams.mark(at).is_over();
            place = self.insert(own);
            self.goes_on = if rested { Some(place as u8) } else { self.goes_on };
            self.streams.set(at, self.streams.mark(at).at(place));
        }
        let body = Rc::get_mut(&mut self.bodies[place])?;
        Some(Known { streams: &mut self.streams, at, body })
    }

    /// Puts what is one stream's own in a free place.
    fn insert(&mut self, own: Rc<Body>) -> usize {
        let place = match self.free.take() {
            Some(place) => place.into(),
            None => {
                let taken = self.streams.iter().fold(0u64, |taken, (_, mark)| taken | 1 << mark.place());
                taken.trailing_ones() as usize
            }
        };
        self.own |= 1 << place;
        match self.bodies.get_mut(place) {
            Some(free) => give_back(std::mem::replace(free, own)),
            None => {
                if self.bodies.len() == self.bodies.capacity() {
                    // Most connections have few sorts of streams, and there are many connections.
                    self.bodies.reserve_exact(if self.bodies.is_empty() { 4 } else { 2 });
                }
                self.bodies.push(own);
            }
        }
        place
    }

    /// Of those that have not ended this way, the place among their messages is not known any more.
    pub(super) fn lose(&mut self, dir: Direction) {
        let mut next = self.streams.first();
        while let Some(at) = next {
            let mark = self.streams.mark(at);
            let lost = self.bodies[mark.place()].messages[dir.index()] == Messages::Lost;
            if !mark.has_ended(dir)
                && !lost
                && let Some(known) = self.at_mut(at)
            {
                known.body.messages[dir.index()] = Messages::Lost;
            }
            next = self.streams.after(at);
        }
    }

    /// Remembers one more. The one that is forgotten for it, if one is, and whether
    /// anybody was seen to open that.
    pub(super) fn add(&mut self, id: u32) -> Option<(u32, bool)> {
        let forgotten = if usize::from(self.count) == STREAMS { self.forget() } else { None };
        self.count += 1;
        let place = self.insert(room());
        self.streams.push(id, Mark::new(place));
        forgotten
    }

    /// Forgets the oldest that is over, or the oldest.
    fn forget(&mut self) -> Option<(u32, bool)> {
        let (id, mark) = self.streams.remove(Mark::is_over)?;
        self.count -= 1;
        Some((id, self.bodies[mark.place()].uses.iter().any(|usage| usage.opened)))
    }

    /// A transfer has ended: what will hardly change any more is shared, and more where many streams go on.
    pub(super) fn rest(&mut self) {
        let mut left = self.own;
        while left != 0 {
            let place = left.trailing_zeros() as usize;
            left &= left - 1;
            let Some(at) = self.streams.with_place(place) else {
                // Its stream was forgotten.
                self.pool(place);
                continue;
            };
            let goes_on = self.goes_on == Some(place as u8);
            let rests =
                self.streams.mark(at).is_over() || self.bodies[place].messages.contains(&Messages::Lost);
            if (rests && !goes_on) || self.own.count_ones() > OWN {
                self.share(at, place);
            }
        }
    }

    /// Has a stream share what was seen on it with all others on which the same was.
    fn share(&mut self, at: usize, place: usize) {
        self.goes_on = self.goes_on.filter(|&at| usize::from(at) != place);
        let own = &self.bodies[place];
        let same = self.bodies.iter().enumerate().position(|(other, body)| {
            let is_shared = other != place && self.own & 1 << other == 0;
            is_shared && body == own
        });
        let Some(same) = same else { return self.pool(place) };
        let shared = Rc::clone(&self.bodies[same]);
        give_back(std::mem::replace(&mut self.bodies[place], shared));
        self.own &= !(1 << place);
        self.free = Some(place as u8);
        self.streams.set(at, self.streams.mark(at).at(same));
    }

    /// Has all connections share what is there: whatever is not one stream's own never changes.
    fn pool(&mut self, place: usize) {
        self.own &= !(1 << place);
        KNOWN.with_borrow_mut(|known| known.share(&mut self.bodies[place])).into_iter().for_each(give_back);
    }
}

/// Room for what is seen on a stream: nothing yet.
fn room() -> Rc<Body> {
    ROOM.with_borrow_mut(|room| {
        if room.is_empty() {
            room.resize_with(AT_ONCE, Rc::default);
        }
        room.pop().unwrap_or_default()
    })
}

/// Keeps the room of what nobody needs any more.
fn give_back(mut body: Rc<Body>) {
    ROOM.with_borrow_mut(|room| {
        if let Some(empty) = Rc::get_mut(&mut body).filter(|_| room.len() < SPARE) {
            *empty = Body::default();
            room.push(body);
        }
    });
}

impl PartialEq for Remembered {
    fn eq(&self, other: &Self) -> bool {
        let all = |of: &Self| -> Vec<_> {
            let streams = of.iter().zip(of.streams.iter());
            streams
                .map(|(stream, (_, mark))| (stream.id, mark.at(0), stream.uses.to_vec(), stream.messages))
                .collect()
        };
        all(self) == all(other)
    }
}

impl Eq for Remembered {}

#[cfg(test)]
mod tests;
