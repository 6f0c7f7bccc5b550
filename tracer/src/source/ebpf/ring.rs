//! The ring that the kernel side writes records to (kernel/bpf/ringbuf.c, Linux 6.18).
//!
//! ```text
//!   page 0            page 1            from page 2 on
//!   consumer's place  producer's place  records: | length and state, 4 | 4 | bytes, padded to 8 |
//! ```
//!
//! Places only grow; their lower bits are where in the ring they are. The kernel offers all records a second
//! time behind the first, so that one that goes over the ring's end lies in one piece. Here they are mapped
//! once, because each mapping counts as memory of this process, and a record in two pieces is put together.

use super::mapping::{Mapping, PAGE, Use};
use crate::source::Drained;
use aya::maps::MapData;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Bytes before those of each record (`BPF_RINGBUF_HDR_SZ`, include/uapi/linux/bpf.h).
const HEAD: u64 = 8;
/// The record is being written (`BPF_RINGBUF_BUSY_BIT`).
const BUSY: u32 = 1 << 31;
/// The record was given up (`BPF_RINGBUF_DISCARD_BIT`).
const DISCARDED: u32 = 1 << 30;

/// The reader's side.
pub(super) struct Ring {
    map: OwnedFd,
    consumer: Mapping,
    /// The producer's page and the records.
    records: Mapping,
    /// Where to read next.
    place: u64,
    /// Where the producer was when it was looked at last.
    seen: u64,
    /// Room was given back that the producer may not have noticed.
    gave_back: bool,
    /// What was read since somebody asked.
    drained: Drained,
    /// A record that goes over the end, put together.
    joined: Vec<u8>,
}

impl Ring {
    /// The ring that is in a map.
    ///
    /// # Errors
    /// Where it cannot be mapped.
    pub(super) fn of(map: &MapData) -> io::Result<Self> {
        let size = map.info().map_err(io::Error::other)?.max_entries();
        Self::in_file(map.fd().as_fd(), size as usize)
    }

    fn in_file(map: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        let consumer = Mapping::of(map, 0, PAGE, Use::Share)?;
        let records = Mapping::of(map, PAGE, PAGE + size, Use::Look)?;
        let map = map.try_clone_to_owned()?;
        let mut ring = Self {
            map,
            consumer,
            records,
            place: 0,
            seen: 0,
            gave_back: false,
            drained: Drained::default(),
            joined: Vec::new(),
        };
        ring.place = ring.consumer().load(Ordering::Acquire);
        ring.seen = ring.place;
        Ok(ring)
    }

    /// Hands the next record to `take`; `None`: there is none.
    pub(super) fn next<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> Option<T> {
        loop {
            if !self.is_behind() {
                return None;
            }
            let state = self.head().load(Ordering::Acquire);
            let length = u64::from(state & !(BUSY | DISCARDED));
            match state {
                _ if state & BUSY != 0 && self.settle() => {}
                _ if state & BUSY != 0 => {
                    // What comes behind it may be news, of which nobody is woken again.
                    self.drained.news = true;
                    return None;
                }
                _ if state & DISCARDED != 0 => {
                    // The kernel side tells news so.
                    self.drained.news = true;
                    self.give_back(length);
                }
                _ => {
                    let taken = take(self.record(length as usize));
                    self.give_back(length);
                    return Some(taken);
                }
            }
        }
    }

    /// The bytes of records that it has room for, with what stands before each.
    pub(super) fn size(&self) -> usize {
        self.records.len() - PAGE
    }

    /// What was read since this was asked last.
    pub(super) fn take_drained(&mut self) -> Drained {
        std::mem::take(&mut self.drained)
    }

    /// Whether there is something to read.
    fn is_behind(&mut self) -> bool {
        if self.place == self.seen {
            self.settle();
            self.seen = self.producer().load(Ordering::Acquire);
        }
        self.place != self.seen
    }

    /// Before it is believed that nothing is there: whether room was given back since. Either the producer
    /// sees that, and wakes this side for its record, or this side sees the record at the next look.
    fn settle(&mut self) -> bool {
        let gave_back = std::mem::take(&mut self.gave_back);
        if gave_back {
            fence(Ordering::SeqCst);
        }
        gave_back
    }

    fn give_back(&mut self, length: u64) {
        let whole = (HEAD + length).next_multiple_of(HEAD);
        self.place += whole;
        self.drained.bytes += whole;
        self.consumer().store(self.place, Ordering::Release);
        self.gave_back = true;
    }

    /// The bytes of the record at this place.
    fn record(&mut self, length: usize) -> &[u8] {
        let size = self.size();
        let start = (self.place + HEAD) as usize & (size - 1);
        let first = length.min(size - start);
        if first == length {
            return self.bytes(start, length);
        }
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        joined.extend_from_slice(self.bytes(start, first));
        joined.extend_from_slice(self.bytes(0, length - first));
        self.joined = joined;
        &self.joined
    }

    /// Bytes of a record that is written and was not given back.
    fn bytes(&self, start: usize, length: usize) -> &[u8] {
        if length == 0 {
            return &[];
        }
        let last = self.records.at::<u8>(PAGE + start + length - 1);
        // SAFETY: all are inside the mapping, as its last one is; nobody writes to a record that is whole
        // until its room is given back, which takes this value for itself.
        unsafe { std::slice::from_raw_parts(last.as_ptr().sub(length - 1), length) }
    }

    fn head(&self) -> &AtomicU32 {
        let at = self.place as usize & (self.records.len() - PAGE - 1);
        // SAFETY: inside the mapping, aligned, and the kernel writes it atomically.
        unsafe { AtomicU32::from_ptr(self.records.at::<u32>(PAGE + at).as_ptr()) }
    }

    fn producer(&self) -> &AtomicU64 {
        // SAFETY: as above.
        unsafe { AtomicU64::from_ptr(self.records.at::<u64>(0).as_ptr()) }
    }

    fn consumer(&self) -> &AtomicU64 {
        // SAFETY: as above; only this side writes it.
        unsafe { AtomicU64::from_ptr(self.consumer.at::<u64>(0).as_ptr()) }
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.map.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    const SIZE: usize = PAGE;

    /// A file that looks as a ring does, and the kernel's side of it.
    struct Kernel {
        file: File,
        place: u64,
    }

    impl Kernel {
        fn put(&mut self, bytes: &[u8], marks: u32) {
            let at = |place: u64| 2 * PAGE as u64 + place % SIZE as u64;
            let head = bytes.len() as u32 | marks;
            self.file.write_all_at(&head.to_ne_bytes(), at(self.place)).expect("the file can be written");
            for (place, byte) in (self.place + HEAD..).zip(bytes) {
                self.file.write_all_at(&[*byte], at(place)).expect("the file can be written");
            }
            self.place += (HEAD + bytes.len() as u64).next_multiple_of(HEAD);
            self.file.write_all_at(&self.place.to_ne_bytes(), PAGE as u64).expect("the file can be written");
        }
    }

    fn ring() -> (Kernel, Ring) {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(2 * PAGE as u64 + SIZE as u64).expect("it grows");
        let ring = Ring::in_file(file.as_fd(), SIZE).expect("it can be mapped");
        (Kernel { file, place: 0 }, ring)
    }

    #[test]
    fn records_come_whole_and_in_order_over_the_end_too() {
        let (mut kernel, mut ring) = ring();
        for number in 0..500_usize {
            let bytes = vec![number as u8; number % 301];
            kernel.put(&bytes, 0);
            kernel.put(b"given up", DISCARDED);
            assert_eq!(ring.next(<[u8]>::to_vec), Some(bytes), "{number}");
            let bytes = (HEAD + number as u64 % 301).next_multiple_of(HEAD);
            assert_eq!(ring.take_drained(), Drained { bytes, news: false });
            assert_eq!(ring.next(<[u8]>::to_vec), None);
            assert_eq!(ring.take_drained(), Drained { bytes: 16, news: true });
            assert_eq!(ring.consumer().load(Ordering::Relaxed), kernel.place, "all room is given back");
        }
    }

    #[test]
    fn what_is_being_written_is_waited_for() {
        let (mut kernel, mut ring) = ring();
        kernel.put(b"first", 0);
        let unfinished = kernel.place;
        kernel.put(b"second", BUSY);
        kernel.put(b"third", 0);
        assert_eq!(ring.next(<[u8]>::to_vec).as_deref(), Some(&b"first"[..]));
        assert_eq!(ring.next(<[u8]>::to_vec), None);
        assert!(ring.take_drained().news, "it is looked at again soon");
        kernel.file.write_all_at(&6_u32.to_ne_bytes(), 2 * PAGE as u64 + unfinished).expect("written");
        assert_eq!(ring.next(<[u8]>::to_vec).as_deref(), Some(&b"second"[..]));
        assert_eq!(ring.next(<[u8]>::to_vec).as_deref(), Some(&b"third"[..]));
        assert_eq!(ring.next(<[u8]>::to_vec), None);
    }
}
