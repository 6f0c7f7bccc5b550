//! What this machine lacks.

use std::error::Error;
use std::fmt;

/// Something that a task takes is not here and could not be installed. Apart from other errors, because only
/// this one is a reason to go on without, where that can be.
#[derive(Debug)]
pub(crate) struct Missing {
    what: String,
    cure: String,
}

impl Missing {
    /// `what` is not here; `cure` says what to do about it.
    pub(crate) fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { what: what.into(), cure: cure.into() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "this takes {}, which is not here: {}", self.what, self.cure)
    }
}

impl Error for Missing {}
