//! Who probably opened a thing that several hold: fork hands descriptors down, so it was an ancestor of all.

use super::look::SeenProcess;
use crate::report::CreatorGuess;
use rustc_hash::FxHashMap;

/// Which process is whose child.
pub(super) struct Family {
    /// Parent, and age in seconds, by number.
    members: FxHashMap<u32, (u32, f64)>,
}

impl Family {
    /// Of the processes of a look.
    pub(super) fn new(processes: &[SeenProcess]) -> Self {
        let member = |process: &SeenProcess| (process.key.tgid, (process.ppid, process.age));
        Self { members: processes.iter().map(member).collect() }
    }

    /// Who probably opened what these hold. `None` of one holder: it may have inherited
    /// it as well as opened it.
    pub(super) fn creator(&self, holders: &[u32]) -> Option<CreatorGuess> {
        let (&first, others) = holders.split_first()?;
        if others.iter().all(|&other| other == first) {
            return None;
        }
        let common = self.line(first).find(|&ancestor| others.iter().all(|&o| self.descends(o, ancestor)));
        let guess = |pid, why: &str| Some(CreatorGuess { pid, why: why.to_owned() });
        // Of the topmost process nobody looked at the parent.
        let is_topmost = |pid| self.line(pid).nth(1).is_none();
        match common {
            Some(pid) if holders.contains(&pid) && is_topmost(pid) => {
                guess(pid, "the other holders descend from it; it may have inherited it itself")
            }
            Some(pid) if holders.contains(&pid) => guess(pid, "the other holders descend from it"),
            Some(pid) => guess(pid, "all holders descend from it; it has closed its own, if it had one"),
            // Nobody's heirs: passed in a message, or inherited from a process that is not looked at.
            None => guess(self.oldest(holders)?, "it is the oldest of the holders"),
        }
    }

    /// The process itself, its parent, and so on.
    fn line(&self, pid: u32) -> impl Iterator<Item = u32> {
        // No line is longer than there are processes, even where numbers were reused during the look.
        std::iter::successors(Some(pid), |pid| self.members.get(pid).map(|(parent, _)| *parent))
            .take_while(|pid| self.members.contains_key(pid))
            .take(self.members.len())
    }

    fn descends(&self, pid: u32, ancestor: u32) -> bool {
        self.line(pid).any(|member| member == ancestor)
    }

    fn oldest(&self, holders: &[u32]) -> Option<u32> {
        let age = |pid: &u32| self.members.get(pid).map_or(0.0, |(_, age)| *age);
        holders.iter().copied().max_by(|a, b| age(a).total_cmp(&age(b)).then(b.cmp(a)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ProcKey;

    #[test]
    fn the_creator_is_the_nearest_common_ancestor() {
        // 1 -> 2 -> (3, 4); 9 is a stranger, and the oldest.
        let process = |tgid, ppid, age| SeenProcess {
            key: ProcKey { tgid, start: 1 },
            ppid,
            age,
            ..SeenProcess::default()
        };
        let family = Family::new(&[
            process(1, 0, 9.0),
            process(2, 1, 8.0),
            process(3, 2, 7.0),
            process(4, 2, 6.0),
            process(9, 0, 10.0),
        ]);
        for (holders, expected) in [
            (&[2, 3][..], Some(2)),
            (&[3, 2, 3], Some(2)),
            (&[3, 4], Some(2)),
            (&[4, 1], Some(1)),
            (&[3, 9], Some(9)),
            (&[3], None),
            (&[3, 3], None),
            (&[], None),
        ] {
            assert_eq!(family.creator(holders).map(|guess| guess.pid), expected, "{holders:?}");
        }
    }
}
