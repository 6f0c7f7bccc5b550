//! What the analyser costs: `analyse_load [MEASURE...] [--events N] [--json]`. The measures:
//!
//! - `speed`: events a second that are analysed, once they are in memory. No screen and no recording
//!   listens, in these and in those of `growth`.
//! - `replay`: events a second of a recording that is played, and of one that is only read.
//! - `growth`: time an event, by connections and by processes. `one`: of `--connections` and `--processes`.
//! - `memory`: bytes of a process, a descriptor and a connection.
//! - `fork`: time of a fork, and of the first change after it, by descriptors.
//! - `count`: analyses so many events and measures nothing, for
//!   `valgrind --tool=callgrind --toggle-collect='*::analyse_prepared'`: what that counts is what the
//!   analyser costs, the same in each run.
//! - `count-replay`: likewise of a replay, `--toggle-collect='*::play_on'`.
//!
//! Without a name all that measure are made. What makes the events is not counted in any of them.

mod counting;
mod fork;
mod growth;
#[path = "../record_load/header.rs"]
mod header;
mod made;
mod memory;
mod prepared;
mod replay;
mod speed;
#[path = "../record_load/traffic.rs"]
mod traffic;

use clap::{Parser, ValueEnum};
use serde_json::{Map, Value};

#[global_allocator]
static COUNTING: counting::Counting = counting::Counting;

/// What the analyser costs.
#[derive(Parser)]
struct Arguments {
    /// What is measured; all of it where nothing is named.
    measures: Vec<Measure>,
    /// How many events each figure of speed rests on.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// The most connections and processes that growth is measured at.
    #[arg(long, default_value_t = 1_000_000)]
    most: usize,
    /// How many connections there are where a profiler counts, and in `one`.
    #[arg(long, default_value_t = 1_000)]
    connections: usize,
    /// Likewise the processes, each of which has as many of them.
    #[arg(long, default_value_t = 50)]
    processes: usize,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Measure {
    Speed,
    Replay,
    Growth,
    One,
    Memory,
    Fork,
    Count,
    CountReplay,
}

impl Measure {
    const ALL: [Self; 5] = [Self::Speed, Self::Replay, Self::Growth, Self::Memory, Self::Fork];

    fn name(self) -> &'static str {
        match self {
            Self::Speed => "speed",
            Self::Replay => "replay",
            Self::Growth => "growth",
            Self::One => "one",
            Self::Memory => "memory",
            Self::Fork => "fork",
            Self::Count => "count",
            Self::CountReplay => "count_replay",
        }
    }

    fn make(self, arguments: &Arguments) -> Result<Value, Box<dyn std::error::Error>> {
        let Arguments { connections, processes, events, .. } = *arguments;
        Ok(match self {
            Self::Speed => speed::measure(events),
            Self::Replay => replay::measure(events)?,
            Self::Growth => growth::measure(events, arguments.most)?,
            Self::One => growth::one(processes, connections, events),
            Self::Memory => memory::measure(),
            Self::Fork => fork::measure(),
            Self::Count => speed::count(processes, connections, events),
            Self::CountReplay => replay::count(events)?,
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    if arguments.processes == 0 || arguments.connections < arguments.processes {
        return Err("each process needs a connection: name fewer processes, or more connections".into());
    }
    let measures = if arguments.measures.is_empty() { &Measure::ALL } else { &arguments.measures[..] };
    let mut all = Map::new();
    for measure in measures {
        let found = measure.make(&arguments)?;
        if !arguments.json {
            print_plainly(measure.name(), &found);
        }
        all.insert(measure.name().to_owned(), found);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    }
    Ok(())
}

/// A line for each figure, with the way to it.
fn print_plainly(path: &str, value: &Value) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            print_plainly(&format!("{path} {name}"), value);
        }),
        Value::Array(rows) if rows.iter().all(Value::is_object) => {
            rows.iter().for_each(|row| println!("{path}: {}", line(row)));
        }
        other => println!("{path}: {other}"),
    }
}

fn line(row: &Value) -> String {
    let fields = row.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}
