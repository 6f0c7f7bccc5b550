//! The columns of a chunk.

use super::bytes::Rest;
use super::error::Broken;
use super::fields;

/// What each entry is, by a number: a record's kind, or one of the others.
pub(super) const TAGS: usize = 0;
/// Time since the entry before, in nanoseconds.
pub(super) const TIMES: usize = 1;
/// Process and thread, by their number among those of the chunk.
pub(super) const TASKS: usize = 2;
/// The processes and threads, in the order of their numbers.
pub(super) const NEW_TASKS: usize = 3;
/// The files, in the order of their numbers.
pub(super) const NEW_FILES: usize = 4;
/// System calls.
pub(super) const CALLS: usize = 5;
/// Lengths of payloads, their stretches, and the bytes of these: three columns.
pub(super) const PAYLOADS: usize = 6;
/// What is stored as a whole: snapshots, facts, glances, the end.
pub(super) const WHOLES: usize = 9;
/// The fields of records.
pub(super) const FIELDS: usize = 10;
/// How many there are.
pub(super) const COUNT: usize = FIELDS + fields::ALL;

/// Bytes of a column's length.
const LENGTH: usize = 4;

/// Columns that are filled. Emptied they keep their room.
#[derive(Debug)]
pub(super) struct Columns(pub(super) [Vec<u8>; COUNT]);

impl Default for Columns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Vec::new()))
    }
}

impl Columns {
    /// Bytes in all.
    pub(super) fn len(&self) -> usize {
        COUNT * LENGTH + self.0.iter().map(Vec::len).sum::<usize>()
    }

    /// Moves all to the end of `out`: the lengths first.
    pub(super) fn drain_to(&mut self, out: &mut Vec<u8>) {
        for column in &self.0 {
            out.extend_from_slice(&(column.len() as u32).to_le_bytes());
        }
        for column in &mut self.0 {
            out.append(column);
        }
    }
}

/// Columns as [`Columns::drain_to`] wrote them.
pub(super) fn split(bytes: &[u8]) -> Result<[Rest<'_>; COUNT], Broken> {
    let (lengths, mut rest) = bytes.split_at_checked(COUNT * LENGTH).ok_or(Broken::Damaged)?;
    let mut columns = [Rest::default(); COUNT];
    let (lengths, _) = lengths.as_chunks::<LENGTH>();
    for (column, &length) in columns.iter_mut().zip(lengths) {
        (column.0, rest) =
            rest.split_at_checked(u32::from_le_bytes(length) as usize).ok_or(Broken::Damaged)?;
    }
    if rest.is_empty() { Ok(columns) } else { Err(Broken::Damaged) }
}
