//! The analyser alone: what `tracer/examples/analyse_load` prints.

use super::callgrind;
use super::figures::{Analyser, Fork, Growth, Rate};
use super::tools::Tools;
use super::workloads::Size;
use crate::command::output;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

const EVENTS: usize = 1_000_000;
const MOST: usize = 1_000_000;

/// Up to how many connections instructions are counted, which takes fifty times as long as to measure time.
const COUNTED: u64 = 100_000;

/// The parts that are kept.
#[derive(Deserialize)]
struct Printed {
    speed: Speed,
    replay: Replay,
    growth: ByGrowth,
    memory: Memory,
    fork: Vec<Fork>,
}

#[derive(Deserialize)]
struct Speed {
    events_per_second: BTreeMap<String, Rate>,
}

#[derive(Deserialize)]
struct Replay {
    played_per_second: Rate,
    read_per_second: Rate,
}

#[derive(Deserialize)]
struct ByGrowth {
    by_connections: Vec<Growth>,
    by_processes: Vec<Growth>,
}

#[derive(Deserialize)]
struct Memory {
    process: f64,
    forked_process: f64,
    descriptor: f64,
    connection: BTreeMap<String, Connection>,
}

#[derive(Deserialize)]
struct Connection {
    used: f64,
    gone: f64,
}

/// Runs it, and counts its instructions.
pub(super) fn measure(tools: &Tools, size: Size) -> Result<Analyser> {
    let (events, most) = (size.of(EVENTS).to_string(), if size.quick { MOST / 10 } else { MOST }.to_string());
    let words =
        [&*tools.example("analyse_load"), "--json", "--events", &events, "--most", &most].map(str::to_owned);
    let mut analyser = read(&output(&mut tools.command(&words))?)?;
    for row in analyser.by_connections.iter_mut().chain(&mut analyser.by_processes) {
        if row.connections <= COUNTED {
            row.instructions = Some(callgrind::instructions_per_event(tools, row.load())?);
        }
    }
    Ok(analyser)
}

fn read(printed: &str) -> Result<Analyser> {
    let Printed { speed, replay, growth, memory, fork } =
        serde_json::from_str(printed).context("what analyse_load prints")?;
    let analysed =
        speed.events_per_second.into_iter().map(|(load, rate)| (format!("analysed, {load}"), rate));
    let replayed =
        [("a recording played", replay.played_per_second), ("a recording read", replay.read_per_second)];
    let replayed = replayed.map(|(what, rate)| (what.to_owned(), rate));
    let connections = memory.connection.iter().flat_map(|(protocol, bytes)| {
        [
            (format!("connection, {protocol}"), bytes.used),
            (format!("connection, {protocol}, closed"), bytes.gone),
        ]
    });
    let others = [
        ("process", memory.process),
        ("process, forked", memory.forked_process),
        ("descriptor", memory.descriptor),
    ];
    Ok(Analyser {
        per_second: analysed.chain(replayed).collect(),
        by_connections: growth.by_connections,
        by_processes: growth.by_processes,
        bytes: others.map(|(what, bytes)| (what.to_owned(), bytes)).into_iter().chain(connections).collect(),
        forks: fork,
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_is_printed_is_read() {
        let rate = r#"{"median":2,"least":1,"most":3}"#;
        let row = r#"{"processes":50,"connections":1000,"ns_per_event":300}"#;
        let printed = format!(
            r#"{{"speed":{{"events_per_second":{{"1,000 connections":{rate}}}}},
               "replay":{{"events":9,"played_per_second":{rate},"read_per_second":{rate}}},
               "growth":{{"by_connections":[{row}],"by_processes":[{row}]}},
               "memory":{{"process":1,"forked_process":2,"descriptor":3,"connection":{{"grpc":{{"used":4,"gone":5}}}}}},
               "fork":[{{"descriptors":10,"fork_ns":6,"first_change_ns":7,"next_change_ns":8}}]}}"#
        );
        let analyser = read(&printed).expect("it can be read");
        assert_eq!(analyser.per_second["analysed, 1,000 connections"].median, 2.0);
        assert_eq!(analyser.bytes["connection, grpc"], 4.0);
        assert_eq!(analyser.by_connections[0].ns_per_event, 300.0);
        assert_eq!(analyser.forks[0].fork_ns, 6.0);
    }
}
