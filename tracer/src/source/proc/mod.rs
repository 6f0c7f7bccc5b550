//! What /proc shows: processes that ran before forkscope did, and what events cannot tell.
//!
//! Everything here is read-only and may fail at any moment, because processes end when they like.

mod behind;
mod descriptors;
mod endpoints;
mod facts;
mod glance;
mod library;
mod link;
mod mapped;
mod net_line;
mod numbers;
mod place;
mod regular;
mod same;
mod signal;
mod snapshot;
mod sockets;
mod thread;
mod tree;
mod walk;

pub use behind::Looker;
pub use facts::facts;
pub use glance::glance;
pub use mapped::{MappedFile, mapped_files};
pub use place::place;
pub use regular::open_regular;
pub use signal::{has_capability, is_stopped, may_signal_all, signal};
pub use snapshot::snapshot;
pub use thread::{memory_by_pieces, stands_at, thread_numbers};
pub use tree::{
    Rings, all, has_ended, is_kernel_thread, key, process_of, threads, uses_uring, with_descendants,
};
pub use walk::walk;

use crate::event::SnapshotFd;
use procfs::ProcError;
use procfs::process::Process;
use std::fs::File;
use std::io::{self, Read};

fn process(pid: u32) -> io::Result<Process> {
    Process::new(i32::try_from(pid).map_err(|_| io::ErrorKind::NotFound)?).map_err(to_io)
}

/// The first bytes of a file, and no more, however long it is.
fn at_most(bytes: u64, path: &str) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    File::open(path)?.take(bytes).read_to_end(&mut read)?;
    Ok(read)
}

/// The descriptors of a process, or of one thread's table, and whether an io_uring is among them; of sockets
/// not more than that they are some.
///
/// # Errors
/// Where it does not exist, or may not be looked at.
pub fn descriptors(of: u32) -> io::Result<(Vec<SnapshotFd>, bool)> {
    descriptors::of(of)
}

/// A process' command line, NUL-separated, as far as it is kept. One that has ended and is
/// not waited for has none.
fn cmdline(pid: u32) -> Vec<u8> {
    /// In bytes.
    const MOST: u64 = 4096;
    at_most(MOST, &format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn to_io(error: ProcError) -> io::Error {
    match error {
        ProcError::NotFound(_) => io::ErrorKind::NotFound.into(),
        ProcError::PermissionDenied(_) => io::Error::from_raw_os_error(libc::EPERM),
        ProcError::Io(error, _) => error,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
