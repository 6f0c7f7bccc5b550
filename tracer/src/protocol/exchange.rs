//! Who asked, in protocols where replies come in the order of the requests.

use super::{Few, InFlight, Sign, User};

/// Turns between processes that are remembered while no reply comes.
const RUNS_MAX: usize = 64;

/// The requests that wait for their reply.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// Requests in order, neighbours of one process counted together.
    waiting: Few<(User, u32)>,
    /// Who last read in the oldest one's reply, once that began.
    reader: Option<User>,
    /// The reply may have ended where the bytes were not captured.
    open_ended: bool,
    sure: bool,
    /// When the newest request was sent nothing else was awaited, for sure, and no end was lost since.
    clean: bool,
    /// Requests were missed: which reply is whose stays a guess.
    missed: bool,
    /// Who sent the newest request, while nothing has been received since.
    unheard: Option<User>,
    /// Replies do not follow requests any more.
    apart: bool,
}

impl Exchange {
    /// Nothing asked. `fresh`: the session is read from its first byte.
    pub(super) fn new(fresh: bool) -> Self {
        Self {
            waiting: Few::None,
            reader: None,
            open_ended: false,
            sure: fresh,
            clean: false,
            missed: !fresh,
            unheard: None,
            apart: false,
        }
    }

    /// A request began. One that follows a reply whose end was not seen is taken to follow its end.
    pub(super) fn request(&mut self, by: User, out: &mut dyn FnMut(Sign)) {
        let guessed = self.open_ended && self.reader.is_some();
        if guessed {
            self.pass();
        }
        self.clean = self.waiting.is_empty() && !guessed;
        match self.waiting.last_mut() {
            Some((user, count)) if *user == by => *count = count.saturating_add(1),
            _ => self.waiting.push((by, 1)),
        }
        if self.waiting.len() > RUNS_MAX {
            self.waiting.remove(0);
            self.doubt();
        }
        self.unheard = Some(by);
        out(Sign::Request { by });
    }

    /// The server sent something, whatever it was.
    pub(super) fn heard(&mut self) {
        self.unheard = None;
    }

    /// From here on the server sends what nobody asked for, or does not answer each request.
    pub(super) fn part(&mut self) {
        self.doubt();
        self.apart = true;
    }

    /// Bytes of the oldest request's reply were read. Told once a reader.
    pub(super) fn reply(&mut self, reader: User, out: &mut dyn FnMut(Sign)) {
        if self.reader == Some(reader) {
            return;
        }
        // Another process reads on: it may be in the same reply or in the next.
        let unclear = self.open_ended && self.reader.is_some() && self.waiting.len() > 1;
        let requester = self.waiting.first().map(|&(user, _)| user).filter(|_| !unclear);
        self.clean &= !self.waiting.is_empty();
        self.reader = Some(reader);
        out(Sign::Reply { requester, reader, sure: self.sure && requester.is_some() });
    }

    /// The oldest request's reply is complete: its end was seen. Where it was the only one, and seen whole,
    /// what was not seen of earlier replies does not matter any more.
    pub(super) fn ended(&mut self) {
        self.pass();
        self.sure |= self.clean && self.waiting.is_empty() && !self.missed;
    }

    /// On to the next request's reply.
    fn pass(&mut self) {
        self.reader = None;
        self.open_ended = false;
        if let Some((_, count)) = self.waiting.first_mut() {
            *count -= 1;
            if *count == 0 {
                self.waiting.remove(0);
            }
        }
    }

    /// Two processes whose requests are under way at once, so that it is luck who reads which reply. None
    /// where a reply that has begun may have ended unseen.
    pub(super) fn at_once(&self) -> Option<[User; 2]> {
        let (first, _) = *self.waiting.first()?;
        let (other, _) = *self.waiting.iter().find(|(user, _)| *user != first)?;
        (!self.open_ended && !self.apart).then_some([first, other])
    }

    /// Has the oldest request's reply begun?
    pub(super) fn has_begun(&self) -> bool {
        self.reader.is_some()
    }

    /// Do requests of more than one turn wait?
    pub(super) fn is_shared(&self) -> bool {
        self.waiting.len() > 1
    }

    /// What is awaited. `ends_seen`: the ends of replies are read; else one that has begun may be complete.
    pub(super) fn in_flight(&self, ends_seen: bool) -> InFlight {
        match self.unheard {
            _ if self.apart => return InFlight::Unknown,
            // However many there were before: this one was not answered.
            Some(first) if !self.sure => return InFlight::Requests { count: 1, first, begun: false },
            None if !self.sure => return InFlight::Unknown,
            _ => {}
        }
        let begun = self.has_begun() && ends_seen;
        let passed = u32::from(self.has_begun() && !ends_seen);
        let all = self.waiting.iter().fold(0u32, |sum, &(_, count)| sum.saturating_add(count));
        let oldest = self.waiting.first().filter(|&&(_, count)| count > passed);
        let first = oldest.or_else(|| self.waiting.get(1));
        match (all.saturating_sub(passed), first) {
            (count @ 1.., Some(&(first, _))) => InFlight::Requests { count, first, begun },
            _ => InFlight::Nothing,
        }
    }

    /// Bytes passed whose messages could not be told apart. From the server they belong to a reply.
    pub(super) fn unread(&mut self, user: User, client: bool, out: &mut dyn FnMut(Sign)) {
        if client {
            return self.doubt();
        }
        self.lose_end();
        if !self.waiting.is_empty() {
            self.reply(user, out);
        }
    }

    /// Some request was not seen: the order is a guess from here on.
    pub(super) fn doubt(&mut self) {
        self.sure = false;
        self.missed = true;
    }

    /// The reply's end may pass unseen.
    pub(super) fn lose_end(&mut self) {
        (self.sure, self.clean) = (false, false);
        self.open_ended = true;
    }
}
