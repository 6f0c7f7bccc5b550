//! The numbers of a process' descriptors, and a look at each. Each look is a few system calls, so that many
//! are shared among threads: ten thousand take a tenth of a second on one.

use super::link::number;
use std::ffi::{CStr, CString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::thread;

/// Below this many, another thread costs more than it saves.
const LEAST_EACH: usize = 1000;
/// More threads would wait for each other in the kernel.
const MOST_THREADS: usize = 4;

/// A descriptor's number, as a number and as the name in /proc/PID/fd.
type Numbered = (i32, CString);

/// What a look finds behind each descriptor of a process, in the order of /proc. `look` is
/// given the folder of links.
///
/// # Errors
/// Where the process does not exist, or may not be looked at.
pub(super) fn each<T: Send>(
    pid: u32,
    look: impl Fn(&File, i32, &CStr) -> Option<T> + Sync,
) -> io::Result<Vec<T>> {
    let folder = format!("/proc/{pid}/fd");
    let links = File::open(&folder)?;
    let mut numbers = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let Ok(name) = CString::new(entry?.file_name().into_vec()) else { continue };
        let fd = number(name.to_bytes()).and_then(|fd| i32::try_from(fd).ok());
        numbers.extend(fd.map(|fd| (fd, name)));
    }
    let some = |part: &[Numbered]| -> Vec<T> {
        part.iter().filter_map(|(fd, name)| look(&links, *fd, name)).collect()
    };
    let threads = match numbers.len() {
        // To find out how many there may be takes longer than a look at a few.
        ..=LEAST_EACH => 1,
        _ => thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS),
    };
    let part = numbers.len().div_ceil(threads).max(LEAST_EACH);
    let (first, rest) = numbers.split_at(part.min(numbers.len()));
    Ok(thread::scope(|scope| {
        let some = &some;
        let spawn = |part| (part, thread::Builder::new().spawn_scoped(scope, move || some(part)));
        let others: Vec<_> = rest.chunks(part).map(spawn).collect();
        let mut found = some(first);
        for (part, thread) in others {
            // Where no thread was to be had, it is done here.
            found.extend(thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| some(part)));
        }
        found
    }))
}
