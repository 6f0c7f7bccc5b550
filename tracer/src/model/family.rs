//! Which processes are whose children: asked for each process whose place is told, so that no search through
//! all processes may be needed for it.

use super::ProcId;
use std::collections::BTreeSet;

/// Pairs of a parent and a child, of the children that are remembered.
#[derive(Debug, Default)]
pub(super) struct Family(BTreeSet<(ProcId, ProcId)>);

impl Family {
    /// A child was made, or seen.
    pub(super) fn add(&mut self, parent: ProcId, child: ProcId) {
        self.0.insert((parent, child));
    }

    /// A child is forgotten.
    pub(super) fn remove(&mut self, parent: ProcId, child: ProcId) {
        self.0.remove(&(parent, child));
    }

    /// The children of a process, the oldest first.
    pub(super) fn children(&self, parent: ProcId) -> impl Iterator<Item = ProcId> {
        self.0.range((parent, ProcId(0))..=(parent, ProcId(u32::MAX))).map(|&(_, child)| child)
    }
}
