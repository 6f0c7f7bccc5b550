//! From the failing call to the finding on the screen.

use super::figures::Delay;
use super::session::{Line, Session};
use super::spread::{percentile, shortened};
use super::tools::Tools;
use super::workloads::Size;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;

const FAILURES: usize = 300;

/// What `workload failing` writes: of each failure the process, and `CLOCK_MONOTONIC`
/// in nanoseconds after it.
#[derive(Deserialize)]
struct Failures {
    failed: Vec<(u32, u64)>,
}

/// Over failures that are 80 ms apart, each of a process and a connection of its own.
pub(super) fn measure(tools: &Tools, backend: &str, size: Size) -> Result<Delay> {
    let (workload, times) = (tools.example("workload"), size.of(FAILURES).to_string());
    let session = Session::start(
        tools,
        &["run", "--backend", backend, "--ui", "log", "--", &workload, "failing", &times],
    )?;
    let (status, lines) = session.end()?;
    ensure!(status.success(), "forkscope ended: {status}");
    let text = fs::read_to_string(tools.result()).context("the workload wrote no result")?;
    let failures: Failures = serde_json::from_str(&text)?;
    delay(&failures.failed, &lines).context("no finding named a process that failed")
}

fn delay(failed: &[(u32, u64)], lines: &[Line]) -> Option<Delay> {
    let shown: BTreeMap<u32, u64> =
        lines.iter().rev().filter_map(|line| Some((named(&line.text)?, line.at))).collect();
    let took = |&(pid, at): &(u32, u64)| Some(shown.get(&pid)?.saturating_sub(at) as f64 / 1e6);
    let mut times: Vec<f64> = failed.iter().filter_map(took).collect();
    times.sort_by(f64::total_cmp);
    let [p50_ms, p99_ms, most_ms] = [0.5, 0.99, 1.0].map(|share| percentile(&times, share).map(shortened));
    Some(Delay {
        p50_ms: p50_ms?,
        p99_ms: p99_ms?,
        most_ms: most_ms?,
        failures: failed.len(),
        missed: failed.len() - times.len(),
    })
}

/// The process that a finding is about: ` --> process 12 (name), forked from 11`.
fn named(line: &str) -> Option<u32> {
    line.trim_start().strip_prefix("--> process ")?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_and_its_finding_are_of_one_process() {
        let line = |at, text: &str| Line { at, text: text.to_owned() };
        let lines = [
            line(1, "error[enotsock]: sendto"),
            line(3_000_000, " --> process 7 (a b), forked from 6"),
            line(3_000_000, " ::: process 9 (a b)"),
            line(9_000_000, " --> process 8 (a b)"),
        ];
        let delay = delay(&[(7, 1_000_000), (8, 8_000_000), (9, 1)], &lines).expect("two were seen");
        assert_eq!((delay.p50_ms, delay.most_ms), (1.0, 2.0));
        assert_eq!((delay.failures, delay.missed), (3, 1));
    }
}
