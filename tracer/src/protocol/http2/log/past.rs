//! The streams of the past: in as little room as can be. What was seen on many alike is kept once, for all
//! connections.

use super::coded::{Coded, Mark};
use super::stream::Body;
use crate::protocol::fetch;
use crate::protocol::http2::shared::Pool;
use std::cell::RefCell;
use std::rc::Rc;

thread_local! {
    static KNOWN: RefCell<Pool<Body>> = RefCell::default();
}

/// Streams in the order in which they were taken for past.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    streams: Coded,
    /// What was seen on them, by the place in their marks. What no stream has may be replaced.
    bodies: Vec<Rc<Body>>,
    /// The highest that there was.
    highest: u32,
    count: u8,
}

impl Past {
    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.count.into()
    }

    /// All, oldest first, without the places in their marks.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Mark, &Body)> {
        self.streams.iter().map(|(id, mark)| (id, mark.at(0), &*self.bodies[mark.place()]))
    }

    /// Has the processor fetch them.
    pub(super) fn fetch(&self) {
        self.streams.fetch();
        fetch(&self.bodies[..]);
    }

    /// Whether a stream is none of these, for all that need be asked: new ones are asked for most.
    fn is_new(&self, id: u32) -> bool {
        id > self.highest
    }

    /// What was seen on a stream.
    pub(super) fn get(&self, id: u32) -> Option<&Body> {
        if self.is_new(id) {
            return None;
        }
        self.iter().find(|&(known, ..)| known == id).map(|(.., body)| body)
    }

    /// The first stream that is as asked.
    pub(super) fn find(&self, is: impl Fn(Mark, &Body) -> bool) -> Option<u32> {
        self.iter().find(|&(_, mark, body)| is(mark, body)).map(|(id, ..)| id)
    }

    /// A stream is past.
    pub(super) fn push(&mut self, id: u32, mark: Mark, body: &Body) {
        let place = self.place_of(body);
        self.streams.push(id, mark.at(place));
        self.highest = self.highest.max(id);
        self.count += 1;
    }

    /// The place of what was seen on a stream.
    fn place_of(&mut self, body: &Body) -> usize {
        if let Some(place) = self.bodies.iter().position(|known| **known == *body) {
            return place;
        }
        let shared = KNOWN.with_borrow_mut(|known| known.share(body));
        let taken = self.streams.iter().fold(0u64, |taken, (_, mark)| taken | 1 << mark.place());
        let place = taken.trailing_ones() as usize;
        match self.bodies.get_mut(place) {
            Some(free) => *free = shared,
            None => {
                if self.bodies.len() == self.bodies.capacity() {
                    // Most connections have few sorts of streams, and there are many connections.
                    self.bodies.reserve_exact(if self.bodies.is_empty() { 4 } else { 2 });
                }
                self.bodies.push(shared);
            }
        }
        place
    }

    /// Takes a stream out, which is past no longer.
    pub(super) fn take(&mut self, id: u32) -> Option<(Mark, Rc<Body>)> {
        if self.is_new(id) {
            return None;
        }
        let (_, mark, body) = self.remove(|known, _| known == id)?;
        Some((mark, body))
    }

    /// Forgets the oldest stream that is over, or the oldest: what was seen on it.
    pub(super) fn forget(&mut self) -> Option<(u32, Rc<Body>)> {
        let forgotten = self.remove(|_, mark| mark.is_over()).or_else(|| self.remove(|_, _| true));
        forgotten.map(|(id, _, body)| (id, body))
    }

    fn remove(&mut self, is: impl Fn(u32, Mark) -> bool) -> Option<(u32, Mark, Rc<Body>)> {
        let (id, mark) = self.streams.remove(is)?;
        self.count -= 1;
        Some((id, mark.at(0), Rc::clone(&self.bodies[mark.place()])))
    }
}
