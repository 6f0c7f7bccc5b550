//! Whose place in the world should be looked up: that of each process once, and again
//! where it may have changed.

use crate::event::{Event, What};
use crate::model::{Model, Place, Process};
use forkscope_proto::process::CLONE_THREAD;

/// `CLONE_NEWPID` of clone(2): the new task is the first of a pid namespace.
const CLONE_NEWPID: u64 = 0x2000_0000;

/// The process that an event made, or moved: a container's first program is executed where its manager put
/// it. A child lives where its parent does, under a number that the event does not tell.
pub(super) fn moved(model: &Model, event: &Event<'_>) -> Option<u32> {
    let pid = event.process.tgid;
    let place = || model.by_pid(pid).and_then(|process| process.place.as_ref());
    match event.what {
        What::Exec(..) => Some(pid),
        What::Snapshot(_) => place().is_none().then_some(pid),
        What::Fork(fork) if fork.flags & CLONE_THREAD == 0 => {
            let elsewhere = place().is_some_and(|place| place.ns_pid.is_some());
            (elsewhere || fork.flags & CLONE_NEWPID != 0).then_some(fork.child_tgid)
        }
        What::Fork(_)
        | What::Exit(_)
        | What::Call(..)
        | What::Io(..)
        | What::Plaintext(..)
        | What::Socket(..)
        | What::Uring(_)
        | What::Passed(_)
        | What::Compat
        | What::Glance(_) => None,
    }
}

/// The living children of a process that turns out just now to live elsewhere, whose
/// own numbers are not known.
pub(super) fn children(model: &Model, pid: u32, place: &Place) -> Vec<u32> {
    let unknown = |place: &Option<Place>| place.as_ref().is_none_or(|place| place.ns_pid.is_none());
    let parent = model.by_pid(pid).filter(|parent| place.ns_pid.is_some() && unknown(&parent.place));
    let children = parent.into_iter().flat_map(|parent| model.children(parent.id));
    children.filter(|child| child.ended.is_none() && unknown(&child.place)).map(Process::pid).collect()
}
