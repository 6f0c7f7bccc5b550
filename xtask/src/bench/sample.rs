//! One workload under one side, once.

use super::peers::{self, Account};
use super::sides::Side;
use super::summary;
use super::tools::Tools;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs::{self, File};

/// What a workload came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// Time of an operation, in microseconds.
    pub(super) cost_us: f64,
    pub(super) p99_us: Option<f64>,
    /// Processor time of its processes.
    pub(super) cpu_s: f64,
}

/// The file that a workload writes.
#[derive(Debug, Deserialize)]
struct Written {
    rate: f64,
    p99_us: Option<f64>,
    cpu_s: f64,
}

/// The file that `measured` writes.
#[derive(Debug, Deserialize)]
pub(super) struct Measured {
    pub(super) cpu_s: f64,
    peak_kb: u64,
    pub(super) seconds: f64,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    pub(super) outcome: Outcome,
    /// Processor time of the tracer's processes.
    pub(super) cpu_s: f64,
    pub(super) peak_mb: f64,
    pub(super) account: Account,
}

/// Runs it.
pub(super) fn take(
    tools: &Tools,
    side: Side,
    traced: &[String],
    read: fn(&Tools) -> Result<Outcome>,
) -> Result<Sample> {
    for stale in [tools.result(), tools.output()] {
        // Not there at first.
        let _ = fs::remove_file(stale);
    }
    let measured = run(tools, &side.command(tools, traced))?;
    let outcome = read(tools)?;
    let account = account(tools, side)?;
    Ok(Sample {
        outcome,
        cpu_s: (measured.cpu_s - outcome.cpu_s).max(0.0),
        peak_mb: measured.peak_kb as f64 / 1e3,
        account,
    })
}

/// Runs a command and all its processes to their end.
pub(super) fn run(tools: &Tools, command: &[String]) -> Result<Measured> {
    let file = tools.file("measured.json");
    let words = [&[tools.example("measured"), file.clone()], command].concat();
    let said = File::create(tools.said()).context("cannot make a file for what tracers say")?;
    let printed =
        File::create(tools.file("printed.txt")).context("cannot make a file for what is printed")?;
    let status =
        tools.command(&words).stdout(printed).stderr(said).status().context("cannot start `measured`")?;
    if !status.success() {
        let said = fs::read_to_string(tools.said()).unwrap_or_default();
        let last = said.trim().lines().rev().take(3).collect::<Vec<_>>().join("; ");
        bail!("`{}`: {status}: {last}", words[2..].join(" "));
    }
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    serde_json::from_str(&text).with_context(|| file)
}

/// Of a workload that writes what it came to itself.
pub(super) fn result(tools: &Tools) -> Result<Outcome> {
    let file = tools.result();
    let text = fs::read_to_string(&file).context("the workload wrote no result")?;
    let Written { rate, p99_us, cpu_s } = serde_json::from_str(&text).with_context(|| file)?;
    Ok(Outcome { cost_us: 1e6 / rate, p99_us, cpu_s })
}

fn account(tools: &Tools, side: Side) -> Result<Account> {
    let said = || fs::read(tools.said()).map(|said| String::from_utf8_lossy(&said).into_owned());
    Ok(match side {
        side if side.is_own() => summary::account(&said()?).context("forkscope did not say what it saw")?,
        Side::Record => peers::floor_account(&said()?).context("the floor said nothing")?,
        side if side.is_peer() => peers::account(tools)?,
        _ => Account::default(),
    })
}
