//! The live screen over a large and fast recording: how long keys wait, what it holds, what it
//! costs when all is still.

use super::figures::Keys;
use super::spread::shortened;
use super::tools::Tools;
use super::workloads::Size;
use crate::command::{output, run};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs;

const EVENTS: usize = 3_000_000;
const PROCESSES: usize = 2_000;
/// Of each process.
const CONNECTIONS: usize = 50;

/// What `keyed` prints.
#[derive(Deserialize)]
struct Printed {
    keys: usize,
    p50_ms: f64,
    p99_ms: f64,
    most_ms: f64,
    played_s: f64,
    peak_kb: u64,
    idle_cpu: f64,
}

/// Records the load, then plays it on the screen with keys pressed all the while.
pub(super) fn measure(tools: &Tools, size: Size) -> Result<Keys> {
    let (recording, events) = (tools.file("large.rec"), size.of(EVENTS));
    let [count, processes, each] = [events, PROCESSES, CONNECTIONS].map(|count| count.to_string());
    let load = [tools.example("record_load"), recording.clone(), count, "headers".into(), processes, each];
    run(&mut tools.command(&load))?;
    let played = [tools.example("keyed"), tools.forkscope(), recording.clone()];
    let printed = output(&mut tools.command(&played));
    fs::remove_file(&recording).context("cannot remove the recording")?;
    keys(&printed?, events)
}

fn keys(printed: &str, events: usize) -> Result<Keys> {
    let Printed { keys, p50_ms, p99_ms, most_ms, played_s, peak_kb, idle_cpu } =
        serde_json::from_str(printed).context("what `keyed` prints")?;
    Ok(Keys {
        processes: PROCESSES,
        connections: PROCESSES * CONNECTIONS,
        per_second: shortened(events as f64 / played_s),
        keys,
        p50_ms,
        p99_ms,
        most_ms,
        peak_mb: shortened(peak_kb as f64 / 1e3),
        idle_cpu,
    })
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn what_is_printed_is_read() {
        let printed = r#"{"keys":9,"p50_ms":7.5,"p99_ms":20.0,"most_ms":21.0,"played_s":5.0,"peak_kb":390000,"idle_cpu":0.005}"#;
        let keys = keys(printed, 2_000_000).expect("it can be read");
        assert_eq!((keys.keys, keys.per_second, keys.peak_mb), (9, 400_000.0, 390.0));
    }
}
