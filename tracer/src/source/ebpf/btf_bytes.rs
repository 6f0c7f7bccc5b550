//! The bytes of the kernel's type information.

use super::mapping::{Mapping, Use};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;

/// Bytes, in memory of this process' own or the kernel's.
pub(super) enum Bytes {
    Own(Vec<u8>),
    Mapped(Mapping),
}

impl Bytes {
    /// The bytes of a file that does not change: mapped where the kernel lets it be, since Linux
    /// 6.16 (`btf_sysfs_vmlinux_mmap`, kernel/bpf/sysfs_btf.c). Read, they come a page at a
    /// time, thousands of them.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(super) fn of(path: &str) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
        if let Ok(mapping) = Mapping::of(&file, 0, length, Use::Copy) {
            return Ok(Self::Mapped(mapping));
        }
        let mut bytes = Vec::with_capacity(length + 1);
        file.read_to_end(&mut bytes)?;
        Ok(Self::Own(bytes))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            // SAFETY: all bytes of the mapping, as long as it is borrowed; the kernel never
            // changes its type information.
            Self::Mapped(mapping) => unsafe {
                std::slice::from_raw_parts(mapping.at::<u8>(0).as_ptr(), mapping.len())
            },
        }
    }
}
