//! What `epoll_ctl(2)` and waits do to instances, and what changes by it for others.

use super::{Act, Epoll, EpollUse, Watch};
use crate::model::{Change, Model, OpenFile, Origin, ProcId, Watched};
use forkscope_proto as proto;
use proto::arguments::{EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLL_EVENT};
use proto::{Call, FileKind};
use std::rc::Rc;

/// Registrations of one instance with the same data among which an event's is looked for.
const MOST_ALIKE: usize = 32;
/// Instances from before forkscope looked whose addresses are remembered.
const MOST_PLACES: usize = 4096;

impl Model {
    /// `epoll_ctl(2)` that worked.
    pub(in crate::model) fn epoll_changed(
        &mut self,
        at: Origin,
        call: &Call,
        payload: &[u8],
        out: &mut Vec<Change>,
    ) {
        let Some(file) = self.epoll_behind(at, call, out) else { return };
        if !call.other.is_some() {
            return;
        }
        let Some(target) = self.resolve(at, call.other_fd, &call.other, out) else { return };
        if call.args[1] == EPOLL_CTL_ADD {
            self.watches(&target, Watched { epoll: file.id, fd: call.other_fd, target: target.id });
        }
        let target = target.id;
        let Some(epoll) = self.epolls.of(&file) else { return };
        epoll.note(at, call.fd, false);
        let is_shared = epoll.is_shared(at.process);
        let before = epoll.place(call.other_fd, target);
        let known = before.and_then(|place| epoll.watches.get(&place).copied());
        let data = events(payload).next();
        let new = |data| Watch { fd: call.other_fd, target, data, added: at, given: at, changed: at };
        let told = match (call.args[1], data) {
            (EPOLL_CTL_ADD, Some(data)) => {
                self.epolls.add(&file, new(data));
                Some((Act::Added, new(data)))
            }
            // One that was registered before forkscope looked is known from here on.
            (EPOLL_CTL_MOD, Some(data)) => {
                let given = known.filter(|known| known.data == data).map_or(at, |known| known.given);
                let added = known.map_or(at, |known| known.added);
                self.epolls.add(&file, Watch { added, given, ..new(data) });
                known.map(|known| (Act::Changed, known))
            }
            (EPOLL_CTL_DEL, _) => {
                if before.and_then(|place| epoll.take(place)).is_some() {
                    self.epolls.watches = self.epolls.watches.saturating_sub(1);
                }
                known.map(|known| (Act::Removed, known))
            }
            _ => None,
        };
        let Some((act, watch)) = told.filter(|_| is_shared) else { return };
        if act == Act::Added || watch.changed.process != at.process {
            out.push(Change::Epoll(EpollUse { epoll: file.id, by: at, fd: call.fd, act, watch }));
        }
    }

    /// A wait on an epoll instance that came back, with events or without.
    pub(in crate::model) fn epoll_waited(
        &mut self,
        at: Origin,
        call: &Call,
        payload: &[u8],
        out: &mut Vec<Change>,
    ) {
        let Some(file) = self.epoll_behind(at, call, out) else { return };
        let Some(epoll) = self.epolls.of(&file) else { return };
        epoll.note(at, call.fd, true);
        if call.ret <= 0 || !epoll.is_shared(at.process) {
            return;
        }
        let Some(epoll) = self.epolls.get(file.id) else { return };
        for data in events(payload).take(usize::try_from(call.ret).unwrap_or(0)) {
            if let Some(watch) = self.foreign(epoll, at.process, data) {
                out.push(Change::Epoll(EpollUse {
                    epoll: file.id,
                    by: at,
                    fd: call.fd,
                    act: Act::Told,
                    watch,
                }));
            }
        }
    }

    fn epoll_behind(&mut self, at: Origin, call: &Call, out: &mut Vec<Change>) -> Option<Rc<OpenFile>> {
        if call.file.kind() != FileKind::Epoll {
            return None;
        }
        let file = self.resolve(at, call.fd, &call.file, out)?;
        if file.opened.nr != 0 || call.file.file == 0 {
            return Some(file);
        }
        Some(self.same_epoll(at, call.fd, file, call.file.file))
    }

    /// The instance of two processes that were both there before forkscope looked: /proc shows two alike, and
    /// only the address of the kernel's struct, which events bring, that they are one. As long as one holds
    /// it, no other file can have its address.
    fn same_epoll(&mut self, at: Origin, fd: i32, file: Rc<OpenFile>, address: u64) -> Rc<OpenFile> {
        let known = self.epolls.places.get(&address).copied();
        if let Some((process, place, id)) = known
            && id != file.id
            && self.holds_file(process, place, id)
            && let Some(same) = self.table(process).and_then(|table| table.holding(place))
        {
            let same = Rc::clone(&same.file);
            if let Some(table) = self.table_id(at).and_then(|table| self.tables.get_mut(&table)) {
                table.recognise(fd, &same);
            }
            return same;
        }
        if self.epolls.places.len() >= MOST_PLACES {
            self.epolls.places.clear();
        }
        if known.is_none_or(|(_, _, id)| id != file.id) {
            self.epolls.places.insert(address, (at.process, fd, file.id));
        }
        file
    }

    /// The registration that an event came from, where the process that it was given to cannot know of it.
    fn foreign(&self, epoll: &Epoll, process: ProcId, data: u64) -> Option<Watch> {
        // A program that was given the instance by the one before it means it.
        if self.has_executed_since(process, epoll.opened.time) {
            return None;
        }
        // What so many registrations carry names none of them.
        if epoll.carrying(data).nth(MOST_ALIKE).is_some() {
            return None;
        }
        let is_own = |watch: &Watch| self.remembers(process, &watch.given);
        let newest =
            epoll.carrying(data).filter(|watch| !is_own(watch)).max_by_key(|watch| watch.given.time)?;
        // One of its own that carries the same is meant, unless its file is closed everywhere.
        let held = |watch: &Watch| {
            epoll.users.iter().any(|user| self.holds_file(user.process, watch.fd, watch.target))
        };
        let by_luck = |watch: &Watch| is_own(watch) && (held(watch) || !held(newest));
        (!epoll.carrying(data).any(by_luck)).then_some(*newest)
    }
}

/// The data of the events in a payload.
fn events(payload: &[u8]) -> impl Iterator<Item = u64> {
    let (events, _) = payload.as_chunks::<EPOLL_EVENT>();
    events.iter().map(|event| {
        let [_, _, _, _, data @ ..] = *event;
        u64::from_le_bytes(data)
    })
}
