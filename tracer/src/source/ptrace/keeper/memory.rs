//! The memory of a traced process, read while the thread that gave the address stands still.

use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid;
use std::io::{IoSlice, IoSliceMut};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How many vectors of a message are looked at, as the probes do.
const MOST_VECTORS: usize = 64;

/// `struct iovec` (readv(2)).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Vector {
    base: u64,
    length: u64,
}

/// `struct msghdr` (sendmsg(2)).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Message {
    name: [u64; 2],
    pub(super) vectors: u64,
    pub(super) count: u64,
    pub(super) control: u64,
    pub(super) control_length: u64,
}

/// Copies bytes; how many could be read.
pub(super) fn copy(tid: i32, from: u64, to: &mut [u8]) -> usize {
    if to.is_empty() || from == 0 {
        return 0;
    }
    let remote = [RemoteIoVec { base: from as usize, len: to.len() }];
    process_vm_readv(Pid::from_raw(tid), &mut [IoSliceMut::new(to)], &remote).unwrap_or(0)
}

/// Writes bytes; whether all were written.
pub(super) fn put(tid: i32, to: u64, bytes: &[u8]) -> bool {
    let remote = [RemoteIoVec { base: to as usize, len: bytes.len() }];
    process_vm_writev(Pid::from_raw(tid), &[IoSlice::new(bytes)], &remote) == Ok(bytes.len())
}

/// Reads a value; `None` where not all of it can be read.
pub(super) fn value<T: FromBytes + IntoBytes + Default>(tid: i32, from: u64) -> Option<T> {
    let mut value = T::default();
    let room = value.as_mut_bytes();
    (copy(tid, from, room) == room.len()).then_some(value)
}

/// Adds up to `most` bytes at an address to `to`.
pub(super) fn take(tid: i32, from: u64, most: usize, to: &mut Vec<u8>) {
    let start = to.len();
    to.resize(start + most, 0);
    let read = copy(tid, from, &mut to[start..]);
    to.truncate(start + read);
}

/// Adds up to `most` bytes at an address to `to`, by pieces: the system reads a piece as a whole or not
/// (process_vm_readv(2)), and the memory may end before the last.
pub(super) fn take_pieces(tid: i32, from: u64, most: usize, piece: usize, to: &mut Vec<u8>) {
    let start = to.len();
    to.resize(start + most, 0);
    let pieces = (0..most).step_by(piece);
    let remote: Vec<RemoteIoVec> = pieces
        .map(|at| RemoteIoVec { base: (from as usize).wrapping_add(at), len: piece.min(most - at) })
        .collect();
    let mut local = [IoSliceMut::new(&mut to[start..])];
    let read = process_vm_readv(Pid::from_raw(tid), &mut local, &remote).unwrap_or(0);
    to.truncate(start + read);
}

/// Adds the first bytes, at most `most`, of what an array of vectors points to.
pub(super) fn take_vectors(tid: i32, first: u64, count: u64, most: usize, to: &mut Vec<u8>) {
    let mut vectors = [Vector::default(); MOST_VECTORS];
    let count = usize::try_from(count).map_or(MOST_VECTORS, |count| count.min(MOST_VECTORS));
    let room = vectors[..count].as_mut_bytes();
    let read = copy(tid, first, room) / size_of::<Vector>();
    let mut remote = [RemoteIoVec { base: 0, len: 0 }; MOST_VECTORS];
    let (mut used, mut left) = (0, most);
    for vector in &vectors[..read] {
        let len = usize::try_from(vector.length).map_or(left, |length| length.min(left));
        if len > 0 {
            remote[used] = RemoteIoVec { base: vector.base as usize, len };
            used += 1;
            left -= len;
        }
    }
    let start = to.len();
    to.resize(start + most - left, 0);
    let mut local = [IoSliceMut::new(&mut to[start..])];
    let read = match used {
        0 => 0,
        _ => process_vm_readv(Pid::from_raw(tid), &mut local, &remote[..used]).unwrap_or(0),
    };
    to.truncate(start + read);
}

/// Adds a string without its NUL, at most `most` bytes of it.
pub(super) fn take_string(tid: i32, from: u64, most: usize, to: &mut Vec<u8>) {
    let start = to.len();
    take(tid, from, most, to);
    let end = to[start..].iter().position(|&byte| byte == 0).map_or(to.len(), |end| start + end);
    to.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_far_as_it_can_be() {
        let own = nix::unistd::getpid().as_raw();
        let text = b"some bytes\0and more";
        let at = text.as_ptr() as u64;
        let mut to = Vec::new();
        take(own, at, 4, &mut to);
        take_string(own, at, 15, &mut to);
        assert_eq!(to, b"somesome bytes");
        assert_eq!(value::<u64>(own, 8), None);
        assert_eq!(value::<[u8; 4]>(own, at), Some(*b"some"));
        let mut room = [0_u8; 4];
        let at = room.as_mut_ptr() as u64;
        assert!(put(own, at, b"done") && !put(own, 8, b"done"));
        assert_eq!(value::<[u8; 4]>(own, at), Some(*b"done"));
    }

    #[test]
    fn pieces_are_read_up_to_the_end_of_the_memory() {
        use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect};
        use std::num::NonZeroUsize;
        const PAGE: usize = 4096;
        let own = nix::unistd::getpid().as_raw();
        let length = NonZeroUsize::new(2 * PAGE).expect("not zero");
        let (read, private) = (ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE);
        // SAFETY: new memory, that nobody else uses; it stays until the test's process ends.
        let memory = unsafe { mmap_anonymous(None, length, read, private) }.expect("there is memory");
        // SAFETY: the second page of it.
        unsafe { mprotect(memory.byte_add(PAGE), PAGE, ProtFlags::PROT_NONE) }.expect("it is there");
        let at = memory.as_ptr() as u64;
        let mut to = vec![7];
        take_pieces(own, at + 1000, 2 * PAGE, 512, &mut to);
        // All whole pieces; the system may give a part of the next.
        let (read, end) = (to.len() - 1, PAGE - 1000);
        assert!((end / 512 * 512..=end).contains(&read), "{read}");
        take_pieces(own, 8, PAGE, 512, &mut to);
        assert_eq!((to[0], to.len()), (7, 1 + read));
    }

    #[test]
    fn vectors_are_joined_and_cut() {
        let own = nix::unistd::getpid().as_raw();
        let (one, two) = (b"one", b"second");
        let vector = |bytes: &[u8]| Vector { base: bytes.as_ptr() as u64, length: bytes.len() as u64 };
        let vectors = [vector(one), vector(b""), vector(two)];
        let at = vectors.as_ptr() as u64;
        for (count, most, expected) in
            [(3, 100, &b"onesecond"[..]), (3, 5, b"onese"), (1, 9, b"one"), (0, 9, b"")]
        {
            let mut to = Vec::new();
            take_vectors(own, at, count, most, &mut to);
            assert_eq!(to, expected);
        }
        let mut to = Vec::new();
        take_vectors(own, 8, 3, 100, &mut to);
        take_vectors(own, at, u64::MAX, 3, &mut to);
        assert_eq!(to, b"one");
    }
}
