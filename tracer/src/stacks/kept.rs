//! Stacks as they were taken: the newest of each process, so many and no more.

use crate::event::{ProcKey, StackOf, TakenStack};
use forkscope_proto::StackAt;
use std::collections::VecDeque;

/// The most of all: 8 MiB of stacks.
const MOST: usize = 1024;
/// How long before its event's record a stack of a call may have been taken, in nanoseconds:
/// the same probe writes both.
const CLOSE: u64 = 100_000_000;
/// The same of a fork: its record comes when the memory is copied, which takes a second for some 100 GiB.
const CLOSE_FORK: u64 = 2_000_000_000;

/// The most of one process.
const fn most_of(at: StackAt) -> usize {
    match at {
        // A finding comes soon after what failed.
        StackAt::Failed => 16,
        StackAt::Fork => 32,
        // A connection lives long before it fails.
        StackAt::Connect => 64,
    }
}

/// Stacks, oldest first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    taken: VecDeque<Taken>,
}

#[derive(Debug)]
struct Taken {
    stack: TakenStack,
    /// Of a fork: who came of it.
    child: Option<ProcKey>,
}

impl Kept {
    pub(super) fn add(&mut self, stack: TakenStack) {
        let alike = |taken: &Taken| (taken.stack.process, taken.stack.at) == (stack.process, stack.at);
        if self.taken.iter().filter(|taken| alike(taken)).count() >= most_of(stack.at) {
            let oldest = self.taken.iter().position(alike);
            oldest.and_then(|at| self.taken.remove(at));
        }
        if self.taken.len() >= MOST {
            self.taken.pop_front();
        }
        self.taken.push_back(Taken { stack, child: None });
    }

    /// The last fork that a thread had begun shortly before `time` made this process. Where that one has a
    /// child already, this fork's own stack was lost, and it has none.
    pub(super) fn forked(&mut self, tid: u32, time: u64, child: ProcKey) {
        let fork = self.taken.iter_mut().rev().find(|taken| {
            taken.stack.at == StackAt::Fork && taken.stack.tid == tid && taken.stack.time <= time
        });
        let own = |fork: &&mut Taken| fork.child.is_none() && time - fork.stack.time < CLOSE_FORK;
        if let Some(fork) = fork.filter(own) {
            fork.child = Some(child);
        }
    }

    pub(super) fn find(&self, wanted: &StackOf) -> Option<&TakenStack> {
        let all = || self.taken.iter().map(|taken| &taken.stack);
        match *wanted {
            StackOf::Connect { process, fd, since } => all().find(|stack| {
                stack.at == StackAt::Connect
                    && (stack.process, stack.fd) == (process, fd)
                    && stack.time >= since
            }),
            StackOf::Fork { child } => {
                let mut newest = self.taken.iter().rev();
                newest.find(|taken| taken.child == Some(child)).map(|taken| &taken.stack)
            }
            StackOf::Failed { process, tid, nr, time } => all().rev().find(|stack| {
                stack.at != StackAt::Fork
                    && (stack.process, stack.tid, stack.nr) == (process, tid, nr)
                    && stack.time <= time
                    && time - stack.time < CLOSE
            }),
            StackOf::Standing { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: ProcKey = ProcKey { tgid: 7, start: 1 };

    fn stack(time: u64, tid: u32, at: StackAt, fd: i32) -> TakenStack {
        let (nr, registers) = (44, [time, 0, 0]);
        TakenStack { time, process: PARENT, tid, at, nr, fd, registers, bytes: Box::default() }
    }

    #[track_caller]
    fn check(kept: &Kept, wanted: StackOf, time: Option<u64>) {
        assert_eq!(kept.find(&wanted).map(|stack| stack.time), time, "{wanted:?}");
    }

    #[test]
    fn each_moment_has_its_stack() {
        let mut kept = Kept::default();
        let child = |tgid| ProcKey { tgid, start: 2 };
        kept.add(stack(10, 7, StackAt::Connect, 5));
        kept.add(stack(20, 7, StackAt::Connect, 5));
        kept.add(stack(25, 7, StackAt::Connect, 6));
        // Both stacks have come before the events of the forks.
        kept.add(stack(30, 7, StackAt::Fork, -1));
        kept.add(stack(40, 7, StackAt::Fork, -1));
        kept.add(stack(41, 8, StackAt::Fork, -1));
        kept.forked(7, 35, child(9));
        kept.forked(7, 45, child(10));
        kept.add(stack(50, 7, StackAt::Failed, 5));
        kept.add(stack(60, 7, StackAt::Failed, 5));
        let connect = |fd, since| StackOf::Connect { process: PARENT, fd, since };
        check(&kept, connect(5, 15), Some(20));
        check(&kept, connect(5, 5), Some(10));
        check(&kept, connect(5, 21), None);
        check(&kept, StackOf::Fork { child: child(9) }, Some(30));
        check(&kept, StackOf::Fork { child: child(10) }, Some(40));
        check(&kept, StackOf::Fork { child: child(11) }, None);
        let failed = |tid, nr, time| StackOf::Failed { process: PARENT, tid, nr, time };
        check(&kept, failed(7, 44, 55), Some(50));
        check(&kept, failed(7, 44, 65), Some(60));
        check(&kept, failed(7, 45, 65), None);
        check(&kept, failed(8, 44, 65), None);
        check(&kept, failed(7, 44, 60 + CLOSE), None);
        check(&kept, StackOf::Standing { process: PARENT }, None);
    }

    #[test]
    fn a_fork_whose_stack_was_lost_takes_no_other_one() {
        let mut kept = Kept::default();
        let child = |tgid| ProcKey { tgid, start: 2 };
        // The first failed, so it has no child.
        kept.add(stack(5, 7, StackAt::Fork, -1));
        kept.add(stack(10, 7, StackAt::Fork, -1));
        kept.forked(7, 20, child(9));
        kept.forked(7, 30, child(10));
        check(&kept, StackOf::Fork { child: child(9) }, Some(10));
        check(&kept, StackOf::Fork { child: child(10) }, None);
        kept.add(stack(40, 7, StackAt::Fork, -1));
        kept.forked(7, 40 + CLOSE_FORK, child(11));
        check(&kept, StackOf::Fork { child: child(11) }, None);
        kept.forked(7, 39 + CLOSE_FORK, child(12));
        check(&kept, StackOf::Fork { child: child(12) }, Some(40));
    }

    #[test]
    fn the_newest_are_kept_and_no_more_than_that() {
        let mut kept = Kept::default();
        kept.add(stack(1, 7, StackAt::Connect, 5));
        (2..200).for_each(|time| kept.add(stack(time, 7, StackAt::Failed, 5)));
        assert_eq!(kept.taken.len(), 1 + most_of(StackAt::Failed));
        check(&kept, StackOf::Connect { process: PARENT, fd: 5, since: 0 }, Some(1));
        check(&kept, StackOf::Failed { process: PARENT, tid: 7, nr: 44, time: 199 }, Some(199));
        for tgid in 100..100 + 2 * MOST as u32 {
            let process = ProcKey { tgid, start: 1 };
            kept.add(TakenStack { process, ..stack(200, tgid, StackAt::Failed, 5) });
        }
        assert_eq!(kept.taken.len(), MOST);
    }
}
