//! What calls that close do to tables and sockets.

use super::table::{End, Seen};
use super::{Change, Model, Origin, SockId};
use forkscope_proto::arguments::{CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE};
use forkscope_proto::{Call, FileRef};
use rustc_hash::FxHashSet;

/// The users of a socket from which on those that only close it are not remembered.
const IDLE: usize = 16;

/// The most numbers that are remembered as closed before they were known to be open.
const MOST_EARLY: usize = 32;

impl Model {
    /// Empties a number. `found` is what the call closed, which ended at `ended`, in nanoseconds; where it
    /// could not be taken, that is what the table has.
    pub(super) fn close(
        &mut self,
        by: Origin,
        ended: u64,
        fd: i32,
        found: &FileRef,
        result: i64,
        out: &mut Vec<Change>,
    ) {
        let Some(table) = self.table_id(by).and_then(|id| self.tables.get_mut(&id)) else { return };
        let unknown = !found.is_some() && result == 0;
        let closed = table.holding(fd).filter(|holding| unknown || holding.file.is(found));
        let socket = closed.map(|holding| holding.file.socket);
        if socket.is_some() {
            table.clear(fd, End { by, result });
        } else if found.is_some() {
            if table.early.len() == MOST_EARLY {
                table.early.pop_front();
            }
            table.early.push_back((fd, *found, ended));
        }
        let socket = socket.flatten().or_else(|| self.socket_of(found));
        out.extend(socket.and_then(|socket| self.give_up(by, fd, socket)));
    }

    pub(super) fn close_range(&mut self, at: Origin, call: &Call, out: &mut Vec<Change>) {
        let (first, last, flags) = (call.args[0] as u32, call.args[1] as u32, call.args[2]);
        if flags & CLOSE_RANGE_UNSHARE != 0 {
            self.unshare(at);
        }
        let Some(table) = self.table_id(at).and_then(|id| self.tables.get_mut(&id)) else { return };
        let inside = |fd: i32| (first..=last).contains(&(fd as u32));
        if flags & CLOSE_RANGE_CLOEXEC != 0 {
            let numbers: Vec<i32> = table.iter().map(|(fd, _)| fd).filter(|&fd| inside(fd)).collect();
            numbers.into_iter().for_each(|fd| table.set_cloexec(fd, true));
            return;
        }
        let closed = table.clear_where(End { by: at, result: call.ret }, |fd, _| inside(fd));
        out.extend(self.give_up_all(at, &closed));
    }

    /// As [`Model::give_up`], of many at once: the table is looked through once.
    pub(super) fn give_up_all(&mut self, by: Origin, closed: &[(i32, SockId)]) -> Vec<Change> {
        let all: FxHashSet<SockId> = closed.iter().map(|&(_, socket)| socket).collect();
        let mut kept = FxHashSet::default();
        if let Some(table) = self.table_id(by).and_then(|id| self.tables.get(&id)) {
            table.find_sockets(&all, &mut Seen::default(), |socket, _| {
                kept.insert(socket);
            });
        }
        let given_up = closed.iter().filter(|(_, socket)| !kept.contains(socket));
        given_up.filter_map(|&(fd, socket)| self.gave_up(by, fd, socket)).collect()
    }

    /// A process has closed a descriptor for a socket. If it was its last one, remembers when;
    /// [`Change::LetGo`] if the process had used the connection, and others hold it since a fork.
    pub(super) fn give_up(&mut self, by: Origin, fd: i32, id: SockId) -> Option<Change> {
        let may_be_held = self.sockets.get(&id)?.may_be_held();
        let table = self.table_id(by).and_then(|table| self.tables.get(&table));
        if may_be_held && table.is_some_and(|table| table.find(id).is_some()) {
            return None;
        }
        self.gave_up(by, fd, id)
    }

    fn gave_up(&mut self, by: Origin, fd: i32, id: SockId) -> Option<Change> {
        let socket = self.sockets.get_mut(&id)?;
        // Who only ever held it is remembered where it is one of few: a service starts many programs.
        let is_known = socket.usage(by.process).is_some() || socket.users.len() < IDLE;
        let usage = is_known.then(|| socket.usage_mut(by.process, fd)).flatten()?;
        usage.closes(by.time);
        let used = usage.sent.0 > 0 || usage.received.0 > 0;
        let is_others = socket.crossed.is_some() && socket.is_open() && socket.is_connection();
        (used && is_others).then_some(Change::LetGo { socket: id, by, fd })
    }
}
