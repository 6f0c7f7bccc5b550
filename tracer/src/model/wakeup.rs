//! Wake-ups: eventfds and pipes by which the threads of one process tell each other to look again.
//!
//! What tells a wake-up from a channel is who reads what was written: its own writer. What tells it
//! from a pool of tokens, as a job server's, is who writes: a process that has taken nothing before,
//! and so gives nothing back.

use super::{Change, FileId, Model, OpenFile, Origin, ProcId};
use forkscope_proto as proto;
use proto::{Call, FileKind, Io, calls};
use rustc_hash::FxHashMap;
use std::rc::{Rc, Weak};

/// `EFD_SEMAPHORE` of eventfd2(2): each read takes one, which is for counting and not for waking.
const EFD_SEMAPHORE: u64 = 1;
/// Processes and epoll instances of one wake-up that are remembered.
const MOST_USERS: usize = 32;
const MOST_WATCHED: usize = 8;
/// Wake-ups from which on those that are gone are looked for, and the most there are.
const SWEEP_AT: usize = 1024;
const MOST_WAKEUPS: usize = 1 << 16;

/// What is written to and read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WakeId {
    /// An eventfd: one open file.
    Eventfd(FileId),
    /// A pipe: two open files with one inode.
    Pipe(u64),
}

/// What a process did with a wake-up.
#[derive(Clone, Copy, Debug)]
pub struct WakeUser {
    /// Which.
    pub process: ProcId,
    /// The read that it made last.
    pub read: Option<Origin>,
    /// It read what it had itself written, having taken nothing before: first when, last when.
    pub own: Option<(Origin, Origin)>,
    /// It has written more than it had read.
    pub gave: bool,
    /// What it wrote, without what it read.
    balance: i64,
}

/// A registration of a wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// On which epoll instance.
    pub epoll: FileId,
    /// Under which number.
    pub fd: i32,
    /// Which of its open files.
    pub target: FileId,
}

/// An eventfd or pipe.
#[derive(Debug)]
pub struct Wakeup {
    /// Who made it; call 0: it was there before forkscope looked.
    pub opened: Origin,
    /// What it is.
    pub kind: FileKind,
    /// Who wrote or read.
    pub users: Vec<WakeUser>,
    /// Where it is, or was, registered.
    pub watched: Vec<Watched>,
    /// More than wake-ups goes through it, or it counts.
    pub is_channel: bool,
    /// What was written last and has not been read.
    unread: Option<Origin>,
    file: Weak<OpenFile>,
}

/// A process read what another had written.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// From which wake-up.
    pub wakeup: WakeId,
    /// The read.
    pub by: Origin,
    /// Under which number.
    pub fd: i32,
    /// How many bytes it was.
    pub bytes: i64,
    /// What was read.
    pub written: Origin,
}

/// All wake-ups.
#[derive(Debug, Default)]
pub(super) struct Wakeups {
    known: FxHashMap<WakeId, Wakeup>,
    sweep_at: usize,
}

impl Wakeup {
    /// What a process did with it.
    #[must_use]
    pub fn user(&self, process: ProcId) -> Option<&WakeUser> {
        self.users.iter().find(|user| user.process == process)
    }

    fn user_mut(&mut self, process: ProcId) -> Option<&mut WakeUser> {
        let known = self.users.iter().position(|user| user.process == process);
        let place = known.unwrap_or(self.users.len());
        if known.is_none() && place < MOST_USERS {
            self.users.push(WakeUser { process, read: None, own: None, gave: false, balance: 0 });
        }
        self.users.get_mut(place)
    }

    fn write(&mut self, at: Origin, count: i64) {
        if let Some(user) = self.user_mut(at.process) {
            user.balance = user.balance.saturating_add(count);
            user.gave |= user.balance > 0;
        }
        self.unread = Some(at);
    }

    /// A read; what another process had written, if that was taken.
    fn read(&mut self, at: Origin, count: i64) -> Option<Origin> {
        let unread = self.unread.take();
        // Of an eventfd that a process alone has, few of its writes are told, and few of its reads: what it
        // reads there it has written.
        let is_own = self.kind == FileKind::Eventfd
            && self.opened.process == at.process
            && self.users.iter().all(|user| user.process == at.process);
        let user = self.user_mut(at.process)?;
        user.read = Some(at);
        if unread.is_some_and(|unread| unread.process == at.process) && user.balance > 0 {
            user.own = Some((user.own.map_or(at, |(first, _)| first), at));
        }
        user.balance = user.balance.saturating_sub(count);
        if is_own {
            user.balance = user.balance.max(0);
        }
        unread.filter(|unread| unread.process != at.process)
    }
}

impl Wakeups {
    /// The state of one, made at its first use.
    fn of(&mut self, id: WakeId, file: &Rc<OpenFile>) -> Option<&mut Wakeup> {
        if !self.known.contains_key(&id) {
            self.sweep();
            if self.known.len() >= MOST_WAKEUPS {
                return None;
            }
        }
        let wakeup = self.known.entry(id).or_insert_with(|| Wakeup {
            opened: file.opened,
            kind: file.kind,
            users: Vec::new(),
            watched: Vec::new(),
            is_channel: false,
            unread: None,
            file: Rc::downgrade(file),
        });
        // Of a pipe either end keeps it alive: the one that was used last is asked.
        if wakeup.kind == FileKind::Pipe && !std::ptr::eq(wakeup.file.as_ptr(), Rc::as_ptr(file)) {
            wakeup.file = Rc::downgrade(file);
        }
        Some(wakeup)
    }

    /// Forgets those that nobody holds any more, when there are many.
    fn sweep(&mut self) {
        if self.known.len() >= self.sweep_at.max(SWEEP_AT) {
            self.known.retain(|_, wakeup| wakeup.file.strong_count() > 0);
            self.sweep_at = 2 * self.known.len();
        }
    }
}

impl Model {
    /// An eventfd or pipe that was written, read, or registered.
    #[must_use]
    pub fn wakeup(&self, id: WakeId) -> Option<&Wakeup> {
        self.wakeups.known.get(&id)
    }

    /// A write or read that moved something.
    pub(super) fn woke(
        &mut self,
        at: Origin,
        io: &Io,
        file: &Rc<OpenFile>,
        sent: bool,
        out: &mut Vec<Change>,
    ) {
        let Some(id) = id_of(file) else { return };
        let Some(wakeup) = self.wakeups.of(id, file) else { return };
        // An eventfd moves eight bytes, whatever it counts (eventfd(2)).
        let count = if file.kind == FileKind::Pipe { io.ret } else { 1 };
        if sent {
            wakeup.is_channel |= count != 1;
            wakeup.write(at, count);
        } else if let Some(written) = wakeup.read(at, count)
            && !wakeup.is_channel
        {
            out.push(Change::Taken(Taken { wakeup: id, by: at, fd: io.fd, bytes: io.ret, written }));
        }
    }

    /// An eventfd or pipe was registered on an epoll instance.
    pub(super) fn watches(&mut self, target: &Rc<OpenFile>, watched: Watched) {
        let Some(id) = id_of(target) else { return };
        let Some(wakeup) = self.wakeups.of(id, target) else { return };
        if !wakeup.watched.contains(&watched) {
            if wakeup.watched.len() == MOST_WATCHED {
                wakeup.watched.remove(0);
            }
            wakeup.watched.push(watched);
        }
    }

    /// An eventfd was made.
    pub(super) fn made_eventfd(&mut self, at: Origin, call: &Call) {
        if at.nr != calls::EVENTFD2 || call.args[1] & EFD_SEMAPHORE == 0 {
            return;
        }
        let Some(file) = self.held(at, call.fd) else { return };
        if let Some(wakeup) = id_of(&file).and_then(|id| self.wakeups.of(id, &file)) {
            wakeup.is_channel = true;
        }
    }
}

fn id_of(file: &OpenFile) -> Option<WakeId> {
    match file.kind {
        FileKind::Eventfd => Some(WakeId::Eventfd(file.id)),
        FileKind::Pipe => Some(WakeId::Pipe(file.inode)),
        FileKind::None
        | FileKind::Socket
        | FileKind::Epoll
        | FileKind::Regular
        | FileKind::Directory
        | FileKind::CharDevice
        | FileKind::BlockDevice
        | FileKind::Anonymous
        | FileKind::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wake_ups_and_users_without_end() {
        let mut wakeups = Wakeups::default();
        let at = Origin { time: 1, process: ProcId(1), tid: 1, nr: 1 };
        let eventfd = |id| OpenFile::example(id, FileKind::Eventfd, at, None);
        for id in 0..5000 {
            let file = eventfd(id);
            assert!(wakeups.of(WakeId::Eventfd(file.id), &file).is_some());
        }
        assert!(wakeups.known.len() <= 2 * SWEEP_AT, "those that are gone are forgotten");
        let file = eventfd(6000);
        let wakeup = wakeups.of(WakeId::Eventfd(file.id), &file).expect("there is room");
        for process in 0..100 {
            wakeup.write(Origin { process: ProcId(process), ..at }, i64::MAX);
            wakeup.write(Origin { process: ProcId(process), ..at }, i64::MAX);
        }
        assert_eq!(wakeup.users.len(), MOST_USERS);
    }
}
