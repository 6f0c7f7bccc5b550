//! As many events as this machine makes, in default settings: is any lost, and is each counted?

use super::figures::Highest;
use super::sample::of_report;
use super::session::Session;
use super::spread::shortened;
use super::tools::Tools;
use super::workloads::Size;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fs;

const PAIRS: usize = 8;
const ROUNDS: usize = 20_000;

/// The worst of some runs: most lost.
pub(super) fn measure(tools: &Tools, runs: usize, size: Size) -> Result<Vec<Highest>> {
    let mut worst: Vec<Highest> = Vec::new();
    for pairs in [1, PAIRS] {
        let runs = (0..runs).map(|_| once(tools, pairs, size)).collect::<Result<Vec<_>>>()?;
        worst.extend(runs.into_iter().max_by_key(|run| run.lost));
    }
    Ok(worst)
}

fn once(tools: &Tools, pairs: usize, size: Size) -> Result<Highest> {
    let (workload, report) = (tools.example("workload"), tools.report());
    let (pairs_word, rounds) = (pairs.to_string(), size.of(ROUNDS * PAIRS / pairs).to_string());
    let words = [
        "run",
        "--backend",
        "ebpf",
        "--ui",
        "log",
        "--report",
        &report,
        "--",
        &workload,
        "crowd",
        &pairs_word,
        &rounds,
    ];
    let (status, lines) = Session::start(tools, &words)?.end()?;
    ensure!(status.success(), "forkscope ended: {status}");
    let said: Vec<&str> =
        lines.iter().map(|line| line.text.trim()).filter(|text| text.contains("lost")).collect();
    let report: Value = serde_json::from_str(&fs::read_to_string(&report)?)?;
    let result: Value = serde_json::from_str(&fs::read_to_string(tools.result())?)?;
    let made = result["transfers"].as_u64().context("the workload says how many calls it made")?;
    let seconds = result["seconds"].as_f64().context("the workload says how long it took")?;
    let account = of_report(&report);
    let per_second = shortened(account.seen.saturating_add(account.lost) as f64 / seconds);
    Ok(Highest { pairs, per_second, made, seen: account.seen, lost: account.lost, said: said.join(" ") })
}

impl Highest {
    /// Whether each call that moved bytes was seen or is among the lost: beside them there are a few dozen others of each pair.
    pub(super) fn is_accounted(&self) -> bool {
        let counted = self.seen + self.lost;
        (self.made..=self.made + 64 * self.pairs as u64 + 256).contains(&counted)
    }
}

#[cfg(test)]
mod tests {
    use super::Highest;

    #[test]
    fn a_call_that_is_nowhere_is_noticed() {
        let of = |seen, lost| Highest { pairs: 8, made: 1_000_000, seen, lost, ..Highest::default() };
        assert!(of(1_000_100, 0).is_accounted());
        assert!(of(900_000, 100_100).is_accounted());
        assert!(!of(999_999, 0).is_accounted());
        assert!(!of(1_002_000, 0).is_accounted());
    }
}
