//! What goes into a [`Wire`](super::Wire), and what it tells.

use super::kept::nothing;
use super::speech::{Fit, Fits, Opens, Side};
use super::{FrameKind, Kept, Protocol};
use std::ops::Range;

/// A process that uses the connection: an opaque tag chosen by the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct User(pub u32);

/// Which way bytes went, seen from the processes that hold this end of the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From a holder to the peer.
    Sent,
    /// From the peer to a holder.
    Received,
}

impl Direction {
    /// The opposite way.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Sent => Self::Received,
            Self::Received => Self::Sent,
        }
    }

    /// Place in a pair that has one entry a direction.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Sent => 0,
            Self::Received => 1,
        }
    }
}

/// One transfer. Fewer bytes may have been captured than were transferred.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The first bytes, as many as were captured.
    pub data: &'a [u8],
    /// Bytes transferred in all.
    pub len: u64,
    kept: Option<&'a Kept>,
    /// Each frame of HTTP/2 is told.
    pub(super) frames: bool,
    /// Only the headers of messages may be read.
    pub(super) heads_only: bool,
}

impl<'a> Chunk<'a> {
    /// What was captured of a transfer of so many bytes.
    #[must_use]
    pub fn new(data: &'a [u8], len: u64) -> Self {
        Self { data, len, kept: None, frames: true, heads_only: false }
    }

    /// The same; which bytes were read is noted there.
    #[must_use]
    pub fn noting(self, kept: &'a Kept) -> Self {
        Self { kept: Some(kept), ..self }
    }

    /// The same; each frame of HTTP/2 is told.
    pub(super) fn with_frames(self) -> Self {
        Self { frames: true, ..self }
    }

    /// The same; no [`Sign::Frame`] is told: they are many.
    #[must_use]
    pub fn without_frames(self) -> Self {
        Self { frames: false, ..self }
    }

    /// The same, read later than it passed: of its messages' bodies nothing was noted then,
    /// and nothing can be read.
    pub(super) fn heads_only(self) -> Self {
        Self { heads_only: true, ..self }
    }

    /// These bytes say something.
    pub(super) fn keep(self, range: Range<usize>) {
        if let Some(kept) = self.kept {
            kept.set(range.start..range.end.min(self.data.len()), true);
        }
    }

    /// Of these bytes, which begin so many before the transfer's, those in it say something.
    pub(super) fn keep_after(self, before: usize, range: Range<usize>) {
        self.keep(range.start.saturating_sub(before)..range.end.saturating_sub(before));
    }

    /// This byte says nothing after all.
    pub(super) fn withhold(self, at: usize) {
        if let Some(kept) = self.kept {
            kept.set(at..at + 1, false);
        }
    }

    /// Do messages begin here? If so, what showed it is noted.
    pub(super) fn fits(self, fits: Fits) -> Option<Fit> {
        let fit = fits(self.data, self.len, &mut nothing)?;
        if self.kept.is_some() {
            fits(self.data, self.len, &mut |range| self.keep(range));
        }
        Some(fit)
    }

    /// Does a session open here? Likewise.
    pub(super) fn opens(self, opens: Opens) -> Option<Side> {
        let side = opens(self.data, &mut nothing)?;
        opens(self.data, &mut |range| self.keep(range));
        Some(side)
    }

    /// The same with no more bytes captured than were transferred.
    pub(super) fn clipped(self) -> Self {
        let most = usize::try_from(self.len).unwrap_or(usize::MAX).min(self.data.len());
        Self { data: &self.data[..most], ..self }
    }
}

/// One thing that the bytes said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The connection speaks this; again when it changes (TLS after a request in the clear).
    Recognised(Protocol),
    /// An HTTP/2 client preface was sent (RFC 9113, 3.4). Said only of what holders send.
    Preface {
        /// Who sent it.
        by: User,
        /// It is not the first on this connection.
        again: bool,
    },
    /// An HTTP/2 frame header passed (RFC 9113, 4.1).
    Frame {
        /// Which way.
        dir: Direction,
        /// Its type.
        kind: FrameKind,
        /// Its stream; 0 is the connection.
        stream: u32,
        /// Bytes of payload.
        length: u32,
        /// Its flags, as they are.
        flags: u8,
    },
    /// HEADERS opened a stream.
    StreamOpened {
        /// The stream.
        stream: u32,
        /// Who sent it.
        by: User,
    },
    /// HEADERS opened a stream id that another process had opened, or one below the other's newest: never
    /// allowed (RFC 9113, 5.1.1). In AMQP: Channel.Open of a channel that another process has open.
    StreamReused {
        /// The stream.
        stream: u32,
        /// Who opened it, or a higher one, before.
        first: User,
        /// Who opened it now.
        again: User,
    },
    /// HEADERS, DATA or RST_STREAM, or a later part of one, was read by a process that
    /// did not open its stream.
    Answer {
        /// The stream.
        stream: u32,
        /// Who opened it.
        opener: User,
        /// Who read.
        reader: User,
    },
    /// A send began a message of its own inside another process' unfinished one. Said
    /// on exact knowledge only.
    Torn {
        /// Who began the new message.
        by: User,
        /// Whose message was cut.
        cut: User,
        /// Bytes that it still missed, or at least missed where its own length was cut.
        missing: u64,
    },
    /// RST_STREAM was sent on a stream that another process had opened: its answer will
    /// not come (RFC 9113, 5.4.2).
    Cancelled {
        /// The stream.
        stream: u32,
        /// Who opened it.
        opener: User,
        /// Who ended it.
        by: User,
    },
    /// The client ended the session, for everybody who holds this end.
    Goodbye {
        /// Who said so.
        by: User,
        /// The message, as the protocol names it.
        message: &'static str,
    },
    /// A process uses a part of the session (an AMQP channel) that it had opened, and that another has
    /// closed: an error to the server.
    UsedAfterEnd {
        /// The part, by its number.
        stream: u32,
        /// Who opened it, and uses it.
        opener: User,
        /// Who closed it.
        by: User,
    },
    /// The server ended the session, or confirmed its end, in words that a holder read.
    PeerGoodbye {
        /// Who read them.
        reader: User,
        /// The message, as the protocol names it.
        message: &'static str,
    },
    /// A request began (protocols of requests and replies).
    Request {
        /// Who sent it.
        by: User,
    },
    /// The first bytes of a reply were read; once more if another process reads on in it.
    Reply {
        /// Who asked, by the order of outstanding requests; `None` where that is not known.
        requester: Option<User>,
        /// Who read.
        reader: User,
        /// Each request and each end of a reply so far was seen exactly.
        sure: bool,
    },
}
