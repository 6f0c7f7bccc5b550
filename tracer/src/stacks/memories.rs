//! Whose addresses mean what, also of processes that have ended: looked at early enough, or known from the
//! parent, of whose memory a child's is a copy.

use super::maps::Maps;
use crate::event::ProcKey;
use crate::source::proc;
use crate::source::usage::now;
use rustc_hash::FxHashMap;
use std::rc::Rc;

/// The most processes that are remembered.
const MOST: usize = 2048;

/// What is known of the memory of processes.
#[derive(Default)]
pub(super) struct Memories {
    processes: FxHashMap<ProcKey, Memory>,
    count: u64,
}

#[derive(Default)]
struct Memory {
    /// When it was made, by number.
    made: u64,
    parent: Option<ProcKey>,
    maps: Option<Rc<Maps>>,
    /// When these were looked at, in nanoseconds of the events' clock.
    looked: u64,
}

impl Memories {
    /// A stack with this address has come: its process may have ended when somebody asks what that means.
    pub(super) fn prepare(&mut self, process: ProcKey, address: u64) {
        let covers = |maps: &Rc<Maps>| maps.find(address).is_some();
        if self.known(process).as_ref().is_none_or(|maps| !covers(maps)) {
            self.look(process);
        }
    }

    /// A process was made: with a copy of the other's memory, or with that itself.
    pub(super) fn forked(&mut self, parent: ProcKey, child: ProcKey) {
        self.entry(child).parent = Some(parent);
    }

    /// A process executed a program at this moment: nothing that was known before is so any more. It may be
    /// told late, when a stack of the new program has been taken in.
    pub(super) fn executed(&mut self, process: ProcKey, time: u64) {
        let memory = self.entry(process);
        memory.parent = None;
        memory.maps.take_if(|_| memory.looked < time);
    }

    /// What the addresses of a process mean, as it is now or as it was last known.
    pub(super) fn of(&mut self, process: ProcKey) -> Option<Rc<Maps>> {
        self.look(process);
        self.known(process)
    }

    fn look(&mut self, process: ProcKey) {
        if proc::key(process.tgid).is_ok_and(|key| key == process)
            && let (looked, Some(maps)) = (now(), Maps::read(process))
            && maps != Maps::default()
        {
            let memory = self.entry(process);
            (memory.maps, memory.looked) = (Some(Rc::new(maps)), looked);
        }
    }

    /// Its own mappings, or those of the nearest ancestor.
    fn known(&self, mut process: ProcKey) -> Option<Rc<Maps>> {
        // Links go to older processes; numbers that lie must not make a circle endless.
        for _ in 0..MOST {
            let memory = self.processes.get(&process)?;
            if let Some(maps) = &memory.maps {
                return Some(maps.clone());
            }
            process = memory.parent?;
        }
        None
    }

    fn entry(&mut self, process: ProcKey) -> &mut Memory {
        if self.processes.len() >= MOST && !self.processes.contains_key(&process) {
            let half = self.count - MOST as u64 / 2;
            self.processes.retain(|_, memory| memory.made >= half);
        }
        self.processes.entry(process).or_insert_with(|| {
            self.count += 1;
            Memory { made: self.count, ..Memory::default() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_that_is_told_late_leaves_what_was_seen_after_it() {
        let own = proc::key(std::process::id()).expect("it lives");
        let mut memories = Memories::default();
        let before = now();
        memories.prepare(own, Memories::look as *const () as u64);
        memories.executed(own, before);
        assert!(memories.known(own).is_some());
        memories.executed(own, now() + 1);
        assert!(memories.known(own).is_none());
    }

    #[test]
    fn a_child_that_has_ended_is_known_from_its_parent_until_it_executes() {
        let own = proc::key(std::process::id()).expect("it lives");
        // No process has such a number (`PID_MAX_LIMIT`, include/linux/threads.h).
        let gone = |number: u32| ProcKey { tgid: 5_000_000 + number, start: 1 };
        let mut memories = Memories::default();
        let address = Memories::look as *const () as u64;
        memories.prepare(own, address);
        memories.forked(own, gone(1));
        memories.forked(gone(1), gone(2));
        assert!(memories.of(gone(2)).is_some_and(|maps| maps.find(address).is_some()));
        memories.executed(gone(1), now());
        assert!(memories.of(gone(2)).is_none());
        memories.forked(gone(3), gone(4));
        memories.forked(gone(4), gone(3));
        assert!(memories.of(gone(3)).is_none());
        (10..20_000).for_each(|number| memories.forked(own, gone(number)));
        assert!(memories.processes.len() <= MOST);
    }
}
