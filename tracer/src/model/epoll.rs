//! Epoll instances: what is registered on them, by whom, and who waits.
//!
//! An instance is an open file: a fork shares it as it shares any other, and with it what is registered. The
//! number under which something is registered belongs to the registration: closing it in one process does not
//! end that while another holds the open file (epoll(7), Q6).

mod calls;

use super::{FileId, OpenFile, Origin, ProcId};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

/// Registrations that are remembered, of all instances together.
const MOST_WATCHES: usize = 1 << 18;
/// Registrations under one number of one instance: files that were closed without a word may be gone.
const MOST_PER_NUMBER: usize = 4;
/// Processes of one instance that are remembered.
const MOST_USERS: usize = 32;
/// Instances from which on those that are gone are looked for, and the most there are.
const SWEEP_AT: usize = 1024;
const MOST_EPOLLS: usize = 1 << 16;

/// A registration.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// The number under which it was made.
    pub fd: i32,
    /// The open file that is watched.
    pub target: FileId,
    /// What its events carry: a pointer, a number, whatever its maker likes.
    pub data: u64,
    /// Who made it.
    pub added: Origin,
    /// Who gave the data last.
    pub given: Origin,
    /// Who changed it last.
    pub changed: Origin,
}

/// What a process did with an instance.
#[derive(Clone, Copy, Debug)]
pub struct EpollUser {
    /// Which.
    pub process: ProcId,
    /// Under which number, last.
    pub fd: i32,
    /// The wait that it came back from last.
    pub waited: Option<Origin>,
}

/// An epoll instance.
#[derive(Debug)]
pub struct Epoll {
    /// Who made it; call 0: it was there before forkscope looked, and what was registered is not known.
    pub opened: Origin,
    /// Who changed it or waited on it.
    pub users: Vec<EpollUser>,
    /// Whether all that was registered since is known.
    pub complete: bool,
    watches: BTreeMap<u64, Watch>,
    by_number: BTreeSet<(i32, u64)>,
    by_data: BTreeSet<(u64, u64)>,
    serial: u64,
    file: Weak<OpenFile>,
}

/// What happened to a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It was made.
    Added,
    /// It was changed; the one before was another process'.
    Changed,
    /// It was removed, and was another process'.
    Removed,
    /// Its event was given to a process that has not made it, nor remembers that an ancestor did.
    Told,
}

/// A use of an instance that more than one process has.
#[derive(Clone, Copy, Debug)]
pub struct EpollUse {
    /// Which instance.
    pub epoll: FileId,
    /// Who did it, or was told.
    pub by: Origin,
    /// The instance's number there.
    pub fd: i32,
    /// What happened.
    pub act: Act,
    /// The registration: as it was before a change or removal.
    pub watch: Watch,
}

/// All instances.
#[derive(Debug, Default)]
pub(super) struct Epolls {
    known: FxHashMap<FileId, Epoll>,
    /// Those that were there before forkscope looked, by the address of the kernel's
    /// struct: who holds it, where.
    places: FxHashMap<u64, (ProcId, i32, FileId)>,
    /// Registrations of all instances.
    watches: usize,
    sweep_at: usize,
}

impl Epoll {
    /// Whether a process shares it: another one made it, or uses it.
    fn is_shared(&self, process: ProcId) -> bool {
        self.opened.process != process || self.users.iter().any(|user| user.process != process)
    }

    /// Whether its maker has waited on it: it is a loop of the maker's, and no way to tell children.
    #[must_use]
    pub fn is_its_maker_s_loop(&self) -> bool {
        self.users.iter().any(|user| user.process == self.opened.process && user.waited.is_some())
    }

    /// What is registered for an open file under a number.
    #[must_use]
    pub fn watch(&self, fd: i32, target: FileId) -> Option<&Watch> {
        self.place(fd, target).and_then(|at| self.watches.get(&at))
    }

    fn place(&self, fd: i32, target: FileId) -> Option<u64> {
        self.under(fd).find(|at| self.watches.get(at).is_some_and(|watch| watch.target == target))
    }

    fn under(&self, fd: i32) -> impl Iterator<Item = u64> {
        self.by_number.range((fd, 0)..=(fd, u64::MAX)).map(|&(_, at)| at)
    }

    /// The registrations whose events carry this.
    fn carrying(&self, data: u64) -> impl Iterator<Item = &Watch> {
        let places = self.by_data.range((data, 0)..=(data, u64::MAX));
        places.filter_map(|(_, at)| self.watches.get(at))
    }

    fn insert(&mut self, watch: Watch) {
        self.serial += 1;
        self.by_number.insert((watch.fd, self.serial));
        self.by_data.insert((watch.data, self.serial));
        self.watches.insert(self.serial, watch);
    }

    fn take(&mut self, at: u64) -> Option<Watch> {
        let watch = self.watches.remove(&at)?;
        self.by_number.remove(&(watch.fd, at));
        self.by_data.remove(&(watch.data, at));
        Some(watch)
    }

    fn note(&mut self, at: Origin, fd: i32, waits: bool) {
        let place = self.users.iter().position(|user| user.process == at.process);
        let user = EpollUser { process: at.process, fd, waited: None };
        match place {
            Some(place) => self.users[place].fd = fd,
            None if self.users.len() < MOST_USERS => self.users.push(user),
            None => return,
        }
        let place = place.unwrap_or(self.users.len() - 1);
        if waits {
            self.users[place].waited = Some(at);
        }
    }
}

impl Epolls {
    pub(super) fn get(&self, id: FileId) -> Option<&Epoll> {
        self.known.get(&id)
    }

    /// Whether a process has registered an open file under a number on any instance.
    pub(super) fn has_watch_of(&self, process: ProcId, fd: i32, target: FileId) -> bool {
        let is_held = |epoll: &&Epoll| epoll.file.upgrade().is_some_and(|file| file.held.get() > 0);
        self.known
            .values()
            .filter(is_held)
            .any(|epoll| epoll.watch(fd, target).is_some_and(|watch| watch.added.process == process))
    }

    /// The state of an instance, made at its first use.
    fn of(&mut self, file: &Rc<OpenFile>) -> Option<&mut Epoll> {
        if !self.known.contains_key(&file.id) {
            self.sweep();
            if self.known.len() >= MOST_EPOLLS {
                return None;
            }
        }
        let made = || Epoll {
            opened: file.opened,
            users: Vec::new(),
            complete: true,
            watches: BTreeMap::new(),
            by_number: BTreeSet::new(),
            by_data: BTreeSet::new(),
            serial: 0,
            file: Rc::downgrade(file),
        };
        Some(self.known.entry(file.id).or_insert_with(made))
    }

    /// Forgets instances that nobody holds any more, when there are many.
    fn sweep(&mut self) {
        if self.known.len() < self.sweep_at.max(SWEEP_AT) {
            return;
        }
        self.known.retain(|_, epoll| epoll.file.strong_count() > 0);
        self.watches = self.known.values().map(|epoll| epoll.watches.len()).sum();
        self.sweep_at = 2 * self.known.len();
    }

    fn add(&mut self, file: &Rc<OpenFile>, watch: Watch) {
        let has_room = self.watches < MOST_WATCHES;
        let Some(epoll) = self.of(file) else { return };
        // The kernel had none for this file and number: what is known of one is old.
        let old = epoll.place(watch.fd, watch.target).or_else(|| {
            let full = epoll.under(watch.fd).count() >= MOST_PER_NUMBER;
            epoll.under(watch.fd).next().filter(|_| full)
        });
        let gone = usize::from(old.is_some_and(|at| epoll.take(at).is_some()));
        if has_room || gone > 0 {
            epoll.insert(watch);
        } else {
            epoll.complete = false;
        }
        self.watches = self.watches + usize::from(has_room || gone > 0) - gone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forkscope_proto::FileKind;

    fn epoll(id: u64, opened: Origin) -> Rc<OpenFile> {
        OpenFile::example(id, FileKind::Epoll, opened, None)
    }

    /// A recording may say anything: what is registered without end is remembered up to a bound,
    /// and known not to be all.
    #[test]
    fn registrations_and_instances_without_end() {
        let at = Origin { time: 1, process: ProcId(1), tid: 1, nr: 1 };
        let watch = |number: usize| {
            let (fd, target) = (number as i32, FileId(number as u64));
            Watch { fd, target, data: number as u64, added: at, given: at, changed: at }
        };
        let mut epolls = Epolls::default();
        let first = epoll(1, at);
        for number in 0..MOST_WATCHES + 10 {
            epolls.add(&first, watch(number));
        }
        assert_eq!(epolls.watches, MOST_WATCHES);
        assert_eq!(
            epolls.get(first.id).map(|epoll| (epoll.complete, epoll.watches.len())),
            Some((false, MOST_WATCHES))
        );
        drop(first);
        for id in 2..5000 {
            epolls.add(&epoll(id, at), watch(1));
        }
        assert!(
            epolls.known.len() <= 2 * SWEEP_AT && epolls.watches < 5000,
            "those that are gone are forgotten"
        );
        let again = epoll(6000, at);
        for target in 0..20 {
            epolls.add(&again, Watch { target: FileId(target), ..watch(7) });
        }
        assert_eq!(epolls.get(again.id).map(|epoll| epoll.watches.len()), Some(MOST_PER_NUMBER));
    }
}
