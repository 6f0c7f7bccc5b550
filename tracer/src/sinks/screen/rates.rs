//! How much lately: small graphs of what happened in the last seconds.

use crate::model::{Change, ProcId, SockId};
use rustc_hash::FxHashMap;

/// Columns of a graph.
pub(super) const COLUMNS: usize = 10;
/// Nanoseconds of one column.
const COLUMN: u64 = 500_000_000;
/// Graphs that are kept: 8 MB. Those in which nothing is left go first.
const MOST: usize = 1 << 16;

/// Amounts by time: the newest columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    amounts: [u32; COLUMNS],
    /// The newest column's number since the clock's beginning.
    newest: u64,
}

impl Graph {
    /// Adds an amount at a moment.
    pub(super) fn add(&mut self, time: u64, amount: u64) {
        self.turn_to(time / COLUMN);
        let at = (self.newest % COLUMNS as u64) as usize;
        self.amounts[at] = self.amounts[at].saturating_add(u32::try_from(amount).unwrap_or(u32::MAX));
    }

    fn turn_to(&mut self, column: u64) {
        if column.saturating_sub(self.newest) >= COLUMNS as u64 {
            self.amounts = [0; COLUMNS];
            self.newest = column;
        }
        while self.newest < column {
            self.newest += 1;
            self.amounts[(self.newest % COLUMNS as u64) as usize] = 0;
        }
    }

    /// The amounts as of a moment, oldest first.
    pub(super) fn until(&self, now: u64) -> [u32; COLUMNS] {
        let mut graph = self.clone();
        graph.turn_to(now / COLUMN);
        std::array::from_fn(|at| graph.amounts[(graph.newest as usize + 1 + at) % COLUMNS])
    }

    /// The amount a second over the whole columns, as of a moment.
    pub(super) fn per_second(&self, now: u64) -> f64 {
        let amounts = self.until(now);
        let whole = &amounts[COLUMNS - 3..COLUMNS - 1];
        whole.iter().map(|&amount| f64::from(amount)).sum::<f64>() * 1e9
            / (COLUMN as f64 * whole.len() as f64)
    }
}

/// Graphs of events, and of bytes by connection and process.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// Events.
    pub(super) events: Graph,
    bytes: FxHashMap<(SockId, ProcId), Graph>,
    sums: FxHashMap<SockId, Graph>,
}

impl Rates {
    /// Notes what an event changed.
    pub(super) fn note(&mut self, time: u64, change: &Change) {
        let Change::Used { socket, by, bytes, .. } = *change else { return };
        for_room(&mut self.bytes, time);
        for_room(&mut self.sums, time);
        self.bytes.entry((socket, by.process)).or_default().add(time, bytes);
        self.sums.entry(socket).or_default().add(time, bytes);
    }

    /// Bytes that all processes moved on a connection.
    pub(super) fn of(&self, socket: SockId) -> Option<&Graph> {
        self.sums.get(&socket)
    }

    /// Bytes that one process moved on it.
    pub(super) fn of_one(&self, socket: SockId, process: ProcId) -> Option<&Graph> {
        self.bytes.get(&(socket, process))
    }
}

/// Where there is no room, what shows nothing goes; if all show something, all go.
fn for_room<Id: Eq + std::hash::Hash>(graphs: &mut FxHashMap<Id, Graph>, now: u64) {
    if graphs.len() < MOST {
        return;
    }
    graphs.retain(|_, graph| now / COLUMN < graph.newest + COLUMNS as u64);
    if graphs.len() > MOST / 2 {
        graphs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;
    use crate::protocol::User;

    #[test]
    fn a_graph_shows_the_last_seconds() {
        let mut graph = Graph::default();
        graph.add(0, 1);
        graph.add(COLUMN, 2);
        graph.add(COLUMN + 1, 3);
        graph.add(4 * COLUMN, 7);
        assert_eq!(graph.until(4 * COLUMN)[COLUMNS - 5..], [1, 5, 0, 0, 7]);
        assert_eq!(graph.until(5 * COLUMN)[COLUMNS - 5..], [5, 0, 0, 7, 0]);
        assert_eq!(graph.until(100 * COLUMN), [0; COLUMNS]);
        graph.add(100 * COLUMN, u64::MAX);
        assert_eq!(graph.until(100 * COLUMN)[COLUMNS - 1], u32::MAX);
    }

    #[test]
    fn what_shows_nothing_makes_room() {
        let mut rates = Rates::default();
        let used = |socket, process| Change::Used {
            socket: SockId(socket),
            by: Origin { time: 1, process: User(process).into(), tid: 1, nr: 0 },
            fd: 3,
            sent: true,
            bytes: 1,
            turns: 1,
        };
        for socket in 0..MOST as u32 {
            rates.note(0, &used(socket, 1));
        }
        assert_eq!(rates.bytes.len(), MOST);
        rates.note(100 * COLUMN, &used(7, 1));
        assert_eq!((rates.bytes.len(), rates.sums.len()), (1, 1));
    }
}
