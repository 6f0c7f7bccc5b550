//! What each kind of event does to the model.

use super::process::{Process, TableId};
use super::race::{Span, Touches};
use super::socket::Socket;
use super::table::End;
use super::{Change, Model, Origin, Place, ProcId, SockId};
use crate::event::{Event, ProcKey, What};
use crate::protocol::{Direction, Wire};
use forkscope_proto as proto;
use proto::process::{CLONE_FILES, CLONE_THREAD, CLONE_VM};
use rustc_hash::FxHashSet;
use std::rc::Rc;

impl Model {
    /// Takes in an event; what it changed is added to `out`.
    pub fn apply(&mut self, event: &Event<'_>, out: &mut Vec<Change>) {
        self.now = self.now.max(event.time);
        self.kept.clear();
        // The last of several threads that end at once may be told more than once.
        if matches!(event.what, What::Exit(_)) && !self.living.contains_key(&event.process.tgid) {
            return;
        }
        let process = self.known(event.process);
        let at = Origin { time: event.time, process, tid: event.tid, nr: 0 };
        self.noted(process, event);
        match event.what {
            What::Fork(fork) => self.fork(at, fork, out),
            What::Exec(exec, cmdline) => self.exec(at, exec, cmdline, out),
            What::Exit(exit) => self.exit(at, exit, out),
            What::Call(call, payload) => self.call(Origin { nr: call.header.nr, ..at }, call, payload, out),
            What::Io(io, payload) => self.transfer(Origin { nr: io.header.nr, ..at }, io, payload, out),
            What::Socket(socket, path) => {
                if self.describe(at, socket, path) {
                    out.push(Change::Connected { process });
                }
            }
            What::Plaintext(record, payload) => {
                self.plaintext(Origin { nr: record.header.nr, ..at }, record, payload, out);
            }
            What::Uring(io) => self.uring(Origin { nr: io.header.nr, ..at }, io, out),
            What::Passed(passed) => self.passed(Origin { nr: passed.header.nr, ..at }, passed),
            What::Compat => self.with(process, |process| process.compat = true),
            What::Snapshot(snapshot) => self.snapshot(at, snapshot, out),
            What::Glance(glance) => {
                if self.glance(process, event.time, glance) {
                    out.push(Change::Glanced { process });
                }
            }
        }
    }

    pub(super) fn with(&mut self, id: ProcId, change: impl FnOnce(&mut Process)) {
        if let Some(process) = self.processes.get_mut(&id) {
            change(process);
        }
    }

    fn fork(&mut self, at: Origin, fork: &proto::Fork, out: &mut Vec<Change>) {
        let table = self.table_id(at).unwrap_or(TableId(0));
        let shares = fork.flags & CLONE_FILES != 0;
        if fork.flags & CLONE_THREAD != 0 {
            let apart = (!shares).then(|| self.clone_table(table));
            self.with(at.process, |process| {
                process.threads = process.threads.saturating_add(1);
                process.apart.extend(apart.map(|table| (fork.child_tid, table)));
            });
            return;
        }
        let id = ProcId(self.next());
        let crossing = if shares { Vec::new() } else { self.crossing(table) };
        let own = if shares { table } else { self.clone_table(table) };
        if let Some(table) = self.tables.get_mut(&own) {
            table.users += 1;
        }
        let Some(parent) = self.processes.get(&at.process) else { return };
        let child = Process {
            parent: Some(at.process),
            ppid: Some(parent.pid()),
            comm: text(&fork.comm).into(),
            cmdline: Rc::clone(&parent.cmdline),
            forked_at: Some(at.time),
            threads_at_fork: Some(fork.threads),
            first_seen: at.time,
            facts: parent.facts.clone(),
            // The container is the same, the number in it is not.
            place: parent.place.clone().map(|place| Place { ns_pid: None, ..place }),
            in_place: fork.flags & CLONE_VM != 0,
            late: parent.late,
            uring: parent.uring,
            ties: Rc::clone(&parent.ties),
            ..Process::unseen(id, ProcKey { tgid: fork.child_tgid, start: fork.child_start }, own)
        };
        self.newest = None;
        if let Some(stale) = self.living.insert(fork.child_tgid, id) {
            self.end(stale, None);
            self.living.insert(fork.child_tgid, id);
        }
        self.processes.insert(id, child);
        self.family.add(at.process, id);
        self.may_stand(at, id, fork);
        out.push(Change::Forked { parent: at.process, child: id });
        for (fd, socket) in crossing {
            if let Some(socket) = self.sockets.get_mut(&socket) {
                socket.crossed = Some((at.process, id, at.time));
            }
            out.push(Change::Crossed { socket, fd, parent: at.process, child: id });
        }
        if fork.enter != 0
            && let Some(table) = self.tables.get_mut(&table)
            && table.touches.forked(at.tid, Span { from: fork.enter, to: at.time }, id)
        {
            out.push(Change::Uncertain { process: id });
        }
    }

    /// The connections of a table that cross a fork for the first time. Each is looked at once, so that a
    /// fork costs nothing for those that have crossed before.
    fn crossing(&mut self, id: TableId) -> Vec<(i32, SockId)> {
        let Some(table) = self.tables.get_mut(&id) else { return Vec::new() };
        let mut crossing = Vec::new();
        let mut still_fresh = FxHashSet::default();
        for fd in std::mem::take(&mut table.fresh) {
            let Some(socket) = table.holding(fd).and_then(|holding| holding.file.socket) else { continue };
            match self.sockets.get(&socket) {
                Some(known) if known.is_connection() && known.crossed.is_none() => {
                    crossing.push((fd, socket));
                }
                // A datagram socket or one end of a pair never will be one.
                Some(known) if known.may_connect() => {
                    still_fresh.insert(fd);
                }
                _ => {}
            }
        }
        table.fresh = still_fresh;
        crossing
    }

    /// A copy of a table, for one user: O(1), the pages are shared.
    pub(super) fn clone_table(&mut self, of: TableId) -> TableId {
        let mut copy = self.tables.get(&of).cloned().unwrap_or_default();
        copy.users = 0;
        copy.early.clear();
        copy.touches = Touches::default();
        let id = TableId(self.next());
        self.tables.insert(id, copy);
        id
    }

    /// Gives a thread, or its whole process where it is the only one, a table of its own.
    pub(super) fn unshare(&mut self, at: Origin) {
        let Some(process) = self.processes.get(&at.process) else { return };
        let (table, threads) = (process.table_of(at.tid), process.threads);
        let users = self.tables.get(&table).map_or(0, |table| table.users);
        if threads <= 1 && users <= 1 {
            return;
        }
        let own = self.clone_table(table);
        if threads > 1 {
            let mut before = None;
            self.with(at.process, |process| before = process.apart.insert(at.tid, own));
            if let Some(before) = before {
                self.tables.remove(&before);
            }
        } else {
            self.leave(table);
            if let Some(table) = self.tables.get_mut(&own) {
                table.users = 1;
            }
            self.with(at.process, |process| process.table = own);
        }
    }

    fn leave(&mut self, id: TableId) {
        if let Some(table) = self.tables.get_mut(&id) {
            table.users = table.users.saturating_sub(1);
            if table.users == 0 {
                self.tables.remove(&id);
            }
        }
    }

    fn exec(&mut self, at: Origin, exec: &proto::Exec, cmdline: &[u8], out: &mut Vec<Change>) {
        let comm: Rc<str> = text(&exec.comm).into();
        self.standing.remove(&at.process);
        // The other threads are gone; a table shared by CLONE_FILES is left (`begin_new_exec`, fs/exec.c).
        self.with(at.process, |process| process.threads = 1);
        self.keep_table_of(at);
        self.unshare(at);
        self.with(at.process, |process| {
            if !cmdline.is_empty() {
                process.cmdline = cmdline.into();
            }
            if process.execs.len() == Process::EXECS {
                process.execs.remove(0);
            }
            process.execs.push((at.time, Rc::clone(&comm)));
            process.comm = comm;
            process.facts = None;
            process.crossed = false;
            process.uring = false;
            process.ties = Rc::default();
        });
        let end = End { by: at, result: 0 };
        let table = self.table_id(at).and_then(|id| self.tables.get_mut(&id));
        let closed = table.map(|table| table.clear_where(end, |_, holding| holding.cloexec));
        // Whose parent has it, too, began with it: nothing is let go.
        let _ = self.give_up_all(at, &closed.unwrap_or_default());
        out.push(Change::Executed { process: at.process });
    }

    /// The only table of a process is from now on the one that this thread uses.
    fn keep_table_of(&mut self, at: Origin) {
        let Some(process) = self.processes.get_mut(&at.process) else { return };
        let own = process.table_of(at.tid);
        let common = std::mem::replace(&mut process.table, own);
        let apart: Vec<TableId> = process.apart.drain().map(|(_, table)| table).collect();
        if own != common {
            self.leave(common);
        }
        for table in apart.into_iter().filter(|&table| table != own) {
            self.tables.remove(&table);
        }
    }

    fn exit(&mut self, at: Origin, exit: &proto::Exit, out: &mut Vec<Change>) {
        if exit.last == 0 {
            let mut own = None;
            self.with(at.process, |process| {
                process.threads = process.threads.saturating_sub(1).max(1);
                own = process.apart.remove(&at.tid);
            });
            if let Some(own) = own {
                self.tables.remove(&own);
            }
            return;
        }
        self.end(at.process, Some((at.time, exit)));
        out.push(Change::Ended { process: at.process });
    }

    /// A process has ended; without an exit, its number was taken by another.
    pub(super) fn end(&mut self, id: ProcId, exit: Option<(u64, &proto::Exit)>) {
        let time = exit.map_or(self.now, |(time, _)| time);
        self.standing.remove(&id);
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.end(time, exit.map(|(_, exit)| exit));
        let (table, pid) = (process.table, process.pid());
        let apart: Vec<TableId> = process.apart.drain().map(|(_, table)| table).collect();
        self.leave(table);
        for table in apart {
            self.tables.remove(&table);
        }
        self.living.remove(&pid);
        self.newest = None;
        self.ended.push_back(id);
        if self.ended.len() > Self::ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            let parent = self.processes.remove(&oldest).and_then(|process| process.parent);
            if let Some(parent) = parent {
                self.family.remove(parent, oldest);
            }
        }
    }

    /// What a socket is; whether it is a connection that was none before.
    pub(super) fn describe(&mut self, at: Origin, record: &proto::Socket, path: &[u8]) -> bool {
        let known = self.sockets.of_inode(record.file.inode);
        let id = match known.filter(|id| self.sockets.get(id).is_some_and(|socket| is_same(socket, record))) {
            Some(id) => id,
            None => self.new_socket(at, record),
        };
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        socket.refresh(record, path);
        if !socket.is_connection() || socket.wire.is_some() {
            return false;
        }
        let mut wire = Wire::new();
        if socket.opened.nr != 0 {
            wire.client_is(if socket.accepted { Direction::Received } else { Direction::Sent });
        } else {
            wire.skip(Direction::Sent);
            wire.skip(Direction::Received);
        }
        socket.wire = Some(wire);
        true
    }

    fn new_socket(&mut self, at: Origin, record: &proto::Socket) -> SockId {
        self.sweep();
        let id = SockId(self.next());
        self.sockets.insert(Socket::new(id, at, record));
        id
    }

    /// Forgets sockets that nobody holds any more, when there are many.
    fn sweep(&mut self) {
        if self.sockets.len() < self.sweep_at.max(2 * Self::GONE_SOCKETS) {
            return;
        }
        let mut gone: Vec<SockId> =
            self.sockets().filter(|s| !s.is_open() && !s.kept).map(|s| s.id).collect();
        gone.sort_unstable();
        gone.truncate(gone.len().saturating_sub(Self::GONE_SOCKETS));
        for id in gone {
            self.waiting.remove(&id);
            self.sockets.remove(id);
        }
        self.sweep_at = 2 * self.sockets.len();
    }
}

/// Whether a record describes the socket that is known under its inode: an inode number comes back only
/// after four thousand million others.
fn is_same(socket: &Socket, record: &proto::Socket) -> bool {
    socket.family == record.family && (socket.is_open() || socket.users.is_empty())
}

/// A zero-padded name.
fn text(bytes: &[u8; 16]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
