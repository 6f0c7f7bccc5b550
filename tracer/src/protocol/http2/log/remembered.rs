//! The streams that are remembered: those that go on, and those of the past.

use super::coded::Mark;
use super::past::Past;
use super::stream::{Body, Stream};
use crate::protocol::http2::messages::Messages;
use crate::protocol::{Direction, Few, fetch};
use std::cell::RefCell;

/// Streams that are remembered: the newest, and before them those that go on.
pub(super) const STREAMS: usize = 32;

/// Streams that may go on between two transfers. Of more the oldest are taken for past, and come back when
/// they do go on.
const GOING: usize = 8;

/// How much room is kept for streams that go on, so that most are followed without asking for memory.
const SPARE: usize = 64;

/// For how many room is made at once.
const AT_ONCE: usize = 8;

thread_local! {
    static ROOM: RefCell<Vec<Box<Going>>> = const { RefCell::new(Vec::new()) };
}

/// A stream that goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Going {
    id: u32,
    mark: Mark,
    /// It was past, and went on: it stays here until another begins.
    again: bool,
    pub(super) body: Body,
}

impl Going {
    /// This direction has ended.
    pub(super) fn end(&mut self, dir: Direction) {
        self.mark = self.mark.ended(dir);
    }

    /// It will hardly change any more.
    fn rests(&self) -> bool {
        !self.again && (self.mark.is_over() || self.body.messages.contains(&Messages::Lost))
    }
}

/// Streams, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// The newest last.
    // Each by itself in the heap: most connections have none at most times, and there are many connections.
    going: Few<Box<Going>>,
    past: Past,
}

const _: () = assert!(size_of::<Remembered>() == 88 && GOING < STREAMS && STREAMS < Mark::PLACES);

impl Remembered {
    /// All, by their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = Stream<'_>> {
        let going = self.going.iter().map(|going| going.body.of(going.id));
        let mut all: Vec<_> = self.past.iter().map(|(id, _, body)| body.of(id)).chain(going).collect();
        all.sort_unstable_by_key(|stream| stream.id);
        all.into_iter()
    }

    /// Has the processor fetch them.
    pub(super) fn fetch(&self) {
        match &self.going {
            Few::None => {}
            Few::One(going) => fetch(&**going),
            Few::Many(going) => fetch(&going[..]),
        }
        self.past.fetch();
    }

    /// What was seen on a stream.
    pub(super) fn get(&self, id: u32) -> Option<&Body> {
        let going = self.going.iter().find(|going| going.id == id);
        going.map(|going| &going.body).or_else(|| self.past.get(id))
    }

    /// The place of a stream among those that go on, as it does from now on.
    pub(super) fn find(&mut self, id: u32) -> Option<usize> {
        self.going.iter().rposition(|going| going.id == id).or_else(|| self.go_on(id))
    }

    /// One that was past goes on.
    fn go_on(&mut self, id: u32) -> Option<usize> {
        let (mark, body) = self.past.take(id)?;
        let mut going = room();
        (going.id, going.mark, going.again) = (id, mark, true);
        going.body.clone_from(&body);
        self.going.push(going);
        Some(self.going.len() - 1)
    }

    /// The stream at this place.
    pub(super) fn at_mut(&mut self, at: usize) -> Option<&mut Going> {
        self.going.get_mut(at).map(|going| &mut **going)
    }

    /// A stream that is remembered.
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Going> {
        let at = self.find(id)?;
        self.at_mut(at)
    }

    /// Of those that have not ended this way, the place among their messages is not known any more.
    pub(super) fn lose(&mut self, dir: Direction) {
        let at = dir.index();
        while let Some(id) = self.past.find(|mark, body| !mark.has_ended(dir) && !body.is_lost(dir)) {
            self.go_on(id);
        }
        for going in self.going.iter_mut().filter(|going| !going.mark.has_ended(dir)) {
            going.body.messages[at] = Messages::Lost;
            going.again = false;
        }
    }

    /// Remembers one more. Its place, and the one that is forgotten for it, if one is: whether anybody was
    /// seen to open that.
    pub(super) fn add(&mut self, id: u32) -> (usize, Option<(u32, bool)>) {
        self.going.iter_mut().for_each(|going| going.again = false);
        let is_full = self.going.len() + self.past.len() >= STREAMS;
        let forgotten = is_full.then(|| self.forget()).flatten();
        let mut going = room();
        going.id = id;
        self.going.push(going);
        (self.going.len() - 1, forgotten)
    }

    /// Forgets the oldest that is over, or the oldest of the past.
    fn forget(&mut self) -> Option<(u32, bool)> {
        self.rest();
        let (id, body) = self.past.forget()?;
        Some((id, body.uses.iter().any(|usage| usage.opened)))
    }

    /// A transfer has ended: what will hardly change any more is past, and more where many streams go on.
    pub(super) fn rest(&mut self) {
        while let Some(at) = self.going.iter().position(|going| going.rests()) {
            self.pass(at);
        }
        while self.going.len() > GOING {
            self.pass(0);
        }
    }

    /// The stream at this place is past.
    fn pass(&mut self, at: usize) {
        if let Some(going) = self.going.remove(at) {
            self.past.push(going.id, going.mark, &going.body);
            give_back(going);
        }
    }
}

/// Room for a stream on which nothing was seen yet.
fn room() -> Box<Going> {
    ROOM.with_borrow_mut(|room| {
        if room.is_empty() {
            room.resize_with(AT_ONCE, Box::default);
        }
        room.pop().unwrap_or_default()
    })
}

/// Keeps the room of a stream that does not need it any more.
fn give_back(mut going: Box<Going>) {
    ROOM.with_borrow_mut(|room| {
        if room.len() < SPARE {
            *going = Going::default();
            room.push(going);
        }
    });
}

impl PartialEq for Remembered {
    fn eq(&self, other: &Self) -> bool {
        let all = |of: &Self| -> Vec<_> {
            let going = of.going.iter().map(|going| (going.id, going.mark, going.body.clone()));
            let past = of.past.iter().map(|(id, mark, body)| (id, mark, body.clone()));
            let mut all: Vec<_> = past.chain(going).collect();
            all.sort_unstable_by_key(|&(id, ..)| id);
            all
        };
        all(self) == all(other)
    }
}

impl Eq for Remembered {}

#[cfg(test)]
mod tests;
