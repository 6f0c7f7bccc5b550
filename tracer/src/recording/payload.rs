//! What is kept of payloads.

use super::bytes::{Rest, put};
use super::error::Broken;
use super::format::MOST_PAYLOAD;
use crate::event::What;
use crate::protocol::Kept;
use serde::{Deserialize, Serialize};

/// What is kept of the bytes that programs sent and received. Paths, addresses and
/// command lines are kept always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The bytes by which forkscope told messages and their kinds, and no others.
    Headers,
    /// All that were taken.
    All,
    /// None.
    None,
}

impl Payload {
    /// Adds what is kept of an event's payload: its length, the stretches that are kept (each with what is
    /// dropped before it, plus 1; at the end 0), their bytes.
    pub(super) fn put(self, what: &What<'_>, payload: &[u8], kept: &Kept, to: &mut [Vec<u8>; 3]) {
        let payload = &payload[..payload.len().min(MOST_PAYLOAD)];
        let [lengths, stretches, bytes] = to;
        put(lengths, payload.len() as u64);
        let mut at = 0;
        while let Some(range) = self.next(what, kept, at, payload.len()) {
            put(stretches, (range.start - at) as u64 + 1);
            put(stretches, range.len() as u64);
            at = range.end;
            bytes.extend_from_slice(&payload[range]);
        }
        if !payload.is_empty() {
            put(stretches, 0);
        }
    }

    fn next(self, what: &What<'_>, kept: &Kept, at: usize, end: usize) -> Option<std::ops::Range<usize>> {
        match (what, self) {
            (What::Io(..) | What::Plaintext(..), Self::Headers) => kept.next(at, end),
            (What::Io(..) | What::Plaintext(..), Self::None) => None,
            _ => Some(at..end).filter(|range| !range.is_empty()),
        }
    }
}

/// Reads what [`Payload::put`] added; what was not kept is [`Kept::FILL`].
pub(super) fn read(from: &mut [Rest<'_>; 3], out: &mut [u8]) -> Result<usize, Broken> {
    let [lengths, stretches, bytes] = from;
    let length =
        usize::try_from(lengths.number()?).ok().filter(|&length| length <= MOST_PAYLOAD.min(out.len()));
    let length = length.ok_or(Broken::Damaged)?;
    if length == 0 {
        return Ok(0);
    }
    let mut left = &mut out[..length];
    while let Some(gap) = stretches.small()?.checked_sub(1) {
        let (dropped, rest) = left.split_at_mut_checked(gap as usize).ok_or(Broken::Damaged)?;
        dropped.fill(Kept::FILL);
        let count = stretches.small()? as usize;
        let (shown, rest) = rest.split_at_mut_checked(count).ok_or(Broken::Damaged)?;
        shown.copy_from_slice(bytes.take(count)?);
        left = rest;
    }
    left.fill(Kept::FILL);
    Ok(length)
}
