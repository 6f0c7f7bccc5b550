//! A process as /proc showed it: where nothing was seen before, or a race left doubt.

use super::table::End;
use super::turn::Turn;
use super::{Change, Crossing, Model, Origin};
use crate::event::{Snapshot, SnapshotFd};
use forkscope_proto::FileRef;

impl Model {
    pub(super) fn snapshot(&mut self, at: Origin, seen: &Snapshot, out: &mut Vec<Change>) {
        let parent = self.living.get(&seen.ppid).copied();
        let first = self.processes.get(&at.process).is_some_and(|process| process.first_seen == 0);
        if first && let Some(parent) = parent {
            self.family.add(parent, at.process);
            self.may_have_stood(parent, at.process, seen.copied_from.unwrap_or(0), at.time);
        }
        self.with(at.process, |process| {
            process.uring |= seen.uring;
            if first {
                process.first_seen = at.time;
                process.late = !seen.started_here;
                process.ppid = Some(seen.ppid);
                process.parent = parent;
                process.comm = seen.comm.as_str().into();
                process.cmdline = seen.cmdline.as_slice().into();
                process.threads = seen.threads.max(1);
            }
        });
        let Some(table) = self.table_id(at) else { return };
        if first && let Some(table) = self.tables.get_mut(&table) {
            table.users = table.users.max(1);
        }
        if seen.whole {
            let named: rustc_hash::FxHashSet<i32> = seen.descriptors.iter().map(|entry| entry.fd).collect();
            if let Some(table) = self.tables.get_mut(&table) {
                table.clear_where(End { by: at, result: 0 }, |fd, _| !named.contains(&fd));
            }
        }
        for entry in &seen.descriptors {
            self.snapshot_fd(at, entry, first, out);
        }
    }

    fn snapshot_fd(&mut self, at: Origin, entry: &SnapshotFd, first: bool, out: &mut Vec<Change>) {
        let Some(table) = self.table_id(at) else { return };
        if let Some(record) = &entry.socket
            && self.socket_of(&entry.file).is_none()
        {
            let path = entry.path.as_deref().unwrap_or_default();
            self.describe(at, record, path.as_bytes());
        }
        let held = self.tables.get(&table).and_then(|table| table.holding(entry.fd));
        if held.is_none_or(|holding| !holding.file.is(&entry.file)) {
            let file = self.open_file(
                &FileRef { flags: 0, ..entry.file },
                at,
                entry.path.as_deref().map(str::as_bytes),
            );
            self.put(table, entry.fd, file, at, entry.cloexec);
        } else if let Some(table) = self.tables.get_mut(&table) {
            table.set_cloexec(entry.fd, entry.cloexec);
        }
        // What it did with a connection before is not known; that it had it, is.
        let Some(socket) = self.socket_of(&entry.file).and_then(|id| self.sockets.get_mut(&id)) else {
            return;
        };
        if first && socket.is_connection() {
            let Origin { time, process, .. } = at;
            let turn = Turn { assumed: true, ..Turn::begin(Origin { nr: 0, ..at }, entry.fd) };
            match socket.turns.first().map(|turn| turn.process) {
                None => {
                    socket.opened = at;
                    socket.take_turn(turn, 0);
                }
                // A relative has it as well: it crossed a fork before forkscope looked.
                Some(holder) if holder != process && socket.crossed.is_none() => {
                    socket.crossed = Some(Crossing::new(holder, process, time));
                    out.push(Change::Crossed {
                        socket: socket.id,
                        fd: entry.fd,
                        parent: holder,
                        child: process,
                    });
                }
                Some(_) => {}
            }
        }
    }
}
