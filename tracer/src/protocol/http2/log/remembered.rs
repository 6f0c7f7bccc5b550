//! The streams that are remembered: those that go on, and those of the past.

use super::coded::Mark;
use super::past::Past;
use super::stream::{Body, Stream};
use crate::protocol::http2::messages::Messages;
use crate::protocol::{Direction, fetch};
use std::cell::RefCell;

/// Streams that are remembered: for one more the oldest that is over is forgotten, or the oldest of the past.
pub(super) const STREAMS: usize = 32;

/// Streams that may go on between two transfers. Of more the oldest are taken for past, and come back when
/// they do go on.
const GOING: usize = 8;

/// For how many streams to come room is kept, so that most are followed without asking for memory.
const SPARE: usize = 16;

/// For how many room is made at once.
const AT_ONCE: usize = 8;

thread_local! {
    static ROOM: RefCell<Room> = RefCell::default();
}

/// What streams left that are past.
#[derive(Default)]
struct Room {
    free: Option<Box<Going>>,
    count: usize,
}

impl Room {
    fn take(&mut self) -> Option<Box<Going>> {
        let mut found = self.free.take()?;
        self.free = found.before.take();
        self.count -= 1;
        Some(found)
    }

    fn keep(&mut self, mut going: Box<Going>) {
        if self.count < SPARE {
            *going = Going { before: self.free.take(), ..Going::default() };
            self.free = Some(going);
            self.count += 1;
        }
    }
}

/// A stream that goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Going {
    id: u32,
    mark: Mark,
    /// It was past, and went on: it stays here until another begins.
    again: bool,
    pub(super) body: Body,
    /// The one that began, or went on, before it.
    before: Option<Box<Self>>,
}

impl Going {
    /// This direction has ended.
    pub(super) fn end(&mut self, dir: Direction) {
        self.mark = self.mark.ended(dir);
    }

    /// It will hardly change any more.
    fn rests(&self) -> bool {
        let is_lost = || self.body.messages.iter().any(|messages| matches!(messages, Messages::Lost));
        !self.again && (self.mark.is_over() || is_lost())
    }
}

/// Streams, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// The newest, and by it the others.
    // Most connections have none at most times, and there are many connections: a list would be larger.
    newest: Option<Box<Going>>,
    past: Past,
}

const _: () = assert!(size_of::<Remembered>() == 72 && GOING < STREAMS && STREAMS < Mark::PLACES);

impl Remembered {
    /// Those that go on, the newest first.
    fn going(&self) -> impl Iterator<Item = &Going> {
        std::iter::successors(self.newest.as_deref(), |going| going.before.as_deref())
    }

    /// All, by their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = Stream<'_>> {
        let going = self.going().map(|going| going.body.of(going.id));
        let mut all: Vec<_> = self.past.iter().map(|(id, _, body)| body.of(id)).chain(going).collect();
        all.sort_unstable_by_key(|stream| stream.id);
        all.into_iter()
    }

    /// Has the processor fetch them.
    pub(super) fn fetch(&self) {
        self.newest.iter().for_each(|newest| fetch(&**newest));
        self.past.fetch();
    }

    /// What was seen on a stream.
    pub(super) fn get(&self, id: u32) -> Option<&Body> {
        let going = self.going().find(|going| going.id == id);
        going.map(|going| &going.body).or_else(|| self.past.get(id))
    }

    /// The place of a stream that is remembered: it goes on.
    pub(super) fn place(&mut self, id: u32) -> Option<usize> {
        let place = self.going().position(|going| going.id == id);
        place.or_else(|| self.go_on(id).map(|_| 0))
    }

    /// The stream at a place: so many others have begun, or gone on, after it.
    pub(super) fn at(&mut self, place: usize) -> Option<&mut Going> {
        let mut at = self.newest.as_deref_mut();
        for _ in 0..place {
            at = at?.before.as_deref_mut();
        }
        at
    }

    /// A stream that is remembered: it goes on.
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Going> {
        let place = self.place(id)?;
        self.at(place)
    }

    /// One that was past goes on.
    fn go_on(&mut self, id: u32) -> Option<&mut Going> {
        let (mark, body) = self.past.take(id)?;
        let going = self.begin(id);
        (going.mark, going.again) = (mark, true);
        going.body.clone_from(&body);
        Some(going)
    }

    fn begin(&mut self, id: u32) -> &mut Going {
        let mut going = room();
        (going.id, going.before) = (id, self.newest.take());
        self.newest.insert(going)
    }

    /// Of those that have not ended this way, the place among their messages is not known any more.
    pub(super) fn lose(&mut self, dir: Direction) {
        while let Some(id) = self.past.find(|mark, body| !mark.has_ended(dir) && !body.is_lost(dir)) {
            self.go_on(id);
        }
        self.each(|going| {
            if !going.mark.has_ended(dir) {
                going.body.messages[dir.index()] = Messages::Lost;
                going.again = false;
            }
        });
    }

    fn each(&mut self, mut change: impl FnMut(&mut Going)) {
        let mut at = self.newest.as_deref_mut();
        while let Some(going) = at {
            change(going);
            at = going.before.as_deref_mut();
        }
    }

    /// Remembers one more. The one that is forgotten for it, if one is, and whether anybody was seen to open
    /// that.
    pub(super) fn add(&mut self, id: u32) -> (&mut Going, Option<(u32, bool)>) {
        self.each(|going| going.again = false);
        let is_full = self.going().count() + self.past.len() >= STREAMS;
        let forgotten = is_full.then(|| self.forget()).flatten();
        (self.begin(id), forgotten)
    }

    /// Forgets the oldest that is over, or the oldest of the past.
    fn forget(&mut self) -> Option<(u32, bool)> {
        self.rest();
        let (id, body) = self.past.forget()?;
        Some((id, body.uses.iter().any(|usage| usage.opened)))
    }

    /// A transfer has ended: what will hardly change any more is past, and more where many streams go on.
    pub(super) fn rest(&mut self) {
        while let Some(rests) = self.take(Going::rests) {
            self.pass(rests);
        }
        while self.going().nth(GOING).is_some()
            && let Some(oldest) = self.take(|_| true)
        {
            self.pass(oldest);
        }
    }

    /// Takes out the oldest that is as asked.
    fn take(&mut self, is: impl Fn(&Going) -> bool) -> Option<Box<Going>> {
        let (place, _) = self.going().enumerate().filter(|(_, going)| is(going)).last()?;
        let mut at = &mut self.newest;
        for _ in 0..place {
            at = &mut at.as_mut()?.before;
        }
        let mut taken = at.take()?;
        *at = taken.before.take();
        Some(taken)
    }

    /// A stream is past.
    fn pass(&mut self, going: Box<Going>) {
        self.past.push(going.id, going.mark, &going.body);
        give_back(going);
    }
}

/// Room for a stream on which nothing was seen yet.
fn room() -> Box<Going> {
    ROOM.with_borrow_mut(|room| {
        if room.count == 0 {
            (0..AT_ONCE).for_each(|_| room.keep(Box::default()));
        }
        room.take().unwrap_or_default()
    })
}

/// Keeps the room of a stream that does not need it any more.
fn give_back(going: Box<Going>) {
    ROOM.with_borrow_mut(|room| room.keep(going));
}

impl PartialEq for Remembered {
    fn eq(&self, other: &Self) -> bool {
        let all = |of: &Self| -> Vec<_> {
            let going = of.going().map(|going| (going.id, going.mark, going.body.clone()));
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
