//! Time an event, by how many connections and processes there are: it should be flat. Each run is a program
//! of its own, since what one has left of the heap makes the next slower.

use crate::prepared::{analyse, warm};
use serde_json::{Value, json};
use std::error::Error;
use std::process::{Command, Stdio};

/// By connections, which these processes have together.
const PROCESSES: usize = 50;
const CONNECTIONS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// By processes, which have these connections together.
const TOGETHER: usize = 10_000;
const BY_PROCESSES: [usize; 4] = [10, 100, 1_000, 10_000];

/// How often each is measured, in turns.
const ROUNDS: usize = 5;

/// Processes, and the connections that they have together.
type Load = (usize, usize);

pub(super) fn measure(events: u64, most: usize) -> Result<Value, Box<dyn Error>> {
    let connections = CONNECTIONS.into_iter().map(|connections| (PROCESSES, connections));
    let processes = BY_PROCESSES.into_iter().map(|processes| (processes, TOGETHER));
    let [connections, processes] = [connections.collect(), processes.collect()]
        .map(|loads: Vec<Load>| loads.into_iter().filter(|load| load.0.max(load.1) <= most).collect());
    Ok(json!({ "by_connections": rows(connections, events)?, "by_processes": rows(processes, events)? }))
}

fn rows(loads: Vec<Load>, events: u64) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut times = vec![Vec::new(); loads.len()];
    for _ in 0..ROUNDS {
        for (&load, times) in loads.iter().zip(&mut times) {
            times.push(elsewhere(load, events)?);
        }
    }
    let rows = loads.into_iter().zip(times).map(|((processes, connections), mut times)| {
        times.sort_by(f64::total_cmp);
        json!({ "processes": processes, "connections": connections, "ns_per_event": times[ROUNDS / 2] })
    });
    Ok(rows.collect())
}

/// One figure, by a program of its own.
fn elsewhere((processes, connections): Load, events: u64) -> Result<f64, Box<dyn Error>> {
    let words = ["one", "--json"].map(str::to_owned).into_iter().chain([
        format!("--processes={processes}"),
        format!("--connections={connections}"),
        format!("--events={events}"),
    ]);
    let output = Command::new(std::env::current_exe()?).args(words).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{connections} connections of {processes} processes: {}", output.status).into());
    }
    let printed: Value = serde_json::from_slice(&output.stdout)?;
    printed["one"]["ns_per_event"].as_f64().ok_or_else(|| "no time was measured".into())
}

/// Time an event, of this load.
pub(super) fn one(processes: usize, connections: usize, events: u64) -> Value {
    let (mut traffic, mut analysis) = warm(processes, connections);
    let (count, took) = analyse(&mut analysis, &mut traffic, events);
    json!({ "ns_per_event": (took.as_nanos() as f64 / count as f64).round() })
}
