//! Which streams are open: their life, seen from the client (RFC 9113, 5.1).
//!
//! ```text
//!   HEADERS sent --> open --END_STREAM sent------> half-closed --END_STREAM received--> closed
//!                      \----END_STREAM received--> half-closed --END_STREAM sent----------^
//!                       \---RST_STREAM either way-------------------------------/
//! ```

use crate::protocol::{Direction, Few, InFlight, User};

/// Streams that are followed at once, the newest: servers allow about 100 (RFC 9113, 6.5.2).
const FOLLOWED: usize = 256;

#[derive(Clone, Copy, Debug)]
struct Life {
    id: u32,
    opener: User,
    /// By [`Direction::index`]: this direction has ended, or may have.
    ended: [bool; 2],
    /// Nothing was missed that may have closed it.
    sure: bool,
}

/// The streams that this end opened and that are not closed.
#[derive(Debug)]
pub(super) struct Open {
    streams: Few<Life>,
    /// There may be others.
    doubted: bool,
    /// The newest streams whose answers' ends were told before their beginnings, 0: none. A thread that
    /// sends may lose its processor after the bytes have gone and before its call has ended: another one
    /// has read the answers then.
    answered_early: [u32; 2],
}

impl Open {
    /// None yet. `fresh`: none were opened before.
    pub(super) fn new(fresh: bool) -> Self {
        Self { streams: Few::None, doubted: !fresh, answered_early: [0; 2] }
    }

    /// `opener` sent the HEADERS that open a stream.
    pub(super) fn opened(&mut self, id: u32, opener: User) {
        if self.place(id).is_some() {
            return;
        }
        if self.streams.len() == FOLLOWED {
            self.streams.remove(0);
        }
        let early = self.answered_early.iter_mut().find(|early| **early == id);
        let answered = early.map(std::mem::take).is_some();
        let mut ended = [false; 2];
        ended[Direction::Received.index()] = answered;
        self.streams.push(Life { id, opener, ended, sure: !answered });
    }

    /// END_STREAM passed this way.
    pub(super) fn ended(&mut self, id: u32, dir: Direction) {
        let Some(at) = self.place(id) else {
            if dir == Direction::Received {
                self.answered_early = [self.answered_early[1], id];
            }
            return;
        };
        let ended = &mut self.streams[at].ended;
        ended[dir.index()] = true;
        if *ended == [true; 2] {
            self.streams.remove(at);
        }
    }

    /// RST_STREAM passed.
    pub(super) fn reset(&mut self, id: u32) {
        if let Some(at) = self.place(id) {
            self.streams.remove(at);
        }
    }

    /// Frames were missed this way. Of those that were sent, only RST_STREAM closes a stream that has no
    /// answer yet, which is rare; of those that were received, the end of each answer does.
    pub(super) fn lose(&mut self, dir: Direction) {
        self.doubted = true;
        match dir {
            Direction::Received => self.streams.clear(),
            Direction::Sent => self.streams.retain_mut(|stream| {
                stream.ended[dir.index()] = true;
                stream.sure = false;
                stream.ended != [true; 2]
            }),
        }
    }

    /// Is none open, as far as is known?
    pub(super) fn is_none(&self) -> bool {
        self.streams.is_empty()
    }

    /// What is open now.
    pub(super) fn in_flight(&self) -> InFlight {
        match self.streams.len() {
            0 if self.doubted => InFlight::Unknown,
            0 => InFlight::Nothing,
            count => {
                let named = self.streams.iter().take(InFlight::NAMED);
                let sure = named.clone().all(|stream| stream.sure);
                let oldest = named.map(|stream| (stream.id, stream.opener)).collect();
                InFlight::Streams { count, oldest, sure }
            }
        }
    }

    /// The newest are asked for most.
    fn place(&self, id: u32) -> Option<usize> {
        self.streams.iter().rposition(|stream| stream.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Received, Sent};

    const P: User = User(1);

    #[track_caller]
    fn check(steps: impl FnOnce(&mut Open), open: Option<&[u32]>) {
        let mut streams = Open::new(true);
        steps(&mut streams);
        let found = match streams.in_flight() {
            InFlight::Unknown => None,
            InFlight::Streams { oldest, .. } => Some(oldest.iter().map(|(id, _)| *id).collect()),
            _ => Some(Vec::new()),
        };
        assert_eq!(found.as_deref(), open);
    }

    #[test]
    fn streams_live_until_both_ends_have_ended() {
        check(|_| (), Some(&[]));
        check(|open| open.opened(1, P), Some(&[1]));
        for (first, second) in [(Sent, Received), (Received, Sent)] {
            let begin = |open: &mut Open| {
                open.opened(1, P);
                open.ended(1, first);
                open.ended(1, first);
            };
            check(begin, Some(&[1]));
            let end = |open: &mut Open| {
                begin(open);
                open.ended(1, second);
            };
            check(end, Some(&[]));
        }
        let three = |open: &mut Open| [1, 3, 5].into_iter().for_each(|id| open.opened(id, P));
        let then = |what: fn(&mut Open)| {
            move |open: &mut Open| {
                three(open);
                what(open);
            }
        };
        check(then(|open| open.reset(3)), Some(&[1, 5]));
        check(then(|open| open.opened(3, P)), Some(&[1, 3, 5]));
        check(then(|open| open.ended(7, Sent)), Some(&[1, 3, 5]));
        check(then(|open| open.lose(Received)), None);
        let answered_early = |open: &mut Open| {
            [7, 9].into_iter().for_each(|id| open.ended(id, Received));
            for id in [7, 9] {
                open.opened(id, P);
                open.ended(id, Sent);
            }
        };
        check(then(answered_early), Some(&[1, 3, 5]));
        check(then(|open| open.lose(Sent)), Some(&[1, 3, 5]));
        check(
            |open| {
                open.lose(Received);
                open.opened(9, P);
            },
            Some(&[9]),
        );
        // The end of the request may be among what was missed: the answer's decides.
        check(
            |open| {
                three(open);
                open.ended(1, Received);
                open.lose(Sent);
                open.ended(3, Received);
            },
            Some(&[5]),
        );
    }

    #[test]
    fn no_more_are_followed_than_a_client_may_open() {
        let mut open = Open::new(true);
        (0..5000).for_each(|id| open.opened(2 * id + 1, P));
        assert_eq!(open.streams.len(), FOLLOWED);
        let InFlight::Streams { count, oldest, .. } = open.in_flight() else { panic!("open") };
        assert_eq!((count, oldest.len()), (FOLLOWED, InFlight::NAMED));
    }
}
