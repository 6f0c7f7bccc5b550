//! A part of a file in memory: of a map that the kernel side uses too, or of the kernel's type information.

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;

/// Length of a page, and what offsets are multiples of: forkscope knows x86-64 only.
pub(super) const PAGE: usize = 4096;

/// What may be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Reading what nobody writes.
    Copy,
    /// Reading what the kernel side writes.
    Look,
    /// Reading and writing together with the kernel side.
    Share,
}

/// Memory that goes with this value.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<c_void>,
    length: NonZeroUsize,
}

// SAFETY: it owns its memory, wherever it goes; what is done there is the user's to answer for.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `length` bytes of a file, from the page at `offset` on.
    ///
    /// # Errors
    /// What mmap(2) answers.
    pub(super) fn of(file: impl AsFd, offset: usize, length: usize, usage: Use) -> io::Result<Self> {
        let length = NonZeroUsize::new(length).ok_or(io::ErrorKind::InvalidInput)?;
        let offset = i64::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        let (allowed, flags) = match usage {
            Use::Copy => (ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE),
            Use::Look => (ProtFlags::PROT_READ, MapFlags::MAP_SHARED),
            Use::Share => (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED),
        };
        // SAFETY: a new mapping, where the kernel has room.
        let start = unsafe { mmap(None, length, allowed, flags, file, offset) }?;
        Ok(Self { start, length })
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.length.get()
    }

    /// Where the byte at an offset lies.
    ///
    /// # Panics
    /// Where a value of this type would not be whole inside, or not aligned.
    pub(super) fn at<T>(&self, offset: usize) -> NonNull<T> {
        assert!(
            offset.checked_add(size_of::<T>()).is_some_and(|end| end <= self.len()),
            "inside the mapping"
        );
        assert!(offset.is_multiple_of(align_of::<T>()), "aligned, as the mapping itself is");
        // SAFETY: inside the mapping, as was just seen.
        unsafe { self.start.byte_add(offset) }.cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `of` with this length; who took addresses answers for their use.
        let _ = unsafe { munmap(self.start, self.length.get()) };
    }
}
