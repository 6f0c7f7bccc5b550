//! The newest events, each with its line and the columns that can be asked for.
//!
//! Bounded: [`MOST`] events, and their text in chunks that are dropped with the events in them.

use crate::model::ProcId;
use std::collections::VecDeque;

/// Events that are kept: about 16 MB with their lines.
pub(super) const MOST: usize = 1 << 17;
/// Bytes of text in one chunk.
const CHUNK: usize = 1 << 16;

/// An event that was noted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// When, in nanoseconds.
    pub(super) time: u64,
    /// Who.
    pub(super) process: Option<ProcId>,
    /// Its number.
    pub(super) pid: u32,
    /// Which thread.
    pub(super) tid: u32,
    /// By which call; `None`: it is none.
    pub(super) call: Option<&'static str>,
    /// The process that it made.
    pub(super) child: Option<u32>,
    /// The first descriptors that it names.
    pub(super) fds: [Option<u32>; 2],
    /// The error, where it failed, be it only that nothing is there yet.
    pub(super) errno: Option<i32>,
    /// The first connections that it is about.
    pub(super) connections: [Option<u32>; 2],
    /// It makes, ends or hands on something, or failed.
    pub(super) telling: bool,
    chunk: u64,
    from: u32,
    to: u32,
}

impl Entry {
    /// An event of which only who and when is known.
    pub(super) fn new(time: u64, pid: u32, tid: u32) -> Self {
        Self {
            time,
            process: None,
            pid,
            tid,
            call: None,
            child: None,
            fds: [None; 2],
            errno: None,
            connections: [None; 2],
            telling: false,
            chunk: 0,
            from: 0,
            to: 0,
        }
    }
}

/// The newest events.
#[derive(Debug, Default)]
pub(super) struct Tail {
    entries: VecDeque<Entry>,
    /// How many came before the first that is kept.
    before: u64,
    chunks: VecDeque<String>,
    /// How many chunks came before the first that is kept.
    chunks_before: u64,
}

impl Tail {
    /// Adds an event with its line.
    pub(super) fn push(&mut self, entry: Entry, line: &str) {
        if self.entries.len() == MOST {
            self.entries.pop_front();
            self.before += 1;
        }
        if self.chunks.back().is_none_or(|chunk| chunk.len() + line.len() > CHUNK) {
            self.drop_unused_chunks();
            self.chunks.push_back(String::with_capacity(CHUNK.max(line.len())));
        }
        let chunk = self.chunks_before + self.chunks.len() as u64 - 1;
        let Some(text) = self.chunks.back_mut() else { return };
        let from = text.len() as u32;
        text.push_str(line);
        self.entries.push_back(Entry { chunk, from, to: text.len() as u32, ..entry });
    }

    fn drop_unused_chunks(&mut self) {
        let used = self.entries.front().map_or(u64::MAX, |first| first.chunk);
        while self.chunks_before < used && self.chunks.pop_front().is_some() {
            self.chunks_before += 1;
        }
    }

    /// The numbers of the events that are kept: the first, and the one after the last.
    pub(super) fn ends(&self) -> (u64, u64) {
        (self.before, self.before + self.entries.len() as u64)
    }

    /// An event by its number.
    pub(super) fn get(&self, number: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(self.before)?).ok()?)
    }

    /// An event's line.
    pub(super) fn line(&self, entry: &Entry) -> &str {
        let chunk = entry.chunk.checked_sub(self.chunks_before).and_then(|at| self.chunks.get(at as usize));
        chunk.and_then(|chunk| chunk.get(entry.from as usize..entry.to as usize)).unwrap_or_default()
    }

    /// The number of the last event that is not later than a moment.
    pub(super) fn at(&self, time: u64) -> Option<u64> {
        // Events of several processors may be a little out of order: near enough.
        let after = self.entries.partition_point(|entry| entry.time <= time) as u64;
        (!self.entries.is_empty()).then(|| self.before + after.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_with_their_lines() {
        let mut tail = Tail::default();
        let count = MOST as u64 + 5000;
        for number in 0..count {
            tail.push(Entry::new(number * 10, 7, 7), &format!("line {number}"));
        }
        assert_eq!(tail.ends(), (5000, count));
        for number in [5000, 5001, 70_000, count - 1] {
            let entry = *tail.get(number).expect("kept");
            assert_eq!((entry.time, tail.line(&entry)), (number * 10, &*format!("line {number}")));
        }
        assert!(tail.get(4999).is_none() && tail.get(count).is_none());
        // What is kept of the text belongs to events that are kept, but for one chunk.
        assert!(tail.chunks.len() * CHUNK < 2 * MOST * "line 123456".len());
    }

    #[test]
    fn events_are_found_by_their_time() {
        let mut tail = Tail::default();
        assert_eq!(tail.at(5), None);
        for time in [10, 20, 30] {
            tail.push(Entry::new(time, 1, 1), "");
        }
        for (time, expected) in [(5, 0), (10, 0), (19, 0), (20, 1), (99, 2)] {
            assert_eq!(tail.at(time), Some(expected), "{time}");
        }
    }
}
