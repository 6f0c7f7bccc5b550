//! Who holds the connections that are on the screen: asked now and then, since all tables are looked through.

use crate::model::{Model, ProcId, SockId};
use rustc_hash::{FxHashMap, FxHashSet};
use std::time::Duration;

/// How long an answer is good.
const FRESH: Duration = Duration::from_millis(500);

/// The answer, and when it was given.
#[derive(Debug, Default)]
pub(super) struct Holders {
    wanted: FxHashSet<SockId>,
    of: FxHashMap<SockId, Vec<(ProcId, i32)>>,
    asked: Option<Duration>,
}

impl Holders {
    /// Asks who holds these, where that was not asked lately. `wall` is the caller's clock.
    pub(super) fn ask(&mut self, model: &Model, wanted: &[SockId], wall: Duration) {
        let is_fresh = self.asked.is_some_and(|asked| wall.saturating_sub(asked) < FRESH);
        if is_fresh && wanted.iter().all(|id| self.wanted.contains(id)) {
            return;
        }
        self.wanted = wanted.iter().copied().collect();
        self.of = model.holders_of(&self.wanted);
        self.asked = Some(wall);
    }

    /// The processes that hold a connection.
    pub(super) fn of(&self, id: SockId) -> impl Iterator<Item = ProcId> + '_ {
        self.of.get(&id).into_iter().flatten().map(|(process, _)| *process)
    }

    /// Under which number a process holds a connection.
    pub(super) fn number(&self, id: SockId, process: ProcId) -> Option<i32> {
        let mut held = self.of.get(&id)?.iter();
        held.find(|(holder, _)| *holder == process).map(|(_, fd)| *fd)
    }
}
