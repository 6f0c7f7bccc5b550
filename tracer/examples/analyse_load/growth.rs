//! Time an event, by how many connections and processes there are: it should be flat.

use crate::prepared::{analyse, begun};
use crate::traffic::Traffic;
use serde_json::{Value, json};

/// By connections, which these processes have together.
const PROCESSES: usize = 50;
const CONNECTIONS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// By processes, which have these connections together.
const TOGETHER: usize = 10_000;
const BY_PROCESSES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Events for each connection before the time is taken.
const WARM: u64 = 8;

pub(super) fn measure(events: u64, most: usize) -> Value {
    let row = |processes: usize, connections: usize| {
        let mut traffic = Traffic::new(processes, connections / processes);
        let mut analysis = begun(&mut traffic);
        // Each connection has been used, and each process has forked.
        analyse(&mut analysis, &mut traffic, WARM * (connections as u64).max(10_000));
        let (count, took) = analyse(&mut analysis, &mut traffic, events);
        let each = took.as_nanos() as f64 / count as f64;
        json!({ "processes": processes, "connections": connections, "ns_per_event": each.round() })
    };
    let connections = CONNECTIONS.into_iter().filter(|&connections| connections <= most);
    let processes = BY_PROCESSES.into_iter().filter(|&processes| processes <= most);
    json!({
        "by_connections": connections.map(|connections| row(PROCESSES, connections)).collect::<Vec<_>>(),
        "by_processes": processes.map(|processes| row(processes, TOGETHER)).collect::<Vec<_>>(),
    })
}
