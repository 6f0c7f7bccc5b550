//! A session of a protocol whose replies name their requests: what all such have in common.

use super::Keyed;
use crate::protocol::speech::{Fits, Session, Side, Start};
use crate::protocol::walker::{Cursor, Head, Message, Walker};
use crate::protocol::{Chunk, Direction, InFlight, Sign, User};
use std::fmt::Debug;

/// What a protocol has of its own.
pub(in crate::protocol) trait Dialect: Debug + Default {
    /// Do messages begin here, of one side or the other as far as that is told apart?
    const FITS: Fits;

    /// Do messages of this side, as far as that is known, begin here in the middle of a session?
    fn resumes(_from: Option<Side>) -> Fits {
        Self::FITS
    }

    /// Reads the header of a message of this side, as far as that is known.
    fn head(from: Option<Side>, bytes: &[u8]) -> Head;

    /// What a message asks, answers or says else.
    fn hear(&mut self, heard: &Heard<'_>, asked: &mut Keyed, out: &mut dyn FnMut(Sign));

    /// Messages passed unseen.
    fn miss(&mut self) {}
}

/// A message whose header is complete.
pub(in crate::protocol) struct Heard<'a> {
    pub(in crate::protocol) from: Side,
    /// Who sent or read what completed the header.
    pub(in crate::protocol) user: User,
    /// Whether the holders of the connection send it or receive it.
    pub(in crate::protocol) dir: Direction,
    /// Its place in the stream is known for certain.
    pub(in crate::protocol) exact: bool,
    pub(in crate::protocol) message: Message<'a>,
    /// Where its body begins.
    pub(in crate::protocol) cursor: &'a Cursor<'a>,
}

/// One session.
#[derive(Debug)]
pub(in crate::protocol) struct KeyedSession<D> {
    /// The way of the client's bytes.
    client: Option<Direction>,
    /// By [`Direction::index`].
    walkers: [Walker; 2],
    asked: Keyed,
    dialect: D,
}

impl<D: Dialect> KeyedSession<D> {
    pub(in crate::protocol) fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            asked: Keyed::new(start.fresh[0] && start.fresh[1]),
            dialect: D::default(),
        }
    }

    /// Whose bytes go this way.
    fn side(&self, dir: Direction) -> Option<Side> {
        self.client.map(|client| if client == dir { Side::Client } else { Side::Server })
    }

    /// Messages passed unseen.
    fn miss(&mut self) {
        self.asked.doubt();
        self.dialect.miss();
    }
}

impl<D: Dialect> Session for KeyedSession<D> {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        if self.client.is_none() {
            let side = chunk.fits(D::FITS).and_then(|fit| fit.from);
            self.client = side.map(|side| side.client_when(dir));
        }
        let from = self.side(dir);
        let walker = &mut self.walkers[dir.index()];
        let mut cursor = walker.start(user, dir, chunk, D::resumes(from), out);
        if from == Some(Side::Server) && walker.payload_of().is_some() {
            self.asked.read_on(user, out);
        }
        while let Some(message) = walker.next(&mut cursor, |bytes| D::head(from, bytes)) {
            let Some(from) = from else { continue };
            let heard = Heard { from, user, dir, exact: walker.is_exact(), message, cursor: &cursor };
            self.dialect.hear(&heard, &mut self.asked, out);
        }
        if walker.is_lost() {
            self.miss();
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.miss();
    }

    fn in_flight(&self) -> InFlight {
        match self.side(Direction::Sent) {
            Some(Side::Client) => self.asked.in_flight(),
            Some(Side::Server) | None => InFlight::Unknown,
        }
    }
}
