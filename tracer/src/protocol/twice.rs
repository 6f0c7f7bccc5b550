//! For tests: a connection read twice, once from all bytes and once from those that a recording keeps.

use super::{Chunk, Direction, Http2Log, InFlight, Kept, Protocol, Sign, User, Wire};

/// Two wires that must say the same.
#[derive(Debug)]
pub(super) struct Twice {
    whole: Wire,
    kept: Wire,
    /// What was kept of the last transfer.
    pub(super) shown: Vec<u8>,
}

impl Twice {
    pub(super) fn new() -> Self {
        Self { whole: Wire::new(), kept: Wire::new(), shown: Vec::new() }
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.whole.protocol()
    }

    pub(super) fn in_flight(&self) -> InFlight {
        self.whole.in_flight()
    }

    /// What both read of TLS.
    pub(super) fn tls(&self) -> Option<&super::TlsFacts> {
        assert_eq!(self.whole.tls(), self.kept.tls());
        self.whole.tls()
    }

    pub(super) fn http2(&self) -> Option<&Http2Log> {
        self.whole.http2()
    }

    pub(super) fn skip(&mut self, dir: Direction) {
        self.whole.skip(dir);
        self.kept.skip(dir);
    }

    pub(super) fn client_is(&mut self, dir: Direction) {
        self.whole.client_is(dir);
        self.kept.client_is(dir);
    }

    /// As [`Wire::feed`]; fails where the two differ.
    pub(super) fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut impl FnMut(Sign)) {
        let (noted, mut signs, mut again) = (Kept::default(), Vec::new(), Vec::new());
        self.whole.feed(user, dir, chunk.noting(&noted), &mut |sign| signs.push(sign));
        self.shown = redacted(chunk.data, &noted);
        self.kept.feed(user, dir, Chunk::new(&self.shown, chunk.len), &mut |sign| again.push(sign));
        let (all, shown) = (chunk.data.escape_ascii(), self.shown.escape_ascii());
        assert_eq!(signs, again, "of {all}\nkept {shown}");
        assert_eq!(self.whole.protocol(), self.kept.protocol(), "of {all}\nkept {shown}");
        assert_eq!(self.whole.at_once(), self.kept.at_once(), "of {all}\nkept {shown}");
        assert_eq!(self.whole.in_flight(), self.kept.in_flight(), "of {all}\nkept {shown}");
        assert_eq!(self.whole.http2(), self.kept.http2(), "of {all}\nkept {shown}");
        signs.into_iter().for_each(out);
    }
}

/// These bytes as a recording shows them.
pub(super) fn redacted(data: &[u8], kept: &Kept) -> Vec<u8> {
    data.iter().enumerate().map(|(at, &byte)| if kept.has(at) { byte } else { Kept::FILL }).collect()
}
