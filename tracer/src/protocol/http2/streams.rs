//! Which process opened which stream.

use crate::protocol::{Few, User};

/// The newest streams that are remembered.
const KEPT: u16 = 256;

/// What HEADERS sent by a client mean for their stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// They open it.
    New,
    /// The same process sent HEADERS on it before: trailers.
    Known,
    /// This other process had opened it, or a higher one.
    Reused(User),
}

/// Streams that were opened one after the other, each with the number that follows (RFC 9113, 5.1.1), alike:
/// most connections have one run.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u32,
    last: u32,
    opener: User,
    /// The last other process that opened them, or the same where there is none.
    again: User,
}

const _: () = assert!(size_of::<Few<Run>>() == 24);

/// Between the numbers of two streams of one side.
const STEP: u32 = 2;

impl Run {
    fn has(&self, id: u32) -> bool {
        (self.first..=self.last).contains(&id) && (id - self.first).is_multiple_of(STEP)
    }
}

/// The newest streams that this end opened.
#[derive(Debug)]
pub(super) struct Streams {
    /// In the order in which they were opened.
    newest: Few<Run>,
    /// How many streams they are.
    count: u16,
    /// Streams up to this one may have been opened unseen.
    unseen: u32,
    doubted: bool,
}

impl Streams {
    /// None yet, and none missed.
    pub(super) fn new() -> Self {
        Self { newest: Few::None, count: 0, unseen: 0, doubted: false }
    }

    /// HEADERS may have been missed since the last that was seen.
    pub(super) fn doubt(&mut self) {
        self.doubted = true;
    }

    /// `user` sent HEADERS on `id`; `ends` is their END_STREAM, without which they cannot be trailers
    /// (RFC 9113, 8.1).
    pub(super) fn open(&mut self, id: u32, user: User, ends: bool) -> Opening {
        if let Some(at) = self.newest.iter().rposition(|run| run.has(id)) {
            let Run { opener, again, .. } = self.newest[at];
            if opener == user || again == user {
                return Opening::Known;
            }
            self.opened_again(at, id, user);
            return Opening::Reused(opener);
        }
        let higher = self.newest.iter().rev().find(|run| run.last > id && run.opener != user);
        let first = higher.map(|run| run.opener);
        let highest = self.newest.iter().map(|run| run.last).max();
        if std::mem::take(&mut self.doubted) {
            self.unseen = highest.unwrap_or(0).max(id);
        }
        let may_be_trailers = ends && id <= self.unseen;
        if self.count == KEPT {
            self.forget_oldest();
        }
        self.add(id, user);
        match first {
            Some(first) if !may_be_trailers => Opening::Reused(first),
            None if highest.is_none_or(|highest| highest < id) => Opening::New,
            _ => Opening::Known,
        }
    }

    fn add(&mut self, id: u32, opener: User) {
        self.count += 1;
        if let Some(newest) = self.newest.last_mut()
            && newest.last.checked_add(STEP) == Some(id)
            && (newest.opener, newest.again) == (opener, opener)
        {
            newest.last = id;
            return;
        }
        self.newest.push(Run { first: id, last: id, opener, again: opener });
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.newest.first_mut() else { return };
        self.unseen = self.unseen.max(oldest.first);
        self.count -= 1;
        if oldest.first == oldest.last {
            self.newest.remove(0);
        } else {
            oldest.first += STEP;
        }
    }

    /// A stream of the run there was opened by another, too: from now on it is a run of its own.
    fn opened_again(&mut self, at: usize, id: u32, again: User) {
        let run = self.newest[at];
        let own = Run { first: id, last: id, again, ..run };
        self.newest[at] = own;
        if id < run.last {
            self.newest.insert(at + 1, Run { first: id + STEP, ..run });
        }
        if run.first < id {
            self.newest.insert(at, Run { last: id - STEP, ..run });
        }
    }

    /// Who opened `id`, when `user` did not.
    pub(super) fn stranger(&self, id: u32, user: User) -> Option<User> {
        let run = self.newest.iter().rev().find(|run| run.has(id))?;
        (run.opener != user && run.again != user).then_some(run.opener)
    }
}

#[cfg(test)]
mod tests;
