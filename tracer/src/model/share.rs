//! Who has which descriptor table: a table lives while somebody uses it.
//!
//! ```text
//!  fork: a copy of one's own        CLONE_FILES: the same, one user more
//!  unshare, exec: a copy of one's own instead of the one that is left; a thread's is apart from its process'
//! ```

use super::process::TableId;
use super::race::Touches;
use super::{Model, Origin, SockId};
use rustc_hash::FxHashSet;

impl Model {
    /// A copy of a table, for one user: O(1), the pages are shared.
    pub(super) fn clone_table(&mut self, of: TableId) -> TableId {
        let mut copy = self.tables.get(&of).cloned().unwrap_or_default();
        copy.users = 1;
        copy.early.clear();
        copy.touches = Touches::default();
        let id = TableId(self.next());
        self.tables.insert(id, copy);
        id
    }

    /// The same table, for one user more.
    pub(super) fn share_table(&mut self, id: TableId) -> TableId {
        if let Some(table) = self.tables.get_mut(&id) {
            table.users += 1;
        }
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
            before.into_iter().for_each(|before| self.leave(before));
        } else {
            self.leave(table);
            self.with(at.process, |process| process.table = own);
        }
    }

    /// One user of a table less: the last one takes it along.
    pub(super) fn leave(&mut self, id: TableId) {
        if let Some(table) = self.tables.get_mut(&id) {
            table.users = table.users.saturating_sub(1);
            if table.users == 0 {
                self.tables.remove(&id);
            }
        }
    }

    /// The only table of a process is from now on the one that this thread uses.
    pub(super) fn keep_table_of(&mut self, at: Origin) {
        let Some(process) = self.processes.get_mut(&at.process) else { return };
        let own = process.table_of(at.tid);
        let common = std::mem::replace(&mut process.table, own);
        let apart: Vec<TableId> = process.apart.drain().map(|(_, table)| table).collect();
        if own != common {
            self.leave(common);
        }
        for table in apart.into_iter().filter(|&table| table != own) {
            self.leave(table);
        }
    }

    /// The connections of a table that cross a fork for the first time. Each is looked at once, so that a
    /// fork costs nothing for those that have crossed before.
    pub(super) fn crossing(&mut self, id: TableId) -> Vec<(i32, SockId)> {
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
}

#[cfg(test)]
mod tests {
    use super::super::{Model, ProcId};
    use crate::event::{Event, ProcKey, What};
    use forkscope_proto::process::{CLONE_FILES, CLONE_THREAD};
    use forkscope_proto::{Call, Exit, Fork, Header, calls};

    /// One process, 100, and what its threads do.
    struct Tables(Model);

    impl Tables {
        fn does(&mut self, tid: u32, what: What<'_>) {
            let process = ProcKey { tgid: 100, start: 1 };
            self.0.apply(&Event { time: 1, process, tid, what }, &mut Vec::new());
        }

        fn makes(&mut self, tid: u32, child: (u32, u32), flags: u64) {
            let (child_tgid, child_tid) = child;
            self.does(
                tid,
                What::Fork(&Fork { flags, child_tgid, child_tid, child_start: 1, ..Fork::default() }),
            );
        }

        fn unshares(&mut self, tid: u32) {
            let header = Header { nr: calls::UNSHARE, ..Header::default() };
            let call =
                Call { header, args: [CLONE_FILES, 0, 0, 0, 0, 0], fd: -1, other_fd: -1, ..Call::default() };
            self.does(tid, What::Call(&call, &[]));
        }

        fn users_of(&self, pid: u32) -> Option<u32> {
            let process = self.0.by_pid(pid).expect("it is known");
            self.0.tables.get(&process.table).map(|table| table.users)
        }
    }

    /// A thread with a table of its own gives it to a process, and ends: the process has it still.
    #[test]
    fn a_table_that_a_thread_had_apart_lives_on_with_who_shares_it() {
        let mut tables = Tables(Model::default());
        tables.makes(100, (100, 101), CLONE_THREAD | CLONE_FILES);
        tables.unshares(101);
        tables.makes(101, (200, 200), CLONE_FILES);
        assert_eq!(tables.users_of(200), Some(2));
        tables.does(101, What::Exit(&Exit::default()));
        assert_eq!(tables.users_of(200), Some(1));
        assert_eq!((tables.users_of(100), tables.0.tables.len()), (Some(1), 2));
    }

    /// Ids that have come round are not given while something has them.
    #[test]
    fn an_id_that_is_taken_is_passed_by() {
        let mut tables = Tables(Model::default());
        tables.unshares(100);
        tables.0.serial = u32::MAX;
        tables.makes(100, (200, 200), 0);
        let [parent, child] = [100, 200].map(|pid| tables.0.by_pid(pid).map(|process| process.id));
        assert!(parent == Some(ProcId(1)) && child.is_some_and(|child| child > ProcId(2)), "{child:?}");
        assert_eq!(tables.0.children(ProcId(1)).count(), 1);
    }
}
