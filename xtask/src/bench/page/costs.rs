//! What the cost of tracing is made of.

use crate::bench::figures::{Comparison, Costs, Figures};
use crate::bench::markdown::table;
use crate::bench::sides::Side;

/// For the workload that has the most goals.
const WORKLOAD: &str = "ping-pong-tcp";
/// Events of a round trip: two processes, each of which sends and receives.
const EVENTS: f64 = 4.0;

pub(super) fn section(figures: &Figures) -> String {
    let parts = figures.comparisons.get(WORKLOAD).map(parts).unwrap_or_default();
    let programs = figures.costs.as_ref().map(programs).unwrap_or_default();
    let starts: Vec<Vec<String>> = Side::ALL
        .into_iter()
        .filter_map(|side| {
            let start = figures.starts.get(side.key())?;
            Some(vec![side.title().to_owned(), start.seconds.shown(2), start.cpu_s.shown(2)])
        })
        .collect();
    let starts = table(&["traced by", "seconds", "CPU seconds"], true, &starts);
    format!(
        "## What the costs are made of\n\n{parts}\n{programs}\n\
         A session around a program that does nothing, from its start to its end (for forkscope on eBPF most of it is the \
         kernel's check of the programs, and taking them out again):\n\n{starts}"
    )
}

fn parts(comparison: &Comparison) -> String {
    let row = |side: Side| comparison.row(side.key());
    let (Some(untraced), Some(empty), Some(record), Some(ebpf)) =
        (row(Side::Untraced), row(Side::Empty), row(Side::Record), row(Side::Ebpf))
    else {
        return String::new();
    };
    let added = [
        ("the two hooks, with programs that do nothing", empty.ratio.median - 1.0),
        ("a record of 64 bytes for each call", record.ratio.median - empty.ratio.median),
        (
            "all else that forkscope's programs do: which process, which socket, which bytes",
            ebpf.ratio.median - record.ratio.median,
        ),
    ];
    let mut rows: Vec<Vec<String>> =
        added.iter().map(|(what, share)| vec![(*what).to_owned(), percent(*share)]).collect();
    rows.push(vec!["together".into(), percent(ebpf.ratio.median - 1.0)]);
    if let Some(cpu) = ebpf.cpu_per_million {
        // Seconds for a million are microseconds for one.
        let share = cpu.median * EVENTS / untraced.cost_us.median;
        rows.push(vec![
            "beside it, on another processor: forkscope itself reads and analyses".into(),
            percent(share),
        ]);
    }
    format!("Of the time of a TCP round trip without a tracer:\n\n{}", table(&["part", "added"], true, &rows))
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// The programs in the kernel, as the report's `stats.overhead.programs` has them.
fn programs(costs: &Costs) -> String {
    let events = costs.events.max(1) as f64;
    let mut programs: Vec<_> = costs.programs.iter().filter(|(_, program)| program.runs > 0).collect();
    programs.sort_by(|one, other| other.1.run_time.total_cmp(&one.1.run_time));
    let rows: Vec<Vec<String>> = programs
        .into_iter()
        .map(|(name, program)| {
            let nanoseconds = program.run_time * 1e9;
            vec![
                format!("`{name}`"),
                format!("{:.2}", program.runs as f64 / events),
                format!("{:.0}", nanoseconds / program.runs as f64),
                format!("{:.0}", nanoseconds / events),
            ]
        })
        .collect();
    format!(
        "The programs in the kernel, as forkscope's report has them (of a session of its own: \
         with a report it has the kernel measure them, which is in these times and in no other figure here; runs for \
         other processes of the machine are in them, too):\n\n{}",
        table(&["program", "runs an event", "ns a run", "ns an event"], true, &rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::{Program, Row};
    use crate::bench::spread::Spread;

    #[test]
    fn parts_add_up() {
        let spread = |median| Spread { median, least: median, most: median, count: 1 };
        let row = |side: Side, ratio| Row { side: side.key().into(), ratio: spread(ratio), ..Row::default() };
        let mut rows = vec![
            row(Side::Untraced, 1.0),
            row(Side::Empty, 1.05),
            row(Side::Record, 1.15),
            row(Side::Ebpf, 1.3),
        ];
        rows[0].cost_us = spread(10.0);
        rows[3].cpu_per_million = Some(spread(0.5));
        let exit = Program { runs: 200, run_time: 4e-5 };
        let costs = Costs { events: 100, programs: [("exit".to_owned(), exit)].into() };
        let text = parts(&Comparison { rows, ..Comparison::default() }) + &programs(&costs);
        for line in [
            "do nothing | 5% |",
            "each call | 10% |",
            "which bytes | 15% |",
            "together | 30% |",
            "analyses | 20% |",
            "| `exit` | 2.00 | 200 | 400 |",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
