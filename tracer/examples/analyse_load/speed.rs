//! Events a second.

use crate::prepared::{analyse, begun};
use crate::traffic::Traffic;
use serde_json::{Value, json};

/// In how many parts the events are measured: the noise of a machine shows in how they differ.
const PARTS: u64 = 10;

/// Processes, and connections of each, by what they are called.
const LOADS: [(&str, usize, usize); 2] = [("1,000 connections", 50, 20), ("100,000 connections", 50, 2000)];

pub(super) fn measure(events: u64) -> Value {
    let loads = LOADS.map(|(name, processes, each)| {
        let mut traffic = Traffic::new(processes, each);
        let mut analysis = begun(&mut traffic);
        analyse(&mut analysis, &mut traffic, events / PARTS);
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
pub(super) fn count(events: u64, connections: usize) -> Value {
    let (_, processes, _) = LOADS[0];
    let mut traffic = Traffic::new(processes, connections / processes);
    let mut analysis = begun(&mut traffic);
    let (count, _) = analyse(&mut analysis, &mut traffic, events);
    json!({ "events": count, "findings": analysis.findings().len() })
}
