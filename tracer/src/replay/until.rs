//! How far to play, and what came of it.

use crate::files::system;
use crate::report::Severity;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// How far to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Up to this moment since the session's start, and all that happened at it.
    Time(Duration),
    /// So many events further, with what was noted between them and the next.
    Events(u64),
    /// Until a finding is shown that is at least this bad, and not known.
    Finding(Severity),
    /// To the end.
    End,
}

/// Why it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is where it should go.
    There,
    /// The time budget is used up.
    Budget,
    /// There is no more: see [`Player::is_at_end`].
    End,
}

/// From where a moment is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From here: it lies ahead.
    Onward,
    /// From the beginning: nothing has been fed now, and what was shown is void.
    Anew,
}

/// Why a moment that has been passed cannot be reached.
#[derive(Debug, Error)]
pub enum NoWayBack {
    /// Each byte of the recording comes once.
    #[error("cannot go back in {0}: it comes through a pipe; save it to a file, and replay that")]
    Pipe(String),
    /// The system refused.
    #[error("cannot go back in {name}: {}", system(.error))]
    Io {
        /// What the recording is called.
        name: String,
        /// What it answered.
        error: io::Error,
    },
}
