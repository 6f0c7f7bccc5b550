//! Which descriptors lead to one open file: asked of the kernel with kcmp(2).

use crate::inspect::{SeenFd, SeenProcess};
use forkscope_proto::FileKind;
use nix::errno::Errno;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// `KCMP_FILE` (include/uapi/linux/kcmp.h).
const FILE: libc::c_ulong = 0;

/// A descriptor of a process, by their places.
type Place = (usize, usize);

/// What may be the same open file: the kind and, where it has one of its own, the inode.
fn candidate(entry: &SeenFd) -> (FileKind, u64) {
    match entry.kind {
        // Each eventfd has a number of its own, and one open file as long as nobody
        // opens it again through /proc.
        FileKind::Eventfd => (entry.kind, entry.eventfd.0.unwrap_or(0)),
        kind => (kind, entry.inode),
    }
}

/// Numbers the open files of the endpoints that these processes hold. Says of how many
/// descriptors it may not be asked.
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
        let mut group = Group { processes, files: Vec::new(), next, refused: 0 };
        let numbers: Vec<_> = places.into_iter().map(|place| (place, group.number(place))).collect();
        next = group.next;
        refused += group.refused;
        for ((at, entry), number) in numbers {
            processes[at].descriptors[entry].open_file = number;
        }
    }
    refused
}

/// Descriptors that may be of one open file.
struct Group<'a> {
    processes: &'a [SeenProcess],
    /// Open files in the kernel's order (kcmp(2): it is arbitrary, but one), each with its number.
    files: Vec<(Place, u32)>,
    next: u32,
    /// Descriptors of which it may not be asked.
    refused: usize,
}

impl Group<'_> {
    fn of(&self, (at, entry): Place) -> (u32, i32) {
        (self.processes[at].key.tgid, self.processes[at].descriptors[entry].fd)
    }

    /// The number of the open file behind a descriptor; `None` where that cannot be told: it may not be
    /// asked, or the descriptor was closed meanwhile.
    fn number(&mut self, place: Place) -> Option<u32> {
        // The first is compared with itself: that says whether it may be asked of, and is still there.
        self.ask(place, place)?;
        loop {
            let mut gone = None;
            let found = self.files.binary_search_by(|&(other, _)| {
                compare(self.of(other), self.of(place)).unwrap_or_else(|_| {
                    gone = Some(other);
                    Ordering::Less
                })
            });
            match (gone, found) {
                (None, Ok(known)) => return Some(self.files[known].1),
                (None, Err(new)) => {
                    self.next += 1;
                    self.files.insert(new, (place, self.next));
                    return Some(self.next);
                }
                // The other was closed, and says nothing any more.
                (Some(other), _) => self.files.retain(|&(known, _)| known != other),
            }
        }
    }

    fn ask(&mut self, one: Place, other: Place) -> Option<Ordering> {
        match compare(self.of(one), self.of(other)) {
            Ok(order) => Some(order),
            Err(Errno::EBADF | Errno::ESRCH) => None,
            Err(_) => {
                self.refused += 1;
                None
            }
        }
    }
}

/// How the open files of two descriptors stand in the kernel's order. `EBADF` where one is closed; refused
/// where one of the processes may not be traced, and on kernels without `CONFIG_KCMP`.
fn compare((pid, fd): (u32, i32), (other_pid, other_fd): (u32, i32)) -> nix::Result<Ordering> {
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
    match Errno::result(result)? {
        0 => Ok(Ordering::Equal),
        1 => Ok(Ordering::Less),
        2 => Ok(Ordering::Greater),
        _ => Err(Errno::ENOSYS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ProcKey;
    use nix::sys::epoll::{Epoll, EpollCreateFlags};
    use std::os::fd::{AsRawFd, OwnedFd};

    /// This process, holding these.
    fn holding(descriptors: &[i32]) -> Vec<SeenProcess> {
        let entry = |&fd: &i32| SeenFd { fd, kind: FileKind::Epoll, ..SeenFd::default() };
        let key = ProcKey { tgid: std::process::id(), start: 0 };
        vec![SeenProcess {
            key,
            descriptors: descriptors.iter().map(entry).collect(),
            ..SeenProcess::default()
        }]
    }

    #[test]
    fn copies_are_one_open_file_and_what_was_closed_disturbs_nobody() {
        let epoll = || -> OwnedFd { Epoll::new(EpollCreateFlags::empty()).expect("epoll").0 };
        let (one, other) = (epoll(), epoll());
        let copy = one.try_clone().expect("a copy");
        // A number that nothing is behind, as after a close between the look and this question.
        let closed = 1 << 20;
        for order in [[closed, 0, 1, 2], [0, closed, 1, 2], [0, 1, 2, closed]] {
            let fds = [one.as_raw_fd(), copy.as_raw_fd(), other.as_raw_fd()];
            let order = order.map(|at| fds.get(at as usize).copied().unwrap_or(closed));
            let mut seen = holding(&order);
            assert_eq!(number(&mut seen), 0, "nothing was refused");
            let of = |fd| seen[0].descriptors.iter().find(|entry| entry.fd == fd).expect("there").open_file;
            assert_eq!((of(fds[0]), of(closed)), (of(fds[1]), None));
            assert!(of(fds[0]).is_some() && of(fds[2]).is_some() && of(fds[0]) != of(fds[2]));
        }
    }
}
