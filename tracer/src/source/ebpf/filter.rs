//! The table of traced process numbers, shared with the kernel side.

use aya::maps::MapData;
use forkscope_proto::Config;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering};

const LENGTH: usize = Config::FILTER_ROW * Config::FILTER_ROWS;

/// A byte for each process number, in memory that the kernel side reads and writes too.
pub(super) struct Filter {
    bytes: NonNull<c_void>,
}

impl Filter {
    /// Maps the table.
    pub(super) fn of(map: &MapData) -> io::Result<Self> {
        let length = NonZeroUsize::new(LENGTH).ok_or(io::ErrorKind::InvalidInput)?;
        // SAFETY: a new mapping, of the length that the map was created with.
        let bytes = unsafe {
            mmap(
                None,
                length,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                MapFlags::MAP_SHARED,
                map.fd(),
                0,
            )
        }?;
        Ok(Self { bytes })
    }

    /// Marks a process as traced, or not.
    pub(super) fn mark(&self, tgid: u32, traced: bool) {
        let at = tgid as usize % LENGTH;
        // SAFETY: `at` is inside the mapping, and single bytes are only ever accessed atomically here.
        unsafe { AtomicU8::from_ptr(self.bytes.as_ptr().cast::<u8>().add(at)) }
            .store(traced.into(), Ordering::Release);
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // SAFETY: mapped by `of` with this length, and nothing borrows from it.
        let _ = unsafe { munmap(self.bytes, LENGTH) };
    }
}
