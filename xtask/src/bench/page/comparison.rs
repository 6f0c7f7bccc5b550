//! One workload under all sides, as a table and a picture.

use super::Picture;
use crate::bench::bystander;
use crate::bench::figures::{Comparison, Figures, Row};
use crate::bench::markdown::{grouped, table};
use crate::bench::plot::bars::{Bar, bars};
use crate::bench::sides::Side;
use crate::bench::spread::Spread;
use crate::bench::workloads::WORKLOADS;

const NAMES: [&str; 7] = [
    "traced by",
    "time",
    "over the record floor",
    "slowest of 100",
    "CPU s per million",
    "memory MB",
    "events (lost)",
];

/// All that were measured, in order.
pub(super) fn all(figures: &Figures, pictures: &mut Vec<Picture>) -> String {
    let bystander = (bystander::NAME, "getppid in a process that is not traced", "call");
    let workloads = WORKLOADS.iter().map(|workload| (workload.name, workload.title, workload.unit));
    let mut text = String::new();
    for (name, title, unit) in workloads.chain([bystander]) {
        if let Some(comparison) = figures.comparisons.get(name) {
            text += &section(name, title, unit, comparison);
            pictures.push((format!("{name}.svg"), picture(title, unit, comparison)));
        }
    }
    text
}

fn section(name: &str, title: &str, unit: &str, comparison: &Comparison) -> String {
    let rows: Vec<Vec<String>> = comparison.rows.iter().map(cells).collect();
    let is_bystander = name == bystander::NAME;
    let rows = if is_bystander { comparison.rows.iter().map(bystander_cells).collect() } else { rows };
    let table = if is_bystander {
        table(&["traced by", "time", "over the empty floor"], true, &rows)
    } else {
        table(&NAMES, true, &rows)
    };
    let notes: String = comparison.notes.iter().map(|note| format!("\n{note}.\n")).collect();
    format!(
        "## {title}\n\n`{}`. Times of a {unit}, over that without a tracer: median (least to most).\n\n\
         ![{title}](benchmarks/{name}.svg)\n\n{table}{notes}\n",
        comparison.command
    )
}

fn cells(row: &Row) -> Vec<String> {
    let shown = |spread: Option<Spread>, digits| spread.map_or(String::new(), |spread| spread.shown(digits));
    let median = |spread: Option<Spread>, digits: usize| {
        spread.map_or(String::new(), |spread| format!("{:.digits$}", spread.median))
    };
    let events = match (row.seen, row.lost) {
        (0, 0) => String::new(),
        (seen, 0) => format!("{} (0)", grouped(seen)),
        (seen, lost) => format!("{} ({})", grouped(seen), grouped(lost)),
    };
    vec![
        title(row),
        row.ratio.shown(digits(row.ratio)),
        median(row.over_record.filter(|_| row.side != Side::Untraced.key()), 2),
        shown(row.p99_ratio, row.p99_ratio.map_or(2, digits)),
        median(row.cpu_per_million, 2),
        median(row.peak_mb, 1),
        events,
    ]
}

fn bystander_cells(row: &Row) -> Vec<String> {
    let over = row.over_empty.map_or(String::new(), |spread| spread.shown(3));
    vec![title(row), row.ratio.shown(digits(row.ratio)), over]
}

fn digits(spread: Spread) -> usize {
    if spread.median < 10.0 { 2 } else { 1 }
}

fn title(row: &Row) -> String {
    Side::of(&row.side).map_or_else(|| row.side.clone(), |side| side.title().to_owned())
}

fn picture(title_text: &str, unit: &str, comparison: &Comparison) -> String {
    let bar = |row: &Row| Bar { name: title(row), ratio: row.ratio, colour: colour(&row.side) };
    let all: Vec<Bar> =
        comparison.rows.iter().filter(|row| row.side != Side::Untraced.key()).map(bar).collect();
    bars(&format!("{title_text}: time of a {unit}, times untraced"), &all)
}

fn colour(side: &str) -> &'static str {
    match Side::of(side) {
        Some(Side::Ebpf | Side::Recording | Side::Screen) => "#2f7ebc",
        Some(Side::Ptrace) => "#7fb2dc",
        Some(side) if side.is_peer() => "#d98b3a",
        _ => "#9a9a9a",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_figures() {
        let spread = |median| Spread { median, least: median - 0.1, most: median + 0.1, count: 3 };
        let row = Row {
            side: "ebpf".into(),
            ratio: spread(1.2),
            over_record: Some(spread(1.1)),
            cpu_per_million: Some(spread(0.5)),
            seen: 12_345,
            lost: 6,
            ..Row::default()
        };
        let expected = ["forkscope, eBPF", "1.20 (1.10 to 1.30)", "1.10", "", "0.50", "", "12,345 (6)"];
        assert_eq!(cells(&row), expected);
    }
}
