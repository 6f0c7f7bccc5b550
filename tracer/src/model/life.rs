//! Processes are made, execute programs, and end.

use super::process::{Process, TableId};
use super::race::Span;
use super::table::End;
use super::{Change, Crossing, Model, Origin, Place, ProcId};
use crate::event::ProcKey;
use forkscope_proto as proto;
use proto::process::{CLONE_FILES, CLONE_THREAD, CLONE_VM};
use std::rc::Rc;

impl Model {
    pub(super) fn fork(&mut self, at: Origin, fork: &proto::Fork, out: &mut Vec<Change>) {
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
        let own = if shares { self.share_table(table) } else { self.clone_table(table) };
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
        if fork.flags & CLONE_VM == 0 {
            self.newest_fork = self.newest_fork.max(at.time);
            self.with(at.process, |process| process.last_fork = at.time);
        }
        self.newest = None;
        if let Some(&stale) = self.living.get(&fork.child_tgid) {
            self.end(stale, None, out);
        }
        self.living.insert(fork.child_tgid, id);
        self.processes.insert(id, child);
        self.family.add(at.process, id);
        self.may_stand(at, id, fork);
        out.push(Change::Forked { parent: at.process, child: id });
        for (fd, socket) in crossing {
            if let Some(socket) = self.sockets.get_mut(&socket) {
                socket.crossed = Some(Crossing::new(at.process, id, at.time));
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

    pub(super) fn exec(&mut self, at: Origin, exec: &proto::Exec, cmdline: &[u8], out: &mut Vec<Change>) {
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
            process.handshake = None;
        });
        let end = End { by: at, result: 0 };
        let table = self.table_id(at).and_then(|id| self.tables.get_mut(&id));
        let closed = table.map(|table| table.clear_where(end, |_, holding| holding.cloexec));
        // Whose parent has it, too, began with it: nothing is let go.
        let _ = self.give_up_all(at, &closed.unwrap_or_default());
        out.push(Change::Executed { process: at.process });
    }

    pub(super) fn exit(&mut self, at: Origin, exit: &proto::Exit, out: &mut Vec<Change>) {
        if exit.last == 0 {
            let mut own = None;
            self.with(at.process, |process| {
                process.threads = process.threads.saturating_sub(1).max(1);
                own = process.apart.remove(&at.tid);
            });
            own.into_iter().for_each(|own| self.leave(own));
            return;
        }
        self.end(at.process, Some((at.time, exit)), out);
    }

    /// A process has ended; without an exit, its number was taken by another.
    pub(super) fn end(&mut self, id: ProcId, exit: Option<(u64, &proto::Exit)>, out: &mut Vec<Change>) {
        let time = exit.map_or(self.now, |(time, _)| time);
        self.standing.remove(&id);
        let Some(process) = self.processes.get_mut(&id) else { return };
        process.end(time, exit.and_then(|(_, exit)| exit.status()));
        out.push(Change::Ended { process: id });
        let (table, pid) = (process.table, process.pid());
        let apart: Vec<TableId> = process.apart.drain().map(|(_, table)| table).collect();
        self.leave(table);
        apart.into_iter().for_each(|table| self.leave(table));
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
}

/// A zero-padded name.
fn text(bytes: &[u8; 16]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
