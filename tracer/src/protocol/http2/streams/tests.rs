//! What openings mean, and that runs say what single streams do.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

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
    assert_eq!((streams.count, streams.newest.len()), (KEPT, 1));
    assert_eq!(streams.stranger(1999, C), Some(P));
    assert_eq!(streams.stranger(1, C), None);
    assert_eq!(streams.open(1, C, true), Opening::Known, "forgotten: perhaps trailers");
}

/// Stream by stream, as it is told above.
#[derive(Default)]
struct Single {
    /// Stream, its opener, the last other process that opened it.
    newest: VecDeque<(u32, User, Option<User>)>,
    unseen: u32,
    doubted: bool,
}

impl Single {
    fn open(&mut self, id: u32, user: User, ends: bool) -> Opening {
        if let Some((_, opener, again)) = self.newest.iter_mut().find(|(known, ..)| *known == id) {
            if *opener == user || *again == Some(user) {
                return Opening::Known;
            }
            *again = Some(user);
            return Opening::Reused(*opener);
        }
        let higher = self.newest.iter().rev().find(|(known, opener, _)| *known > id && *opener != user);
        let first = higher.map(|(_, opener, _)| *opener);
        let is_newest = self.newest.iter().all(|(known, ..)| *known < id);
        if std::mem::take(&mut self.doubted) {
            self.unseen = self.newest.iter().map(|(known, ..)| *known).max().unwrap_or(0).max(id);
        }
        let may_be_trailers = ends && id <= self.unseen;
        if self.newest.len() == usize::from(KEPT)
            && let Some((oldest, ..)) = self.newest.pop_front()
        {
            self.unseen = self.unseen.max(oldest);
        }
        self.newest.push_back((id, user, None));
        match first {
            Some(first) if !may_be_trailers => Opening::Reused(first),
            None if is_newest => Opening::New,
            _ => Opening::Known,
        }
    }

    fn stranger(&self, id: u32, user: User) -> Option<User> {
        let (_, opener, again) = self.newest.iter().find(|(known, ..)| *known == id)?;
        (*opener != user && *again != Some(user)).then_some(*opener)
    }
}

/// What one opens next: so many numbers on from the last, mostly one.
fn step() -> impl Strategy<Value = (u32, i32, bool, bool)> {
    (0..3_u32, prop_oneof![4 => Just(1), 1 => -300..300], any::<bool>(), prop::bool::weighted(0.01))
}

proptest! {
    #[test]
    fn runs_say_what_single_streams_do(steps in prop::collection::vec(step(), 1..700)) {
        let (mut runs, mut single, mut id) = (Streams::new(), Single::default(), 0);
        for (user, on, ends, doubt) in steps {
            if doubt {
                runs.doubt();
                single.doubted = true;
            }
            id = (id + on).max(0);
            let (stream, user) = (2 * id as u32 + 1, User(user));
            prop_assert_eq!(runs.open(stream, user, ends), single.open(stream, user, ends));
            for (near, other) in [(stream, 0), (stream, 1), (stream.saturating_sub(500), 2)] {
                prop_assert_eq!(runs.stranger(near, User(other)), single.stranger(near, User(other)));
            }
            prop_assert_eq!((usize::from(runs.count), runs.unseen), (single.newest.len(), single.unseen));
        }
    }
}
