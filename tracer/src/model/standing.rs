//! Children of processes with several threads: whether they stand still.
//!
//! A fork copies one thread. What the others would have done in the child, nobody does there. Such
//! children are looked at a few times a second, until they execute a program; what they do between two
//! looks, events tell as well.
//!
//! ```text
//!           something new: an event, a byte, another call, processor time
//!        .----------------------------------------------------------------.
//!        v                                                                |
//!   fork -> (moves: looked at ever less often) -- nothing new --> (stands still, since the last new thing)
//! ```

use super::{Model, Origin, ProcId};
use crate::errno;
use crate::event::{
    Event, Glance, GlancedThread, MOST_PARENT_THREADS, MOST_THREADS, ParentThread, ProcKey, WaitsOn,
    WantedGlance, What,
};
use forkscope_proto::{calls, process::CLONE_VM};
use rustc_hash::FxHashMap;

/// The most children that are looked at. Those that are forked beyond are not.
const MOST: usize = 1024;
/// The most of them that are looked at in one round.
const MOST_AT_ONCE: usize = 16;
/// How long after its fork a child is looked at first, in nanoseconds: most have executed a program by then.
const FIRST: u64 = 1_000_000_000;
/// How soon a child that stands still is looked at again, in nanoseconds, and how late any other.
const SOON: u64 = 250_000_000;
/// See [`SOON`].
const LATE: u64 = 4_000_000_000;
/// After so many looks that showed nothing new, a child is looked at closely; after so
/// many more, ever less often.
const CLOSELY: u32 = 3;
/// See [`CLOSELY`].
const LONG: u32 = 20;
/// The longest name of a thread (`TASK_COMM_LEN`, include/linux/sched.h).
const MOST_NAME: usize = 15;
/// A clock tick in nanoseconds, as /proc counts processor time (`USER_HZ`, proc_pid_stat(5)).
const TICK: u64 = 10_000_000;
/// Who waits in short turns uses less than one part in so many of a processor.
const LITTLE: u64 = 10;
/// Ticks that a short time may show too many: each of the two counts is rounded.
const ROUNDED: u64 = 2;

/// What is known of a child that may stand still.
#[derive(Debug)]
pub struct Standing {
    /// Who forked it.
    pub parent: ProcId,
    /// The thread that called fork: the one that the child has. Where the fork was not
    /// seen, the parent's first.
    pub forker: u32,
    /// How many threads the parent had; where the fork was not seen, how many it has that are older.
    pub threads: u32,
    /// The threads that the parent had had before the fork, and still had when they were looked at.
    pub parent_threads: Vec<ParentThread>,
    /// When it was last known to have done something new, in nanoseconds.
    pub since: u64,
    /// Looks in a row that showed nothing new.
    pub looks: u32,
    /// The look that began the row, and the last one, and when they were.
    first: Option<(u64, Glance)>,
    last: Option<(u64, Glance)>,
    asked_parent: bool,
    /// It waits on memory that others have, too: to find that out again is dear, and says nothing.
    shares: bool,
    due: u64,
    interval: u64,
}

impl Standing {
    fn new(parent: ProcId, forker: u32, threads: u32, time: u64) -> Self {
        Self {
            parent,
            forker,
            threads,
            parent_threads: Vec::new(),
            since: time,
            looks: 0,
            first: None,
            last: None,
            asked_parent: false,
            shares: false,
            due: time.saturating_add(FIRST),
            interval: SOON,
        }
    }

    /// What the last look showed.
    #[must_use]
    pub fn last(&self) -> Option<&Glance> {
        self.last.as_ref().map(|(_, glance)| glance)
    }

    /// For how long looks have shown nothing new, in nanoseconds.
    #[must_use]
    pub fn watched(&self) -> u64 {
        let (Some((first, _)), Some((last, _))) = (&self.first, &self.last) else { return 0 };
        last.saturating_sub(*first)
    }

    /// Whether a thread has been in one and the same call for all that time: it has not begun another wait.
    #[must_use]
    pub fn in_one_call(&self, thread: &GlancedThread) -> bool {
        let first = self.first.iter().flat_map(|(_, first)| &first.threads);
        let began = first.into_iter().find(|began| began.tid == thread.tid);
        began.is_some_and(|began| began.switches == thread.switches && began.call == thread.call)
    }

    /// Takes in a look.
    fn take(&mut self, time: u64, glance: &Glance) {
        if let Some(parent) = &glance.parent {
            let thread = |thread: &ParentThread| ParentThread {
                comm: thread.comm.chars().take(MOST_NAME).collect(),
                ..*thread
            };
            self.parent_threads = parent.iter().take(MOST_PARENT_THREADS).map(thread).collect();
        }
        if glance.threads.len() > MOST_THREADS {
            return;
        }
        let calls_seen =
            !glance.threads.is_empty() && glance.threads.iter().all(|thread| thread.call.is_some());
        let nothing_new = calls_seen && self.nothing_new(time, glance);
        let shares = |thread: &GlancedThread| matches!(thread.on, WaitsOn::Futex { shared: Some(true), .. });
        self.shares = nothing_new && (self.shares || glance.threads.iter().any(shares));
        self.interval = if nothing_new && self.looks < LONG && !self.shares {
            SOON
        } else {
            self.interval.saturating_mul(2).clamp(SOON, LATE)
        };
        self.due = time.saturating_add(self.interval);
        if !calls_seen {
            // A thread runs, or a tracer has stopped it for a moment: the next look will tell.
            return;
        }
        if nothing_new {
            self.looks = self.looks.saturating_add(1);
        } else {
            // Before the first look, only events have told.
            if self.last.is_some() {
                self.since = self.since.max(time);
            }
            self.looks = 0;
            self.first = Some((time, glance.clone()));
        }
        self.last = Some((time, glance.clone()));
    }

    /// Whether a look shows what the first of the row showed, and no event has told of more since.
    fn nothing_new(&self, time: u64, glance: &Glance) -> bool {
        let Some((began, first)) = &self.first else { return false };
        let alike = |(one, other): (&GlancedThread, &GlancedThread)| {
            let object = |thread: &GlancedThread| thread.call.map(|call| (call.nr, call.args[0]));
            one.tid == other.tid && object(one) == object(other)
        };
        let same_calls = first.threads.len() == glance.threads.len()
            && first.more == glance.more
            && first.threads.iter().zip(&glance.threads).all(alike);
        let ticks = |glance: &Glance| {
            glance.threads.iter().fold(0_u64, |sum, thread| sum.saturating_add(thread.ticks))
        };
        let used = ticks(glance).saturating_sub(ticks(first));
        let little = time.saturating_sub(*began) / TICK / LITTLE + ROUNDED;
        // An event may be told after a look that came after it.
        self.since <= *began && same_calls && first.moved == glance.moved && used <= little
    }

    fn wanted(&mut self, child: ProcKey, parent: Option<u32>, now: u64) -> WantedGlance {
        let closely = self.looks >= CLOSELY && !self.shares;
        let parent = parent.filter(|_| closely && !self.asked_parent);
        self.asked_parent |= parent.is_some();
        // Whatever comes of it, it is not asked for again at once.
        self.due = now.saturating_add(self.interval);
        WantedGlance { child, closely, parent }
    }
}

/// Children by what is known of them.
pub(super) type Children = FxHashMap<ProcId, Standing>;

impl Model {
    /// What is known of a child of a process with several threads, until it executes a program.
    #[must_use]
    pub fn standing(&self, id: ProcId) -> Option<&Standing> {
        self.standing.get(&id)
    }

    /// Which children to look at by now: those that have waited longest for it.
    pub fn wanted_glances(&mut self, now: u64) -> Vec<WantedGlance> {
        if self.standing.is_empty() {
            return Vec::new();
        }
        let due = self.standing.iter().filter(|(_, child)| child.due <= now);
        let mut due: Vec<(u64, ProcId)> = due.map(|(&id, child)| (child.due, id)).collect();
        due.sort_unstable();
        due.truncate(MOST_AT_ONCE);
        let wanted = |(_, id)| {
            let child = self.standing.get_mut(&id)?;
            let parent = self.processes.get(&child.parent).filter(|parent| parent.ended.is_none());
            let key = self.processes.get(&id)?.key;
            Some(child.wanted(key, parent.map(super::Process::pid), now))
        };
        due.into_iter().filter_map(wanted).collect()
    }

    /// A fork: the child has one of the threads of its parent, and its own memory.
    pub(super) fn may_stand(&mut self, at: Origin, child: ProcId, fork: &forkscope_proto::Fork) {
        let lost_threads = fork.threads > 1 && fork.flags & CLONE_VM == 0;
        if lost_threads && self.standing.len() < MOST {
            let standing = Standing::new(at.process, at.tid, fork.threads, at.time);
            self.standing.insert(child, standing);
        }
    }

    /// A child that was there before forkscope looked.
    pub(super) fn may_have_stood(&mut self, parent: ProcId, child: ProcId, threads: u32, time: u64) {
        if threads > 1 && self.standing.len() < MOST {
            self.standing.insert(child, Standing::new(parent, self.pid(parent), threads, time));
        }
    }

    /// Takes in a look; whether it was at a child that is known.
    pub(super) fn glance(&mut self, id: ProcId, time: u64, glance: &Glance) -> bool {
        let child = self.standing.get_mut(&id);
        child.map(|child| child.take(time, glance)).is_some()
    }

    /// An event of a process: it shows that a child goes on, or it is an empty turn.
    pub(super) fn noted(&mut self, id: ProcId, event: &Event<'_>) {
        if self.standing.is_empty() {
            return;
        }
        if let Some(child) = self.standing.get_mut(&id)
            && is_new(event)
        {
            child.since = child.since.max(event.time);
        }
    }
}

/// Whether an event shows that its process does something: not where a wait ended empty, or in "not now".
fn is_new(event: &Event<'_>) -> bool {
    let now = |ret| errno::of(ret).is_none_or(|errno| !errno::is_not_now(errno));
    match event.what {
        What::Call(call, _) => match call.header.nr {
            calls::EPOLL_WAIT | calls::EPOLL_PWAIT | calls::EPOLL_PWAIT2 => call.ret > 0,
            _ => now(call.ret),
        },
        What::Io(io, _) => now(io.ret),
        What::Uring(io) => now(i64::from(io.ret)),
        What::Fork(_) | What::Exec(..) | What::Exit(_) => true,
        What::Socket(..) | What::Passed(_) | What::Plaintext(..) | What::Compat => true,
        What::Snapshot(_) | What::Glance(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::SeenCall;

    #[test]
    fn an_event_that_is_told_after_a_later_look_is_news() {
        const MS: u64 = 1_000_000;
        let call = Some(SeenCall { nr: 202, args: [0x7f00; 6] });
        let thread = GlancedThread { tid: 2, ticks: 3, switches: 5, call, on: WaitsOn::Unknown };
        let glance = Glance { threads: vec![thread], moved: Some(7), ..Glance::default() };
        let mut standing = Standing::new(ProcId(1), 1, 2, 0);
        for (told, look, row) in [(900, 1000, 0), (999, 1250, 1), (1249, 1500, 0), (1249, 1750, 1)] {
            standing.since = standing.since.max(told * MS);
            standing.take(look * MS, &glance);
            assert_eq!(standing.looks, row, "{look}");
        }
    }
}
