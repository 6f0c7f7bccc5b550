//! Which process opened which stream.

use crate::protocol::User;
use std::collections::VecDeque;

/// The newest streams that are remembered.
const KEPT: usize = 256;

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

#[derive(Clone, Copy, Debug)]
struct Stream {
    id: u32,
    opener: User,
    /// The last other process that opened it.
    again: Option<User>,
}

/// The newest streams that this end opened.
#[derive(Debug)]
pub(super) struct Streams {
    newest: VecDeque<Stream>,
    /// Streams up to this one may have been opened unseen.
    unseen: u32,
    doubted: bool,
}

impl Streams {
    /// None yet, and none missed.
    pub(super) fn new() -> Self {
        Self { newest: VecDeque::with_capacity(KEPT), unseen: 0, doubted: false }
    }

    /// HEADERS may have been missed since the last that was seen.
    pub(super) fn doubt(&mut self) {
        self.doubted = true;
    }

    /// `user` sent HEADERS on `id`; `ends` is their END_STREAM, without which they cannot be trailers
    /// (RFC 9113, 8.1).
    pub(super) fn open(&mut self, id: u32, user: User, ends: bool) -> Opening {
        if let Some(stream) = self.newest.iter_mut().rev().find(|stream| stream.id == id) {
            if stream.opener == user || stream.again == Some(user) {
                return Opening::Known;
            }
            stream.again = Some(user);
            return Opening::Reused(stream.opener);
        }
        let higher = self.newest.iter().rev().find(|stream| stream.id > id && stream.opener != user);
        let first = higher.map(|stream| stream.opener);
        let is_newest = self.newest.iter().all(|stream| stream.id < id);
        if std::mem::take(&mut self.doubted) {
            self.unseen = self.newest.iter().map(|stream| stream.id).max().unwrap_or(0).max(id);
        }
        let may_be_trailers = ends && id <= self.unseen;
        if self.newest.len() == KEPT
            && let Some(oldest) = self.newest.pop_front()
        {
            self.unseen = self.unseen.max(oldest.id);
        }
        self.newest.push_back(Stream { id, opener: user, again: None });
        match first {
            Some(first) if !may_be_trailers => Opening::Reused(first),
            None if is_newest => Opening::New,
            _ => Opening::Known,
        }
    }

    /// Who opened `id`, when `user` did not.
    pub(super) fn stranger(&self, id: u32, user: User) -> Option<User> {
        let stream = self.newest.iter().rev().find(|stream| stream.id == id)?;
        (stream.opener != user && stream.again != Some(user)).then_some(stream.opener)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: User = User(1);
    const C: User = User(2);

    /// (user, stream, END_STREAM) one after another, and what the last one is. Stream 0 is a loss.
    fn check(steps: &[(User, u32, bool)], last: Opening) {
        let mut streams = Streams::new();
        let mut seen = Opening::Known;
        for &(user, id, ends) in steps {
            if id == 0 {
                streams.doubt();
            } else {
                seen = streams.open(id, user, ends);
            }
        }
        assert_eq!(seen, last, "{steps:?}");
    }

    #[test]
    fn who_opened_what() {
        check(&[(P, 1, false)], Opening::New);
        check(&[(P, 1, false), (P, 1, true)], Opening::Known);
        check(&[(P, 1, false), (C, 3, false)], Opening::New);
        check(&[(C, 3, false), (P, 3, false)], Opening::Reused(C));
        check(&[(C, 3, false), (P, 3, false), (P, 3, true)], Opening::Known);
        check(&[(C, 3, false), (P, 1, true)], Opening::Reused(C));
        // After a loss, HEADERS that end a lower stream may be its trailers.
        check(&[(P, 0, false), (C, 3, false), (P, 1, true)], Opening::Known);
        check(&[(P, 0, false), (C, 3, false), (P, 1, false)], Opening::Reused(C));
        // A process' own lower stream says nothing.
        check(&[(P, 0, false), (P, 5, false), (P, 3, true)], Opening::Known);
    }

    #[test]
    fn the_table_forgets_the_oldest() {
        let mut streams = Streams::new();
        for id in (1..2000).step_by(2) {
            assert_eq!(streams.open(id, P, false), Opening::New);
        }
        assert_eq!(streams.newest.len(), KEPT);
        assert_eq!(streams.stranger(1999, C), Some(P));
        assert_eq!(streams.stranger(1, C), None);
        assert_eq!(streams.open(1, C, true), Opening::Known, "forgotten: perhaps trailers");
    }
}
