//! The table of traced process numbers, shared with the kernel side.

use super::mapping::{Mapping, PAGE, Use};
use aya::maps::MapData;
use forkscope_proto::Config;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};

const LENGTH: usize = Config::FILTER_ROW * Config::FILTER_ROWS;

/// A byte for each process number, in memory that the kernel side reads and writes too. It is mapped a page
/// at a time, and only while a mark is set: all of it would count as memory of this process.
pub(super) struct Filter {
    map: OwnedFd,
}

impl Filter {
    /// The table that is in a map.
    ///
    /// # Errors
    /// Where the system has no descriptor to give.
    pub(super) fn of(map: &MapData) -> io::Result<Self> {
        Ok(Self { map: map.fd().as_fd().try_clone_to_owned()? })
    }

    /// Adds [`Mark`](forkscope_proto::Mark)s to a process; the kernel side may have set some.
    ///
    /// # Errors
    /// Where the system has no memory to give.
    pub(super) fn add(&self, tgid: u32, marks: u8) -> io::Result<()> {
        self.with(tgid, |byte| {
            byte.fetch_or(marks, Ordering::AcqRel);
        })
    }

    /// Takes all of them from it.
    ///
    /// # Errors
    /// As [`Filter::add`].
    pub(super) fn clear(&self, tgid: u32) -> io::Result<()> {
        self.with(tgid, |byte| byte.store(0, Ordering::Release))
    }

    fn with(&self, tgid: u32, act: impl FnOnce(&AtomicU8)) -> io::Result<()> {
        let at = tgid as usize % LENGTH;
        let page = Mapping::of(&self.map, at / PAGE * PAGE, PAGE, Use::Share)?;
        // SAFETY: inside the mapping, and single bytes are only ever accessed atomically here.
        act(unsafe { AtomicU8::from_ptr(page.at::<u8>(at % PAGE).as_ptr()) });
        Ok(())
    }
}
