//! Instructions of the analyser, counted by valgrind: the same in each run of one binary,
//! however busy the machine is.

use super::figures::Load;
use super::tools::Tools;
use crate::command::output;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;

const EVENTS: &str = "200000";

/// Those of which later versions are held against the kept figures: events are foreseen in the second only.
pub(super) const CHECKED: [Load; 2] = [(50, 1_000), (10, 10_000)];

/// Instructions that analysing an event of a load takes. What makes the events is not counted.
pub(super) fn instructions_per_event(tools: &Tools, (processes, connections): Load) -> Result<f64> {
    let counts = tools.file("callgrind.out");
    let words = [
        "valgrind",
        "--tool=callgrind",
        &format!("--callgrind-out-file={counts}"),
        "--toggle-collect=*::analyse_prepared",
        &tools.example("analyse_load"),
        "count",
        "--json",
        "--events",
        EVENTS,
        "--processes",
        &processes.to_string(),
        "--connections",
        &connections.to_string(),
    ]
    .map(str::to_owned);
    let printed: Value =
        serde_json::from_str(&output(&mut tools.command(&words))?).context("analyse_load's count")?;
    let events =
        printed["count"]["events"].as_f64().context("analyse_load says how many events it analysed")?;
    let text = fs::read_to_string(&counts).with_context(|| format!("cannot read {counts}"))?;
    let instructions = total(&text).context("callgrind wrote no total")?;
    ensure!(
        instructions > events,
        "callgrind counted nothing: is `analyse_prepared` still a function of its own?"
    );
    Ok((instructions / events).round())
}

/// The line `totals: N` of callgrind's file, or `summary: N` (Valgrind manual,
/// "Callgrind Format Specification").
fn total(text: &str) -> Option<f64> {
    let line =
        text.lines().find_map(|line| line.strip_prefix("totals:").or(line.strip_prefix("summary:")))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_is_read() {
        assert_eq!(total("events: Ir\nfn=(1) a\n1 5\ntotals: 1234\n"), Some(1234.0));
        assert_eq!(total("events: Ir\n"), None);
    }
}
