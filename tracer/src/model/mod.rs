//! What the kernel holds, rebuilt from events: processes, descriptor tables, open files, sockets, epoll
//! instances, wake-ups, and children that may stand still.
//!
//! Pure: no I/O, no clock. [`Model::apply`] takes an event and hands back what changed; nobody else decides.
//!
//! ```text
//!   Process --table--> Table --fd--> Slot --Rc--> OpenFile --id--> Socket
//!      |  fork: clones the table in O(1), the open files stay the same ones
//!      |  CLONE_FILES: shares it      exec: unshares it, drops close-on-exec
//! ```
//!
//! The kernel is the truth: an event carries what the probe found behind the descriptor, and where the table
//! says something else, the table is corrected and the correction counted.

mod address;
mod ahead;
mod apply;
mod asked;
mod audience;
mod by_id;
mod calls;
mod change;
mod closing;
mod described;
mod epoll;
mod family;
mod file;
mod life;
mod lookup;
mod plaintext;
mod process;
mod race;
mod share;
mod snapshot;
mod socket;
mod sockets;
mod standing;
mod table;
mod topic;
mod transfers;
mod turn;
mod wakeup;

pub use address::Address;
pub use asked::Asked;
pub use audience::Audience;
pub use change::{Change, Failure};
pub use epoll::{Act, Epoll, EpollUse, EpollUser, Watch};
pub use file::{FileId, Held, OpenFile, Origin};
pub use process::{Facts, Place, ProcId, Process};
pub use socket::{Crossing, Farewell, Goodbye, SockId, Socket, Usage};
pub use standing::Standing;
pub use table::{End, Holding, Past, Slot, Table};
pub use topic::Topic;
pub use turn::{LastWord, Turn};
pub use wakeup::{Taken, WakeId, WakeUser, Wakeup, Watched};

use crate::event::ProcKey;
use crate::protocol::Kept;
use by_id::ById;
use forkscope_proto::FileRef;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// Everything that is known at one moment of the events' time.
#[derive(Debug, Default)]
pub struct Model {
    processes: ById<ProcId, Process>,
    /// The living process with each number.
    living: FxHashMap<u32, ProcId>,
    /// When any process forked last.
    newest_fork: u64,
    /// Whose the newest event was, while it lives: the next is its, too, as a rule.
    newest: Option<(ProcKey, ProcId)>,
    family: family::Family,
    /// Processes that ended, oldest first: only so many are remembered.
    ended: VecDeque<ProcId>,
    tables: ById<process::TableId, Table>,
    /// Children of processes with several threads.
    standing: standing::Children,
    sockets: sockets::Sockets,
    /// Connections on which something may be under way: few of many, as a rule.
    waiting: FxHashSet<SockId>,
    /// How many sockets there may be before the ones that are gone are looked for.
    sweep_at: usize,
    /// The newest id that was given.
    serial: u32,
    /// How many open files there were.
    files: u64,
    epolls: epoll::Epolls,
    wakeups: wakeup::Wakeups,
    corrected: u64,
    unresolved: u64,
    untied: u64,
    /// When it was last noticed that events were lost.
    lost: Option<u64>,
    /// The events end before the session did.
    cut: bool,
    /// Events that come soon.
    ahead: ahead::Ahead,
    noted: audience::Noted,
    /// Time of the newest event.
    now: u64,
}

impl Model {
    /// Ended processes that are remembered, for names and reports.
    const ENDED: usize = 4096;
    /// Generations that are asked for what a process remembers.
    const GENERATIONS: usize = 64;
    /// Sockets that are remembered after all descriptors for them are gone.
    const GONE_SOCKETS: usize = 4096;

    /// The process now living under a number, or the last one that did and is still remembered.
    #[must_use]
    pub fn by_pid(&self, pid: u32) -> Option<&Process> {
        let living = self.living.get(&pid).and_then(|id| self.processes.get(id));
        living.or_else(|| {
            self.ended.iter().rev().filter_map(|id| self.processes.get(id)).find(|p| p.pid() == pid)
        })
    }

    /// The process now living under a number.
    #[must_use]
    pub fn living_id(&self, pid: u32) -> Option<ProcId> {
        self.living.get(&pid).copied()
    }

    /// A process.
    #[must_use]
    pub fn process(&self, id: ProcId) -> Option<&Process> {
        self.processes.get(&id)
    }

    /// Whether a process has not ended, as far as was seen.
    #[must_use]
    pub fn lives(&self, id: ProcId) -> bool {
        self.process(id).is_some_and(|process| process.ended.is_none())
    }

    /// All processes that are remembered.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.values()
    }

    /// Those of them that live, as far as is known.
    pub fn living_processes(&self) -> impl Iterator<Item = &Process> {
        self.processes().filter(|process| process.ended.is_none())
    }

    /// How many traced processes live.
    #[must_use]
    pub fn living(&self) -> usize {
        self.living.len()
    }

    /// A socket.
    #[must_use]
    pub fn socket(&self, id: SockId) -> Option<&Socket> {
        self.sockets.get(&id)
    }

    /// The connection behind a descriptor, as an event showed that.
    #[must_use]
    pub fn connection_behind(&self, found: &FileRef) -> Option<&Socket> {
        self.socket(self.socket_of(found)?).filter(|socket| socket.is_connection())
    }

    /// Whether [`Socket::in_flight`] may be something: cheap to ask of many connections at once.
    #[must_use]
    pub fn may_wait(&self, id: SockId) -> bool {
        self.waiting.contains(&id)
    }

    /// Whether something may be under way on any connection.
    #[must_use]
    pub fn any_may_wait(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// All sockets that are remembered.
    pub fn sockets(&self) -> impl Iterator<Item = &Socket> {
        self.sockets.iter()
    }

    /// How many sockets are remembered.
    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// The descriptor table of a process, `None` once it has ended.
    #[must_use]
    pub fn table(&self, id: ProcId) -> Option<&Table> {
        // One that it shared may be another's still.
        let process = self.process(id).filter(|process| process.ended.is_none())?;
        self.tables.get(&process.table)
    }

    /// The processes that hold a descriptor for a socket, with its number. Looks through every table: for a
    /// finding, not for each event.
    pub fn holders(&self, id: SockId) -> impl Iterator<Item = (ProcId, i32)> {
        let may_be = self.sockets.get(&id).is_some_and(Socket::may_be_held);
        let all = may_be.then(|| self.processes.values()).into_iter().flatten();
        let living = all.filter(|process| process.ended.is_none());
        living.filter_map(move |process| Some((process.id, self.tables.get(&process.table)?.find(id)?)))
    }

    /// As [`Model::holders`], for several sockets at once. What tables share is looked through once.
    #[must_use]
    pub fn holders_of(&self, wanted: &FxHashSet<SockId>) -> FxHashMap<SockId, Vec<(ProcId, i32)>> {
        let mut holders: FxHashMap<SockId, Vec<(ProcId, i32)>> = FxHashMap::default();
        let mut seen = table::Seen::default();
        for process in self.processes.values().filter(|process| process.ended.is_none()) {
            let Some(table) = self.tables.get(&process.table) else { continue };
            table.find_sockets(wanted, &mut seen, |socket, fd| {
                holders.entry(socket).or_default().push((process.id, fd));
            });
        }
        holders.values_mut().for_each(|of| of.sort_unstable());
        holders
    }

    /// Whether a living process holds a descriptor for a socket: under the number that it had, or, looked for
    /// through the whole table, another.
    #[must_use]
    pub fn holds_socket(&self, id: ProcId, socket: SockId, fd: i32) -> bool {
        let is_it = |holding: &Holding| holding.file.socket == Some(socket);
        self.table(id)
            .is_some_and(|table| table.holding(fd).is_some_and(is_it) || table.find(socket).is_some())
    }

    /// A number in the table that a thread uses.
    #[must_use]
    pub fn slot(&self, id: ProcId, tid: u32, fd: i32) -> Option<&Slot> {
        self.tables.get(&self.process(id)?.table_of(tid))?.slot(fd)
    }

    /// Whether a number of a process' table is this open file.
    #[must_use]
    pub fn holds_file(&self, id: ProcId, fd: i32, file: FileId) -> bool {
        self.table(id).and_then(|table| table.holding(fd)).is_some_and(|holding| holding.file.id == file)
    }

    /// An epoll instance that was changed or waited on.
    #[must_use]
    pub fn epoll(&self, id: FileId) -> Option<&Epoll> {
        self.epolls.get(id)
    }

    /// Whether a process has itself registered what is behind one of its numbers on an epoll instance. Looks
    /// through all instances: for what may be a finding, not for each event.
    #[must_use]
    pub fn has_registered(&self, id: ProcId, fd: i32) -> bool {
        let holding = self.table(id).and_then(|table| table.holding(fd));
        holding.is_some_and(|holding| self.epolls.has_watch_of(id, fd, holding.file.id))
    }

    /// Whether a process has executed a program at this time or later, or an ancestor has, before the fork
    /// that led to it: what was known before is forgotten.
    #[must_use]
    pub fn has_forgotten(&self, id: ProcId, time: u64) -> bool {
        let (mut process, mut before) = (self.process(id), u64::MAX);
        for _ in 0..Self::GENERATIONS {
            let Some(known) = process else { return false };
            if known.execs.iter().any(|&(executed, _)| executed >= time && executed < before) {
                return true;
            }
            let Some(forked) = known.forked_at.filter(|&forked| forked > time) else { return false };
            (process, before) = (known.parent.and_then(|parent| self.process(parent)), forked);
        }
        false
    }

    /// Whether a process can remember what another did: it is that process, or descends from it by later
    /// forks. Yes where the history cannot tell.
    #[must_use]
    pub fn remembers(&self, id: ProcId, what: &Origin) -> bool {
        let mut process = self.process(id);
        for _ in 0..Self::GENERATIONS {
            let Some(known) = process else { return true };
            // Those that share a descriptor table do so on purpose, and mostly their memory, too.
            if known.id == what.process || self.share_a_table(known.id, what.process) {
                return true;
            }
            let born = known.forked_at.unwrap_or(known.first_seen);
            // What one thread did right before another forked may be told after the fork.
            let threads = known.forked_at.map(|_| known.threads_at_fork.unwrap_or(u32::MAX));
            let slack = if threads.is_some_and(|threads| threads > 1) { race::OVERLAP } else { 0 };
            if born != 0 && born.saturating_add(slack) < what.time {
                return false;
            }
            let Some(parent) = known.parent else { return true };
            process = self.process(parent);
        }
        true
    }

    /// Whether two processes use one descriptor table (`CLONE_FILES`, clone(2)).
    #[must_use]
    pub fn share_a_table(&self, one: ProcId, other: ProcId) -> bool {
        let table = |id| self.process(id).map(|process| process.table);
        table(one).is_some_and(|shared| table(other) == Some(shared))
    }

    /// Whether a process has executed a program since a moment.
    #[must_use]
    pub fn has_executed_since(&self, id: ProcId, time: u64) -> bool {
        let execs = self.process(id).map(|process| process.execs.as_slice());
        execs.and_then(<[_]>::last).is_some_and(|(executed, _)| *executed > time)
    }

    /// The number of a process as users read it.
    #[must_use]
    pub fn pid(&self, id: ProcId) -> u32 {
        self.process(id).map_or(0, Process::pid)
    }

    /// How often what the kernel showed was not what the tables said.
    #[must_use]
    pub fn corrected(&self) -> u64 {
        self.corrected
    }

    /// Events on descriptors whose table or socket was not known.
    #[must_use]
    pub fn unresolved(&self) -> u64 {
        self.unresolved
    }

    /// Whether events were lost, so that what was not seen may have happened.
    #[must_use]
    pub fn has_losses(&self) -> bool {
        self.lost.is_some() || self.cut
    }

    /// Whether events were lost before what is known by now, so that it may have holes.
    #[must_use]
    pub fn has_holes(&self) -> bool {
        self.lost.is_some()
    }

    /// Whether events may have been lost after this time.
    #[must_use]
    pub fn lost_since(&self, time: u64) -> bool {
        self.lost.is_some_and(|noticed| noticed >= time)
    }

    /// Says that events were lost.
    pub fn note_losses(&mut self) {
        self.lost = Some(self.now);
    }

    /// Says that events end here, although more happened. What was found before rests
    /// on all events up to then.
    pub fn note_cut(&mut self) {
        self.cut = true;
    }

    /// From here on these listen.
    pub fn set_audience(&mut self, audience: Audience) {
        self.noted.audience = audience;
    }

    /// Which bytes of the newest event's payload said something: only a transfer's can, where a
    /// recording listens.
    #[must_use]
    pub fn kept(&self) -> &Kept {
        &self.noted.kept
    }

    /// Time of the newest event, in nanoseconds of its clock.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Remembers what /proc showed of a process' libraries and settings.
    pub fn learn(&mut self, pid: u32, facts: Facts) {
        if let Some(process) = self.living.get(&pid).and_then(|id| self.processes.get_mut(id)) {
            process.facts = Some(facts.into());
        }
    }

    /// Whether a process should be looked up anew because a connection of its crosses a fork: once, since
    /// libraries may have been loaded after the first look.
    pub fn crosses(&mut self, id: ProcId) -> bool {
        self.processes.get_mut(&id).is_some_and(|process| !std::mem::replace(&mut process.crossed, true))
    }

    /// The processes that a process made and that are still remembered.
    pub fn children(&self, id: ProcId) -> impl Iterator<Item = &Process> {
        self.family.children(id).filter_map(|child| self.processes.get(&child))
    }

    /// Remembers where a process lives. One that is ending shows less than it
    /// inherited: what was known stays.
    ///
    /// Children that were made before it was known in which container their parent is,
    /// are in it too; and theirs.
    pub fn settle(&mut self, pid: u32, place: Place) {
        let Some(&id) = self.living.get(&pid) else { return };
        let Some(container) = self.processes.get_mut(&id).and_then(|process| process.settle(place)) else {
            return;
        };
        let mut parents = vec![id];
        while let Some(parent) = parents.pop() {
            for child in self.family.children(parent) {
                let Some(process) = self.processes.get_mut(&child) else { continue };
                if process.container().is_none() {
                    process.settle(Place { ns_pid: None, container: Some(container.clone()) });
                    parents.push(child);
                }
            }
        }
    }

    /// Remembers a socket although it may be gone: a finding speaks of it.
    pub fn keep(&mut self, id: SockId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.kept = true;
        }
    }

    /// An id for a process, a table or a socket. They come round after four thousand million others, which a
    /// session that watches a whole machine may see: one that something still has is passed by.
    fn next(&mut self) -> u32 {
        loop {
            self.serial = self.serial.wrapping_add(1);
            let id = self.serial;
            let is_taken = self.processes.get(&ProcId(id)).is_some()
                || self.tables.get(&process::TableId(id)).is_some()
                || self.sockets.get(&SockId(id)).is_some();
            if id != 0 && !is_taken {
                return id;
            }
        }
    }

    /// The process of a key, made where it was not known: its fork was not seen.
    fn known(&mut self, key: ProcKey, out: &mut Vec<Change>) -> ProcId {
        if let Some((newest, id)) = self.newest
            && newest == key
        {
            return id;
        }
        let id = self.find_or_make(key, out);
        self.newest = Some((key, id));
        id
    }

    fn find_or_make(&mut self, key: ProcKey, out: &mut Vec<Change>) -> ProcId {
        if let Some(&id) = self.living.get(&key.tgid) {
            let same = |process: &Process| {
                process.key.start == key.start || process.key.start == 0 || key.start == 0
            };
            if self.processes.get(&id).is_some_and(same) {
                return id;
            }
            self.end(id, None, out);
        }
        let id = ProcId(self.next());
        let table = process::TableId(self.next());
        let mut own = Table::default();
        own.users = 1;
        self.tables.insert(table, own);
        self.processes.insert(id, Process::unseen(id, key, table));
        self.living.insert(key.tgid, id);
        id
    }
}
