//! Which descriptors lead to one open file: asked of the kernel with kcmp(2).

use crate::inspect::{SeenFd, SeenProcess};
use forkscope_proto::FileKind;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::io;

/// `KCMP_FILE` (include/uapi/linux/kcmp.h).
const FILE: libc::c_ulong = 0;

/// A descriptor of a process, by their places.
type Place = (usize, usize);

/// What may be the same open file: the kind and, where it has one of its own, the inode.
fn candidate(entry: &SeenFd) -> (FileKind, u64) {
    match entry.kind {
        // Each eventfd has a number of its own, and one open file as long as nobody opens it again through /proc.
        FileKind::Eventfd => (entry.kind, entry.eventfd.0.unwrap_or(0)),
        kind => (kind, entry.inode),
    }
}

/// Numbers the open files of the endpoints that these processes hold. Says how many descriptors it could not be
/// asked of.
pub(super) fn number(processes: &mut [SeenProcess]) -> usize {
    let mut groups: FxHashMap<(FileKind, u64), Vec<Place>> = FxHashMap::default();
    for (at, process) in processes.iter().enumerate() {
        for (entry_at, entry) in process.descriptors.iter().enumerate() {
            groups.entry(candidate(entry)).or_default().push((at, entry_at));
        }
    }
    let (mut next, mut refused) = (0, 0);
    for ((kind, _), places) in groups {
        // What only one descriptor leads to is shared with none; an epoll instance has no other identity.
        if places.len() == 1 && kind != FileKind::Epoll {
            continue;
        }
        // Open files in the kernel's order (kcmp(2): it is arbitrary, but one), each with its number.
        let mut files: Vec<(Place, u32)> = Vec::new();
        for place in places {
            let of = |(at, entry): Place| (processes[at].key.tgid, processes[at].descriptors[entry].fd);
            let mut failed = false;
            let found = files.binary_search_by(|&(other, _)| {
                compare(of(other), of(place)).unwrap_or_else(|_| {
                    failed = true;
                    Ordering::Less
                })
            });
            let number = match found {
                _ if failed => {
                    refused += 1;
                    continue;
                }
                Ok(known) => files[known].1,
                Err(new) => {
                    next += 1;
                    files.insert(new, (place, next));
                    next
                }
            };
            processes[place.0].descriptors[place.1].open_file = Some(number);
        }
        // The first was compared with none: where nobody could be compared with it, nothing is known of it.
        if let [((at, entry), _)] = files[..]
            && refused > 0
            && compare_with_itself(processes[at].key.tgid, processes[at].descriptors[entry].fd).is_err()
        {
            processes[at].descriptors[entry].open_file = None;
            refused += 1;
        }
    }
    refused
}

fn compare_with_itself(pid: u32, fd: i32) -> io::Result<Ordering> {
    compare((pid, fd), (pid, fd))
}

/// How the open files of two descriptors stand in the kernel's order. Refused where one of the processes may not be
/// traced, and on kernels without `CONFIG_KCMP`.
fn compare((pid, fd): (u32, i32), (other_pid, other_fd): (u32, i32)) -> io::Result<Ordering> {
    // SAFETY: the call takes plain numbers, and changes nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_kcmp,
            libc::c_ulong::from(pid),
            libc::c_ulong::from(other_pid),
            FILE,
            fd as libc::c_ulong,
            other_fd as libc::c_ulong,
        )
    };
    match result {
        0 => Ok(Ordering::Equal),
        1 => Ok(Ordering::Less),
        2 => Ok(Ordering::Greater),
        -1 => Err(io::Error::last_os_error()),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}
