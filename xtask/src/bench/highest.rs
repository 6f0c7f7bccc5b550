//! As many events as this machine makes, in default settings: is any lost, and is each counted?

use super::figures::Highest;
use super::peers::Account;
use super::session::Session;
use super::spread::shortened;
use super::summary;
use super::tools::Tools;
use super::workloads::Size;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;

/// Calls that are made in all, about.
const CALLS: usize = 1_600_000;
/// Of a round of ping-pong.
const CALLS_OF_ROUND: usize = 4;

/// Of each load the worst of some runs: most lost.
pub(super) fn measure(tools: &Tools, runs: usize, size: Size) -> Result<Vec<Highest>> {
    let mut worst: Vec<Highest> = Vec::new();
    for (what, at_once, processes, calls) in [
        ("crowd", 1, 2, CALLS_OF_ROUND),
        ("crowd", 8, 16, CALLS_OF_ROUND),
        ("flood", 2, 2, 1),
        ("flood", 8, 8, 1),
    ] {
        let each = size.of(CALLS / at_once / calls).to_string();
        let load = [what.to_owned(), at_once.to_string(), each];
        let runs = (0..runs).map(|_| once(tools, &load, processes)).collect::<Result<Vec<_>>>()?;
        worst.extend(runs.into_iter().max_by_key(|run| run.lost));
    }
    Ok(worst)
}

fn once(tools: &Tools, load: &[String; 3], processes: usize) -> Result<Highest> {
    let workload = tools.example("workload");
    let mut words = vec!["run", "--backend", "ebpf", "--ui", "log", "--", &workload];
    words.extend(load.iter().map(String::as_str));
    let (status, lines) = Session::start(tools, &words)?.end()?;
    ensure!(status.success(), "forkscope ended: {status}");
    let is_of_losses = |text: &&str| ["lost", "MiB"].iter().any(|word| text.contains(word));
    let said: Vec<&str> = lines.iter().map(|line| line.text.trim()).filter(is_of_losses).collect();
    let result: Value = serde_json::from_str(&fs::read_to_string(tools.result())?)?;
    let made = result["transfers"].as_u64().context("the workload says how many calls it made")?;
    let seconds = result["seconds"].as_f64().context("the workload says how long it took")?;
    let all: String = lines.iter().map(|line| format!("{}\n", line.text)).collect();
    let Account { seen, lost } = summary::account(&all).context("forkscope did not say what it saw")?;
    let per_second = shortened((seen + lost) as f64 / seconds);
    Ok(Highest { load: load.join(" "), processes, per_second, made, seen, lost, said: said.join(" ") })
}

impl Highest {
    /// Whether each call was seen or is among the lost: beside them there are a few
    /// dozen others of each process.
    pub(super) fn is_accounted(&self) -> bool {
        let counted = self.seen + self.lost;
        (self.made..=self.made + 64 * self.processes as u64 + 256).contains(&counted)
    }
}

#[cfg(test)]
mod tests {
    use super::Highest;

    #[test]
    fn a_call_that_is_nowhere_is_noticed() {
        let of = |seen, lost| Highest { processes: 8, made: 1_000_000, seen, lost, ..Highest::default() };
        assert!(of(1_000_100, 0).is_accounted());
        assert!(of(900_000, 100_100).is_accounted());
        assert!(!of(999_999, 0).is_accounted());
        assert!(!of(1_002_000, 0).is_accounted());
    }
}
