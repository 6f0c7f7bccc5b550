//! Who asked, in protocols where a reply names its request: by an id, or by what it answers.

mod session;

use super::{InFlight, Sign, User};
use std::collections::VecDeque;

pub(super) use session::{Dialect, Heard, KeyedSession};

/// Requests that are remembered while no reply comes.
const MOST: usize = 64;

/// One request that waits for its reply.
#[derive(Clone, Copy, Debug)]
struct Request {
    key: u64,
    by: User,
    /// There may be no reply to it.
    silent: bool,
    sure: bool,
}

/// The reply whose first bytes were read last.
#[derive(Clone, Copy, Debug)]
struct Reading {
    requester: Option<User>,
    reader: User,
    sure: bool,
}

/// The requests that wait for their replies.
#[derive(Clone, Debug)]
pub(super) struct Keyed {
    waiting: VecDeque<Request>,
    reading: Option<Reading>,
    /// No request that will be answered was forgotten, nor passed unseen.
    sure: bool,
}

impl Keyed {
    /// Nothing asked. `fresh`: the session is read from its first byte.
    pub(super) fn new(fresh: bool) -> Self {
        Self { waiting: VecDeque::new(), reading: None, sure: fresh }
    }

    /// A request with this key began. `silent`: it is possible that nothing answers it.
    pub(super) fn request(&mut self, key: u64, by: User, silent: bool, out: &mut dyn FnMut(Sign)) {
        if self.waiting.len() == MOST
            && let Some(forgotten) = self.waiting.pop_front()
            && !forgotten.silent
        {
            self.doubt();
        }
        self.waiting.push_back(Request { key, by, silent, sure: self.sure });
        out(Sign::Request { by });
    }

    /// What its client waits for. A request that may have no reply is none to wait for.
    pub(super) fn in_flight(&self) -> InFlight {
        if !self.sure {
            return InFlight::Unknown;
        }
        let mut asked = self.waiting.iter().filter(|request| !request.silent);
        let Some(first) = asked.next() else { return InFlight::Nothing };
        InFlight::Requests { count: 1 + asked.count() as u32, first: first.by, begun: false }
    }

    /// The first bytes of the reply to a request with this key were read. Two processes that count on from
    /// the same number ask with the same key: then the first that asked is answered first, unless it may be
    /// none is.
    pub(super) fn reply(&mut self, key: u64, reader: User, out: &mut dyn FnMut(Sign)) {
        let at = self.waiting.iter().position(|request| request.key == key);
        let request = at.and_then(|at| self.waiting.remove(at));
        let others = |by| self.waiting.iter().any(|other| other.key == key && other.by != by);
        let known = request.filter(|request| !(request.silent && others(request.by)));
        let sure = known.is_some_and(|request| request.sure);
        let requester = known.map(|request| request.by);
        self.reading = Some(Reading { requester, reader, sure });
        out(Sign::Reply { requester, reader, sure });
    }

    /// What was read last is no reply to a request.
    pub(super) fn no_reply(&mut self) {
        self.reading = None;
    }

    /// More bytes of the message read last were read: told where another process reads on in a reply.
    pub(super) fn read_on(&mut self, user: User, out: &mut dyn FnMut(Sign)) {
        if let Some(Reading { requester, reader, sure }) = &mut self.reading
            && *reader != user
        {
            *reader = user;
            out(Sign::Reply { requester: *requester, reader: user, sure: *sure });
        }
    }

    /// Some request or reply passed unseen: what waits may have been answered, and whose keys are whose is a
    /// guess.
    pub(super) fn doubt(&mut self) {
        self.sure = false;
        self.reading = None;
        self.waiting.iter_mut().for_each(|request| request.sure = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: User = User(1);
    const C: User = User(2);

    /// Requests (key, user, silent), then replies (key, reader): who asked, as far as that is sure.
    #[track_caller]
    fn check(requests: &[(u64, User, bool)], replies: &[(u64, User)], expected: &[(Option<User>, bool)]) {
        let mut asked = Keyed::new(true);
        requests.iter().for_each(|&(key, by, silent)| asked.request(key, by, silent, &mut |_| ()));
        let mut told = Vec::new();
        for &(key, reader) in replies {
            asked.reply(key, reader, &mut |sign| {
                let Sign::Reply { requester, sure, .. } = sign else { return };
                told.push((requester, sure));
            });
        }
        assert_eq!(told, expected, "{requests:?} {replies:?}");
    }

    #[test]
    fn replies_find_their_requests() {
        check(&[(1, P, false), (2, C, false)], &[(2, P), (1, C)], &[(Some(C), true), (Some(P), true)]);
        check(&[(5, P, false), (5, C, false)], &[(5, C), (5, P)], &[(Some(P), true), (Some(C), true)]);
        check(&[(5, P, true), (5, C, false)], &[(5, C)], &[(None, false)]);
        check(&[(5, P, true), (5, P, true)], &[(5, C)], &[(Some(P), true)]);
        check(&[(5, P, false)], &[(6, C), (5, C), (5, C)], &[(None, false), (Some(P), true), (None, false)]);
    }

    #[test]
    fn what_is_waited_for() {
        let mut asked = Keyed::new(true);
        assert_eq!(asked.in_flight(), InFlight::Nothing);
        asked.request(1, P, false, &mut |_| ());
        asked.request(2, C, true, &mut |_| ());
        asked.request(3, C, false, &mut |_| ());
        assert_eq!(asked.in_flight(), InFlight::Requests { count: 2, first: P, begun: false });
        [1, 3].into_iter().for_each(|key| asked.reply(key, P, &mut |_| ()));
        assert_eq!(asked.in_flight(), InFlight::Nothing);
        asked.doubt();
        assert_eq!(asked.in_flight(), InFlight::Unknown);
    }

    #[test]
    fn what_was_forgotten_is_not_guessed() {
        let many = MOST as u64 + 1;
        let requests = |silent| -> Vec<_> { (0..many).map(|key| (key, P, silent)).collect() };
        check(&requests(false), &[(0, C), (many - 1, C)], &[(None, false), (Some(P), false)]);
        check(&requests(true), &[(0, C), (many - 1, C)], &[(None, false), (Some(P), true)]);
    }

    #[test]
    fn another_process_reads_on() {
        let mut asked = Keyed::new(true);
        let mut told = Vec::new();
        asked.request(1, P, false, &mut |_| ());
        asked.reply(1, P, &mut |_| ());
        for user in [P, C, C, P] {
            asked.read_on(user, &mut |sign| told.push(sign));
        }
        asked.no_reply();
        asked.read_on(C, &mut |sign| told.push(sign));
        let reply = |reader| Sign::Reply { requester: Some(P), reader, sure: true };
        assert_eq!(told, [reply(C), reply(P)]);
    }
}
