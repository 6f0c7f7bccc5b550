//! What was measured, as it is kept in docs/benchmarks.json: the page is made of this and of nothing else.

use super::spread::Spread;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything. What is missing was not measured yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Figures {
    pub(super) machine: Machine,
    /// Where parts were measured again that are of another machine, by their names.
    pub(super) elsewhere: BTreeMap<String, Machine>,
    /// By the workload's name.
    pub(super) comparisons: BTreeMap<String, Comparison>,
    /// By the side's key.
    pub(super) starts: BTreeMap<String, Start>,
    /// By the workload's name.
    pub(super) beside: BTreeMap<String, Beside>,
    pub(super) costs: Option<Costs>,
    /// By backend.
    pub(super) delay: BTreeMap<String, Delay>,
    pub(super) attach: Option<Attach>,
    /// Resident memory in MB of a session in which nothing happens, by backend.
    pub(super) idle: BTreeMap<String, f64>,
    pub(super) highest: Vec<Highest>,
    pub(super) screen: Option<Keys>,
    pub(super) analyser: Option<Analyser>,
}

/// Where it was measured, and with what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) processors: usize,
    pub(super) memory_gb: u64,
    pub(super) kernel: String,
    /// Programs, as they say their versions.
    pub(super) versions: Vec<String>,
}

impl Machine {
    /// Whether figures of both can be compared.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let what = |of: &Self| (of.processor.clone(), of.processors, of.kernel.clone());
        what(self) == what(other)
    }
}

/// One workload under all sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Comparison {
    /// The command, as it was given to each side.
    pub(super) command: String,
    pub(super) rows: Vec<Row>,
    /// Which sides could not be measured, and why.
    pub(super) notes: Vec<String>,
}

/// One workload under one side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    /// The side's key.
    pub(super) side: String,
    /// Time of an operation in microseconds: only what ratios are made of, since machines differ.
    pub(super) cost_us: Spread,
    /// Time of an operation, over that without a tracer in the same round.
    pub(super) ratio: Spread,
    pub(super) over_empty: Option<Spread>,
    pub(super) over_record: Option<Spread>,
    /// The slowest of a hundred, over that without a tracer.
    pub(super) p99_ratio: Option<Spread>,
    /// Seconds of processor time of the tracer's processes, without what a session costs that traces nothing.
    pub(super) cpu_per_million: Option<Spread>,
    /// Of the tracer's first process.
    pub(super) peak_mb: Option<Spread>,
    /// Events over all rounds.
    pub(super) seen: u64,
    pub(super) lost: u64,
}

/// A gRPC client that lives on, beside tracers that come and go: times of its calls, over those beside none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Beside {
    pub(super) threads: usize,
    /// Calls that are timed of each turn.
    pub(super) calls: usize,
    /// The medians, and between what they lie ([`Spread::of_the_middle`]).
    pub(super) empty: Spread,
    pub(super) ebpf: Spread,
}

/// forkscope's programs in the kernel, over TCP ping-pong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Costs {
    pub(super) events: u64,
    pub(super) programs: BTreeMap<String, Program>,
}

/// A program in the kernel (the report's `stats.overhead.programs`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Program {
    pub(super) runs: u64,
    /// In seconds.
    pub(super) run_time: f64,
}

/// A session around a program that does nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) seconds: Spread,
    /// Processor time of the tracer's processes, in seconds.
    pub(super) cpu_s: Spread,
}

/// From the failing call to the finding on the screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Delay {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) most_ms: f64,
    pub(super) failures: usize,
    /// Failures that no finding named.
    pub(super) missed: usize,
}

/// From the command to the sentence that says that a process with many sockets is traced.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Attach {
    pub(super) sockets: usize,
    pub(super) ms: Spread,
    /// Resident memory then.
    pub(super) resident_mb: f64,
}

/// As many events as the machine makes, in default settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Highest {
    /// The workload's words.
    pub(super) load: String,
    /// Processes that are busy at once.
    pub(super) processes: usize,
    pub(super) per_second: f64,
    /// Calls, as the workload counts them.
    pub(super) made: u64,
    pub(super) seen: u64,
    pub(super) lost: u64,
    /// What forkscope says of losses.
    pub(super) said: String,
}

/// The live screen over a recording that is played as fast as it can be read (`tracer/examples/keyed`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) processes: usize,
    pub(super) connections: usize,
    /// Events a second.
    pub(super) per_second: f64,
    /// Keys that were pressed, and how long it took until the terminal showed what each asked for.
    pub(super) keys: usize,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) most_ms: f64,
    pub(super) peak_mb: f64,
    /// Part of a processor that is used when nothing happens.
    pub(super) idle_cpu: f64,
}

/// The analyser alone (`tracer/examples/analyse_load`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Analyser {
    /// Events a second, by what is analysed.
    pub(super) per_second: BTreeMap<String, Rate>,
    pub(super) by_connections: Vec<Growth>,
    pub(super) by_processes: Vec<Growth>,
    /// Bytes of each, by what it is.
    pub(super) bytes: BTreeMap<String, f64>,
    pub(super) forks: Vec<Fork>,
}

/// As the analyser's program prints it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rate {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// Processes, and the connections that they have together.
pub(super) type Load = (u64, u64);

/// What an event costs under a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Growth {
    pub(super) processes: u64,
    pub(super) connections: u64,
    pub(super) ns_per_event: f64,
    /// As callgrind counts them, where they were counted: the same on each machine with the same compiler.
    pub(super) instructions: Option<f64>,
}

/// Time of a fork of a process with so many descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Fork {
    pub(super) descriptors: u64,
    pub(super) fork_ns: f64,
    pub(super) first_change_ns: f64,
    pub(super) next_change_ns: f64,
}

impl Analyser {
    /// What an event costs under a load.
    pub(super) fn of(&self, load: Load) -> Option<&Growth> {
        self.by_connections.iter().chain(&self.by_processes).find(|row| row.load() == load)
    }
}

impl Growth {
    pub(super) fn load(&self) -> Load {
        (self.processes, self.connections)
    }
}

impl Comparison {
    /// A side's figures, by its key.
    pub(super) fn row(&self, side: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.side == side)
    }
}
