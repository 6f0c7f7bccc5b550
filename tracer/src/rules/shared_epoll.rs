//! See [`TEXT`].

mod stands;
mod told;
mod words;

use super::later::Later;
use super::{Cause, Draft, Drafts, Rule};
use crate::model::{Act, Change, EpollUse, FileId, Model, Topic};
use rustc_hash::FxHashSet;
use stands::stands;
use std::collections::VecDeque;
use told::{ended, told};

/// What the rule means.
pub(super) const TEXT: &str = "\
One process changed an epoll instance on which another one waits.

A fork shares an epoll instance as it shares any open file: what the child registers is registered for the parent, and
what it removes is removed for the parent. An event carries what its maker gave as data, mostly a pointer into the
maker's memory. Given to the other process, that is an address at which something else lies, or nothing: the process
crashes, or treats one descriptor as another. A registration that is removed is an event that never comes: the process
hangs.

It is an error where that was seen: an event given to a process that never registered it, or a registration changed or
removed by another process than its own while that goes on waiting for it. It is a warning where a process waits on an
instance on which another has registered something of its own, and no such event was seen yet.

A process that uses an inherited instance alone is healthy, and so is one that only closes it.

How to fix it: make the event loop after the fork, in the process that runs it, or tell the loop that the process has
forked: uv_loop_fork(), ev_loop_fork(), event_reinit(). With Python's asyncio the child makes its own loop with
asyncio.run(), and neither uses nor closes the one that it inherited. For gRPC, see also `enotsock`.";

/// How long a change stands before it is worth a word, in nanoseconds: a process that inherited something
/// closes it in a moment, and its parent closes what it has handed over.
const GRACE: u64 = 1_000_000_000;
/// Repeats within this time, in nanoseconds, are not counted: an event that a loop does not know what to do
/// with comes back at once (level-triggered, epoll(7)).
const OFTEN: u64 = 100_000_000;
/// The most instances of which is remembered that there is a finding, and the most
/// findings that wait for an end.
const MOST_FOUND: usize = 256;
const MOST_TOLD: usize = 64;

/// The rule `shared-epoll`.
#[derive(Default)]
pub(super) struct SharedEpoll {
    /// Changes of late.
    changes: Later<EpollUse, GRACE>,
    /// Instances of which there is a finding.
    found: FxHashSet<FileId>,
    /// What was found of events that went to the wrong process, oldest first: it may end of it.
    told: VecDeque<Draft>,
}

impl Rule for SharedEpoll {
    fn topics(&self) -> &[Topic] {
        &[Topic::Epoll, Topic::Ended]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        match *change {
            Change::Epoll(used) => match used.act {
                Act::Told => {
                    if let Some(last) = self.last_told(&used)
                        && used.by.time.saturating_sub(last.time) < OFTEN
                    {
                        return;
                    }
                    let Some(draft) = told(model, &used) else { return };
                    self.note(used.epoll);
                    self.told
                        .retain(|old| old.claim.cause != draft.claim.cause || old.process != draft.process);
                    if self.told.len() == MOST_TOLD {
                        self.told.pop_front();
                    }
                    self.told.push_back(draft.clone());
                    out.push(draft);
                }
                Act::Added | Act::Changed | Act::Removed => {
                    if !self.changes.is_full()
                        && !self.found.contains(&used.epoll)
                        && somebody_else_lives(model, &used)
                    {
                        self.changes.push(used);
                    }
                }
            },
            Change::Ended { process } => {
                let place = self.told.iter().position(|draft| draft.process == process);
                let draft = place.and_then(|place| self.told.remove(place));
                out.extend(draft.and_then(|draft| ended(model, draft)));
            }
            _ => {}
        }
    }

    fn tick(&mut self, model: &Model, out: &mut Drafts<'_>) {
        while let Some(oldest) = self.changes.due(model.now(), |it| it.by.time) {
            if let Some(draft) = stands(model, &oldest) {
                self.note(oldest.epoll);
                out.push(draft);
            }
        }
    }
}

impl SharedEpoll {
    /// What was found last of events of this instance that went to this process.
    fn last_told(&self, used: &EpollUse) -> Option<&Draft> {
        let cause = Cause::Epoll(used.epoll);
        self.told.iter().find(|draft| draft.claim.cause == cause && draft.process == used.by.process)
    }

    fn note(&mut self, epoll: FileId) {
        if self.found.len() < MOST_FOUND {
            self.found.insert(epoll);
        }
    }
}

/// Whether another process that made or uses the instance is there.
fn somebody_else_lives(model: &Model, used: &EpollUse) -> bool {
    let Some(epoll) = model.epoll(used.epoll) else { return false };
    let users = epoll.users.iter().map(|user| user.process);
    users.chain([epoll.opened.process]).any(|id| id != used.by.process && model.lives(id))
}
