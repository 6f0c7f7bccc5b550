//! Events a second.

use crate::prepared::{analyse, warm};
use serde_json::{Value, json};

/// In how many parts the events are measured: the noise of a machine shows in how they differ.
const PARTS: u64 = 10;

/// How many processes have the connections.
const PROCESSES: usize = 50;
/// The connections that they have together, by what they are called. The few first: what they
/// leave of the heap is little.
const LOADS: [(&str, usize); 2] = [("1,000 connections", 1_000), ("100,000 connections", 100_000)];

pub(super) fn measure(events: u64) -> Value {
    let loads = LOADS.map(|(name, connections)| {
        let (mut traffic, mut analysis) = warm(PROCESSES, connections);
        let mut speeds: Vec<f64> = (0..PARTS)
            .map(|_| {
                let (count, took) = analyse(&mut analysis, &mut traffic, events / PARTS);
                (count as f64 / took.as_secs_f64()).round()
            })
            .collect();
        speeds.sort_by(f64::total_cmp);
        let [least, .., most] = speeds[..] else { panic!("there are several parts") };
        (name.to_owned(), json!({ "median": speeds[speeds.len() / 2], "least": least, "most": most }))
    });
    json!({ "events_per_second": Value::Object(loads.into_iter().collect()) })
}

/// Analyses, for a profiler to count.
pub(super) fn count(processes: usize, connections: usize, events: u64) -> Value {
    let (mut traffic, mut analysis) = warm(processes, connections);
    let (count, _) = analyse(&mut analysis, &mut traffic, events);
    json!({ "events": count, "findings": analysis.findings().len() })
}
