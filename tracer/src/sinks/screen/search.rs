//! Looking through all connections, a part for each frame: of a hundred thousand, looking at
//! all takes too long for one.

use crate::model::{Model, SockId, Socket};

/// Connections that are looked at for one frame.
const SLICE: usize = 20_000;

/// What was found so far, and what is still to be looked at.
#[derive(Clone, Debug)]
pub(super) struct Search<T> {
    left: Vec<SockId>,
    found: Vec<T>,
}

impl<T> Search<T> {
    /// Begins.
    pub(super) fn new(model: &Model) -> Self {
        Self { left: model.sockets().map(|socket| socket.id).collect(), found: Vec::new() }
    }

    /// Looks at the next ones. Once all were looked at, what `wanted` made of them, in no order.
    pub(super) fn go_on(
        &mut self,
        model: &Model,
        wanted: impl FnMut(&Socket) -> Option<T>,
    ) -> Option<Vec<T>> {
        let next = self.left.split_off(self.left.len().saturating_sub(SLICE));
        let connections =
            next.into_iter().filter_map(|id| model.socket(id)).filter(|one| one.is_connection());
        self.found.extend(connections.filter_map(wanted));
        self.left.is_empty().then(|| std::mem::take(&mut self.found))
    }
}
