//! What a protocol brings: how it begins, how its middle looks, and a reader for its sessions.

use super::{Chunk, Direction, Http2Log, InFlight, Protocol, Sign, TlsFacts, User};
use std::fmt::Debug;
use std::ops::Range;

/// The two ends of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Side {
    /// The way of the client's bytes, when this side's go `dir`.
    pub(super) fn client_when(self, dir: Direction) -> Direction {
        match self {
            Self::Client => dir,
            Self::Server => dir.other(),
        }
    }
}

/// Bytes look like the middle of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fit {
    /// Enough on its own; otherwise a second transfer must agree.
    pub(super) sure: bool,
    /// Whose bytes they are, where that shows.
    pub(super) from: Option<Side>,
}

/// What is known when a session's reader is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    /// The way of the client's bytes.
    pub(super) client: Option<Direction>,
    /// By [`Direction::index`]: this direction is read from its first byte.
    pub(super) fresh: [bool; 2],
}

/// Reads one session, transfer by transfer.
pub(super) trait Session: Debug {
    /// Reads one transfer, already clipped and not empty.
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign));

    /// Has the processor fetch what is looked at by reading and is not in the reader itself.
    fn fetch(&self) {}

    /// Bytes were missed in this direction.
    fn skip(&mut self, dir: Direction);

    /// What the client waits for now, where the holders are the client. Not known of a protocol
    /// that is not read so far.
    fn in_flight(&self) -> InFlight {
        InFlight::Unknown
    }

    /// Will none of the requests that were sent so far be in [`Session::in_flight`] any more?
    fn is_idle(&self) -> bool {
        self.in_flight() == InFlight::Nothing
    }

    /// Two processes whose requests are under way at once, where replies are told apart by their order alone,
    /// and the state of the session is not in user memory anyway.
    fn at_once(&self) -> Option<[User; 2]> {
        None
    }

    /// What a TLS session's opening said in the clear; `None` for other protocols.
    fn tls(&self) -> Option<&TlsFacts> {
        None
    }

    /// What was seen on its streams, where it is HTTP/2.
    fn http2(&self) -> Option<&Http2Log> {
        None
    }
}

/// Takes note of bytes that say something: of those without which the answer would be another.
pub(super) type Note<'a> = &'a mut dyn FnMut(Range<usize>);

/// Does a session open with these bytes, and from which side?
pub(super) type Opens = fn(&[u8], Note<'_>) -> Option<Side>;

/// May a session open with these bytes and more that follow?
///
/// These are kept before it is known whose they are, so that less is noted than an answer rests on: what is
/// not noted must not matter, or be [`Kept::FILL`](super::Kept::FILL) and give the same answer. What is noted
/// counts where the answer is no, too: a byte that ends an opening must be there at the replay.
pub(super) type MayOpen = fn(&[u8], Note<'_>) -> bool;

/// Do messages begin here and tile the transfer (captured bytes, whole length)?
pub(super) type Fits = fn(&[u8], u64, Note<'_>) -> Option<Fit>;

/// One protocol.
pub(super) struct Speech {
    pub(super) protocol: Protocol,
    /// The name that users read.
    pub(super) name: &'static str,
    /// See [`Protocol::keeps_state_in_user_memory`].
    pub(super) in_user_memory: bool,
    /// See [`Opens`]. What is noted counts where the answer is yes.
    pub(super) opens: Opens,
    /// See [`MayOpen`].
    pub(super) may_open: MayOpen,
    /// See [`Fits`]. What is noted counts where the answer is yes.
    pub(super) fits: Fits,
    /// A reader for a new session.
    pub(super) session: fn(Start) -> Box<dyn Session>,
}
