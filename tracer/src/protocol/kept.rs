//! Which bytes of a transfer say something to its readers. All others may be gone from a recording, and the
//! same signs are read again.

use forkscope_proto::Config;
use std::cell::Cell;
use std::ops::Range;

const WORDS: usize = Config::MOST_CAPTURE / 64;

/// The bytes of one transfer that were read: by place, one bit each.
///
/// Readers note what made them say yes. What made them say no is not noted: a body is [`Kept::FILL`] in a
/// recording, with which no message of any protocol begins, so that they say no again.
#[derive(Debug, Default)]
pub struct Kept {
    bits: [Cell<u64>; WORDS],
}

impl Kept {
    /// What stands in a recording for a byte that nobody read: no message begins with it, it ends no line,
    /// and it is no control character.
    pub const FILL: u8 = 0xff;

    /// Forgets what was noted.
    pub fn clear(&self) {
        self.bits.iter().for_each(|word| word.set(0));
    }

    /// Was this byte read?
    #[must_use]
    pub fn has(&self, at: usize) -> bool {
        self.bits.get(at / 64).is_some_and(|word| word.get() >> (at % 64) & 1 == 1)
    }

    /// The first stretch of bytes that were read, from `at` on and before `end`.
    #[must_use]
    pub fn next(&self, at: usize, end: usize) -> Option<Range<usize>> {
        let from = self.find(at, end, |word| word)?;
        let to = self.find(from, end, |word| !word).unwrap_or(end);
        Some(from..to)
    }

    /// The first place from `at` on whose bit is set in the words as `see` shows them.
    fn find(&self, at: usize, end: usize, see: fn(u64) -> u64) -> Option<usize> {
        let mut at = at;
        while at < end {
            let word = see(self.bits.get(at / 64).map_or(0, Cell::get)) >> (at % 64);
            if word != 0 {
                return Some(at + word.trailing_zeros() as usize).filter(|&found| found < end);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }

    pub(super) fn set(&self, range: Range<usize>, keep: bool) {
        let (mut at, end) = (range.start, range.end.min(Config::MOST_CAPTURE));
        while at < end {
            let (word, low) = (&self.bits[at / 64], at % 64);
            let count = (end - at).min(64 - low);
            let bits = u64::MAX >> (64 - count) << low;
            word.set(if keep { word.get() | bits } else { word.get() & !bits });
            at += count;
        }
    }
}

/// Takes note of nothing.
pub(super) fn nothing(_: Range<usize>) {}

#[cfg(test)]
mod tests;
