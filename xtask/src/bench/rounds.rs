//! Sides in turns, and what they come to.

use super::figures::{Comparison, Row, Start};
use super::sample::{self, Sample, take};
use super::sides::Side;
use super::spread::Spread;
use super::tools::Tools;
use super::workloads::{Size, Workload};
use anyhow::Result;
use std::collections::BTreeMap;

/// Samples by side and round.
pub(super) type Samples = BTreeMap<Side, BTreeMap<usize, Sample>>;

/// Each side's turns at a workload.
pub(super) fn compare(
    tools: &Tools,
    workload: &Workload,
    rounds: usize,
    size: Size,
    starts: &BTreeMap<String, Start>,
) -> Result<Comparison> {
    let prepared = (workload.prepare)(tools, size)?;
    let (samples, notes) = in_turns(rounds * workload.times, workload.close, workload.times, |side| {
        let command = if side.is_slow() { &prepared.slow } else { &prepared.fast };
        take(tools, side, command, prepared.read)
    })?;
    drop(prepared.server);
    let command = shown(&prepared.fast);
    Ok(Comparison { command, rows: rows(&samples, starts), notes })
}

/// Takes samples of each side whose turn it is, round by round. A peer that fails is left out
/// from then on, and noted.
pub(super) fn in_turns(
    rounds: usize,
    close: &[Side],
    times: usize,
    mut take: impl FnMut(Side) -> Result<Sample>,
) -> Result<(Samples, Vec<String>)> {
    let (mut samples, mut notes, mut left_out) = (Samples::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        for side in turns(round, close, times) {
            if left_out.contains(&side) {
                continue;
            }
            match take(side) {
                Ok(sample) => {
                    samples.entry(side).or_default().insert(round, sample);
                }
                Err(error) if side.is_peer() => {
                    eprintln!("    left out: {}: {error:#}", side.title());
                    notes.push(format!("{} did not run here", side.title()));
                    left_out.push(side);
                }
                Err(error) => return Err(error.context(side.title())),
            }
        }
        eprint!(".");
    }
    eprintln!();
    Ok((samples, notes))
}

/// Which sides run in a round, and in which order: each round begins with another one.
fn turns(round: usize, close: &[Side], times: usize) -> Vec<Side> {
    let is_due = |side: &Side| close.contains(side) || round.is_multiple_of(2 * times);
    let mut sides: Vec<Side> = Side::ALL.into_iter().filter(is_due).collect();
    let first = round % sides.len().max(1);
    sides.rotate_left(first);
    sides
}

/// What each side came to, in the order of the tables.
pub(super) fn rows(samples: &Samples, starts: &BTreeMap<String, Start>) -> Vec<Row> {
    Side::ALL.into_iter().filter_map(|side| row(side, samples, starts)).collect()
}

fn row(side: Side, samples: &Samples, starts: &BTreeMap<String, Start>) -> Option<Row> {
    let own = samples.get(&side)?;
    let over = |other: Side, of: fn(&Sample) -> Option<f64>| {
        let others = samples.get(&other)?;
        let ratio = |(round, sample): (&usize, &Sample)| Some(of(sample)? / of(others.get(round)?)?);
        Spread::of(own.iter().filter_map(ratio))
    };
    let cost = |sample: &Sample| Some(sample.outcome.cost_us);
    let total = |of: fn(&Sample) -> u64| own.values().map(of).sum::<u64>();
    let is_tracer = side != Side::Untraced;
    let idle = starts.get(side.key()).map_or(0.0, |start| start.cpu_s.median);
    // What the workload's processes use after they have written down what they used: an
    // interpreter's end takes a while.
    let untraced = samples.get(&Side::Untraced).into_iter().flatten();
    let untold = Spread::of(untraced.map(|(_, sample)| sample.cpu_s)).map_or(0.0, |spread| spread.median);
    let per_million = |sample: &Sample| {
        let seen = sample.account.seen;
        (seen > 0).then(|| (sample.cpu_s - idle - untold).max(0.0) / seen as f64 * 1e6)
    };
    Some(Row {
        side: side.key().to_owned(),
        cost_us: Spread::of(own.values().filter_map(cost))?,
        ratio: over(Side::Untraced, cost)?,
        over_empty: over(Side::Empty, cost),
        over_record: over(Side::Record, cost),
        p99_ratio: over(Side::Untraced, |sample| sample.outcome.p99_us),
        cpu_per_million: Spread::of(own.values().filter_map(per_million)).filter(|_| is_tracer),
        peak_mb: Spread::of(own.values().map(|sample| sample.peak_mb)).filter(|_| is_tracer),
        seen: total(|sample| sample.account.seen),
        lost: total(|sample| sample.account.lost),
    })
}

/// A session of each side around a program that does nothing.
pub(super) fn starts(tools: &Tools, rounds: usize) -> Result<BTreeMap<String, Start>> {
    let nothing = [tools.example("workload"), "getppid".into(), "1".into()];
    let mut starts: BTreeMap<Side, Vec<(f64, f64)>> = BTreeMap::new();
    in_turns(rounds, &Side::ALL, 1, |side| {
        let measured = sample::run(tools, &side.command(tools, &nothing))?;
        starts.entry(side).or_default().push((measured.seconds, measured.cpu_s));
        Ok(Sample::default())
    })?;
    let start = |values: &[(f64, f64)]| {
        let seconds = Spread::of(values.iter().map(|value| value.0))?;
        Some(Start { seconds, cpu_s: Spread::of(values.iter().map(|value| value.1))? })
    };
    Ok(starts.iter().filter_map(|(side, values)| Some((side.key().to_owned(), start(values)?))).collect())
}

/// The command as one would type it, without where it lies and with repeats of its words told once.
fn shown(command: &[String]) -> String {
    let mut words: Vec<&str> = command.iter().map(|word| word.rsplit('/').next().unwrap_or(word)).collect();
    words.dedup();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::peers::Account;
    use crate::bench::sample::Outcome;

    #[test]
    fn each_round_begins_with_another_side_and_far_ones_run_in_every_second() {
        let close = [Side::Untraced, Side::Ebpf];
        assert_eq!(turns(0, &close, 1).len(), 11);
        assert_eq!(turns(1, &close, 1), [Side::Ebpf, Side::Untraced]);
        assert_eq!(turns(3, &close, 1), [Side::Ebpf, Side::Untraced]);
        assert_eq!(turns(2, &close, 1)[0], Side::Record);
        assert_eq!(turns(2, &close, 3).len(), 2);
        assert_eq!(turns(6, &close, 3).len(), 11);
    }

    fn sample(cost_us: f64) -> Sample {
        Sample { outcome: Outcome { cost_us, ..Outcome::default() }, ..Sample::default() }
    }

    #[test]
    fn ratios_are_of_one_round() {
        let mut samples = Samples::new();
        samples.insert(Side::Untraced, [(0, sample(1.0)), (1, sample(10.0)), (2, sample(1.0))].into());
        samples.insert(Side::Ebpf, [(0, sample(2.0)), (1, sample(20.0))].into());
        let rows = rows(&samples, &BTreeMap::new());
        let ebpf = rows.iter().find(|row| row.side == "ebpf").expect("it has a row");
        assert_eq!((ebpf.ratio.median, ebpf.ratio.most, ebpf.ratio.count), (2.0, 2.0, 2));
        assert_eq!(ebpf.over_record, None);
    }

    #[test]
    fn what_the_workload_does_not_tell_of_itself_is_not_the_tracers() {
        let with = |cpu_s| Sample { cpu_s, account: Account { seen: 1_000_000, lost: 0 }, ..sample(1.0) };
        let samples: Samples =
            [(Side::Untraced, [(0, with(0.25))].into()), (Side::Ebpf, [(0, with(0.75))].into())].into();
        let rows = rows(&samples, &BTreeMap::new());
        let ebpf = rows.iter().find(|row| row.side == "ebpf").expect("it has a row");
        assert_eq!(ebpf.cpu_per_million.expect("it is a tracer").median, 0.5);
    }

    #[test]
    fn a_peer_that_fails_is_left_out() {
        let mut calls = 0;
        let taken = in_turns(3, &Side::ALL, 1, |side| {
            calls += usize::from(side == Side::Perf);
            if side == Side::Perf { anyhow::bail!("no") } else { Ok(sample(1.0)) }
        });
        let (samples, notes) = taken.expect("the others go on");
        assert_eq!((samples.len(), notes.len(), calls), (10, 1, 1));
        assert!(in_turns(1, &Side::ALL, 1, |_| anyhow::bail!("no")).is_err());
    }

    #[test]
    fn commands_are_shown_short() {
        let words = ["/a/workload", "command", "find", "/a/tree", "/a/tree", "-size"].map(str::to_owned);
        assert_eq!(shown(&words), "workload command find tree -size");
    }
}
