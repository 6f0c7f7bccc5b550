//! Records that have arrived, in order of time.
//!
//! The ring keeps the order in which CPUs reserved room, which is a little after each took its time. Sorting
//! each batch by time, and holding back the newest until nothing older can follow, gives one order for all.

use super::record::{Refused, decode, decode_stack};
use crate::event::{Event, ProcKey, Snapshot, SnapshotFd, TakenStack, What};
use forkscope_proto::{Header, Kind};
use std::time::Duration;
use zerocopy::{FromBytes, IntoBytes};

/// How long a probe may take from reading the clock to reserving its record, in nanoseconds:
/// far more than an interrupt.
const HOLD: u64 = 1_000_000;

/// Room for records, reused: adding and taking allocate nothing once it has grown.
#[derive(Debug, Default)]
pub struct Batch {
    /// The records, each padded to 8 bytes.
    words: Vec<u64>,
    /// Time, first word and length in bytes of each.
    index: Vec<(u64, u32, u32)>,
    /// Stacks, as they came: before the events that they belong to.
    stacks: Vec<TakenStack>,
    /// Bytes that they came in.
    stack_bytes: usize,
    /// Processes as they were found, and when.
    snapshots: Vec<(u64, ProcKey, Snapshot)>,
    /// Descriptors in them.
    snapshot_fds: usize,
    /// Records that were refused.
    refused: u64,
}

impl Batch {
    /// How long events are held back for their order.
    pub const HOLDS: Duration = Duration::from_nanos(HOLD);
    /// Bytes from which a reader should take the events before adding more.
    pub const FULL: usize = 4 << 20;

    /// Adds a record as it came.
    pub fn push(&mut self, bytes: &[u8]) {
        let Ok((header, _)) = Header::read_from_prefix(bytes) else {
            self.refused += 1;
            return;
        };
        let first = self.words.len();
        self.words.resize(first + bytes.len().div_ceil(8), 0);
        self.words[first..].as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
        if header.kind == Kind::Stack as u16 {
            match decode_stack(&self.words[first..].as_bytes()[..bytes.len()]) {
                Ok(stack) => self.stacks.push(stack),
                Err(_) => self.refused += 1,
            }
            self.stack_bytes += bytes.len();
            return self.words.truncate(first);
        }
        self.index.push((header.time, first as u32, bytes.len() as u32));
    }

    /// Adds a process as a source found it, in its place among the records.
    pub fn add_snapshot(&mut self, time: u64, process: ProcKey, snapshot: Snapshot) {
        self.snapshot_fds += snapshot.descriptors.len();
        self.snapshots.push((time, process, snapshot));
    }

    /// Takes the stacks: those of all events that it has, and maybe of some that are still to come.
    pub fn take_stacks(&mut self) -> Vec<TakenStack> {
        self.stack_bytes = 0;
        std::mem::take(&mut self.stacks)
    }

    /// Whether it holds so much that it should be emptied first.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let snapshots =
            self.snapshots.len() * size_of::<Snapshot>() + self.snapshot_fds * size_of::<SnapshotFd>();
        self.words.len() * 8 + self.stack_bytes + snapshots >= Self::FULL
    }

    /// How many records were no records. Only a fault of forkscope itself can make one.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Hands on the events that nothing older can follow, in order of time. `now` is the present on the same
    /// clock; `None` hands on all. With each comes the one that will be handed on after `ahead` others, if
    /// that is asked for and there is one.
    pub fn take(
        &mut self,
        now: Option<u64>,
        ahead: Option<usize>,
        mut each: impl FnMut(&Event<'_>, Option<Event<'_>>),
    ) {
        let until = now.map_or(u64::MAX, |now| now.saturating_sub(HOLD));
        self.index.sort_by_key(|&(time, ..)| time);
        let ready = self.index.partition_point(|&(time, ..)| time <= until);
        self.snapshots.sort_by_key(|&(time, ..)| time);
        let mut snapshots = std::mem::take(&mut self.snapshots).into_iter().peekable();
        let mut shown = |until, each: &mut dyn FnMut(&Event<'_>, Option<Event<'_>>)| {
            while let Some((time, process, snapshot)) = snapshots.next_if(|&(time, ..)| time <= until) {
                each(&Event { time, process, tid: process.tgid, what: What::Snapshot(&snapshot) }, None);
            }
        };
        let bytes = self.words.as_bytes();
        let read = |&(_, first, length): &(u64, u32, u32)| {
            let first = first as usize * 8;
            decode(&bytes[first..first + length as usize])
        };
        for (at, place) in self.index[..ready].iter().enumerate() {
            shown(place.0, &mut each);
            match read(place) {
                Ok(event) => {
                    let later = ahead.and_then(|ahead| self.index[..ready].get(at + ahead));
                    each(&event, later.and_then(|later| read(later).ok()));
                }
                Err(Refused::Short | Refused::UnknownKind | Refused::Stack) => self.refused += 1,
            }
        }
        shown(until, &mut each);
        self.snapshots = snapshots.collect();
        self.snapshot_fds = self.snapshots.iter().map(|(.., snapshot)| snapshot.descriptors.len()).sum();
        self.keep_from(ready);
    }

    /// Moves what is held back to the front.
    fn keep_from(&mut self, ready: usize) {
        if ready == 0 {
            return;
        }
        self.index.drain(..ready);
        let mut kept = Vec::new();
        for (_, first, length) in &mut self.index {
            let from = *first as usize;
            *first = kept.len() as u32;
            kept.extend_from_slice(&self.words[from..from + (*length as usize).div_ceil(8)]);
        }
        self.words.clear();
        self.words.extend_from_slice(&kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forkscope_proto::Stack;

    fn times(batch: &mut Batch, now: Option<u64>) -> Vec<u64> {
        let mut times = Vec::new();
        batch.take(now, None, |event, _| times.push(event.time));
        times
    }

    fn push(batch: &mut Batch, time: u64) {
        batch.push(Header { time, kind: Kind::Compat as u16, ..Header::default() }.as_bytes());
    }

    #[test]
    fn events_come_in_order_of_time_and_the_newest_wait() {
        let mut batch = Batch::default();
        for time in [3, 1, 2, 10 * HOLD, 4] {
            push(&mut batch, time);
        }
        assert_eq!(times(&mut batch, Some(5 * HOLD)), [1, 2, 3, 4]);
        push(&mut batch, 9 * HOLD);
        push(&mut batch, 9 * HOLD + 1);
        let mut pairs = Vec::new();
        batch.take(None, Some(2), |event, later| pairs.push((event.time, later.map(|later| later.time))));
        assert_eq!(pairs, [(9 * HOLD, Some(10 * HOLD)), (9 * HOLD + 1, None), (10 * HOLD, None)]);
        assert!(times(&mut batch, None).is_empty());
    }

    #[test]
    fn snapshots_come_in_their_place() {
        let mut batch = Batch::default();
        for time in [3, 1, 5] {
            batch.add_snapshot(time, ProcKey { tgid: 7, start: 8 }, Snapshot::default());
        }
        push(&mut batch, 4);
        push(&mut batch, 2);
        let until = |time| Some(HOLD + time);
        assert_eq!(times(&mut batch, until(2)), [1, 2]);
        assert_eq!(times(&mut batch, until(4)), [3, 4]);
        assert_eq!(times(&mut batch, None), [5]);
        assert!(times(&mut batch, None).is_empty());
        let many =
            Snapshot { descriptors: vec![SnapshotFd::default(); Batch::FULL / 64], ..Snapshot::default() };
        batch.add_snapshot(6, ProcKey::default(), many);
        assert!(batch.is_full());
        batch.take(None, None, |_, _| ());
        assert!(!batch.is_full());
    }

    #[test]
    fn stacks_are_handed_on_apart() {
        let mut batch = Batch::default();
        let header = Header { time: 2, kind: Kind::Stack as u16, payload: 3, ..Header::default() };
        let stack = Stack { header, at: 1, ..Stack::default() };
        push(&mut batch, 1);
        batch.push(&[stack.as_bytes(), b"abc"].concat());
        push(&mut batch, 3);
        batch.push(&[stack.as_bytes(), b"ab"].concat());
        assert_eq!(batch.refused(), 1, "one was cut");
        let stacks = batch.take_stacks();
        assert_eq!(
            stacks.iter().map(|stack| (stack.time, &stack.bytes[..])).collect::<Vec<_>>(),
            [(2, &b"abc"[..])]
        );
        assert!(batch.take_stacks().is_empty());
        assert_eq!(times(&mut batch, None), [1, 3]);
        let mut full = Batch::default();
        let header = Header { payload: Stack::MOST as u32, ..header };
        let whole = [Stack { header, ..stack }.as_bytes(), &[0; Stack::MOST]].concat();
        (0..Batch::FULL / whole.len() + 1).for_each(|_| full.push(&whole));
        assert!(full.is_full());
        full.take_stacks();
        assert!(!full.is_full());
    }

    #[test]
    fn what_is_no_record_is_counted() {
        let mut batch = Batch::default();
        batch.push(b"short");
        batch.push(Header { kind: 77, ..Header::default() }.as_bytes());
        assert!(times(&mut batch, None).is_empty());
        assert_eq!(batch.refused(), 2);
    }
}
