//! What is under way on a connection at one moment.

use super::{Direction, User};

/// What the client's end of a connection waits for, as far as its bytes say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InFlight {
    /// Not known: bytes were missed, the protocol is not read that far, or the holders are not the client.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// HTTP/2 streams that are open or half-closed (RFC 9113, 5.1).
    Streams {
        /// How many, at least.
        count: usize,
        /// The oldest of them, and who opened each: at most [`InFlight::NAMED`].
        oldest: Vec<(u32, User)>,
        /// No frame was missed that may have closed one of them.
        sure: bool,
    },
    /// Requests whose replies were not read to their ends.
    Requests {
        /// How many.
        count: u32,
        /// Who sent the oldest.
        first: User,
        /// A part of its reply was read.
        begun: bool,
    },
    /// A message of which a part has passed, in a protocol of which only messages are seen.
    Message(Direction),
}

impl InFlight {
    /// Streams that are named.
    pub const NAMED: usize = 4;

    /// Was nothing missed that may say otherwise?
    #[must_use]
    pub fn is_sure(&self) -> bool {
        match self {
            Self::Unknown | Self::Streams { sure: false, .. } => false,
            Self::Nothing | Self::Streams { .. } | Self::Requests { .. } | Self::Message(_) => true,
        }
    }

    /// Is something known to be under way?
    #[must_use]
    pub fn is_something(&self) -> bool {
        match self {
            Self::Unknown | Self::Nothing => false,
            Self::Streams { .. } | Self::Requests { .. } | Self::Message(_) => true,
        }
    }
}

#[cfg(test)]
mod tests;
