//! Goals that are about forkscope alone.

use super::{Bound, Goal, judge};
use crate::bench::figures::{Analyser, Figures, Growth};

/// A time may differ so much between few and many: what many have is farther from the processor.
const FLAT: f64 = 2.0;
/// Instructions are counted: they differ by what happens to fall into the count.
const SAME: f64 = 1.05;

/// All of them, in order.
pub(super) fn goals(figures: &Figures) -> Vec<Goal> {
    let analyser = figures.analyser.as_ref();
    let bytes = |what| analyser.and_then(|analyser| analyser.bytes.get(what).copied());
    let memory = |what, goal, name, most| {
        judge(what, goal, bytes(name), Bound::AtMost(most), |figure| format!("{figure:.0} bytes"))
    };
    let [time, instructions]: [fn(&Growth) -> Option<f64>; 2] =
        [|row| Some(row.ns_per_event), |row| row.instructions];
    let by_connections =
        |most, figure| growth(&analyser?.by_connections, |row| row.connections, most, figure);
    let by_processes = |most, figure| growth(&analyser?.by_processes, |row| row.processes, most, figure);
    vec![
        judge(
            "the analyser alone, events a second on one core",
            "at least 3 million",
            analyser
                .and_then(|analyser| Some(analyser.per_second.get("analysed, 1,000 connections")?.median)),
            Bound::AtLeast(3e6),
            |figure| format!("{:.2} million", figure / 1e6),
        ),
        flat("a fork's time, 100,000 descriptors over 10", analyser.and_then(fork_growth)),
        flat("an event's time, 1,000,000 connections over 1,000", by_connections(1_000_000, time)),
        flat("an event's time, 10,000 processes over 10", by_processes(10_000, time)),
        same(
            "an event's instructions, 100,000 connections over 1,000",
            by_connections(100_000, instructions),
        ),
        same("an event's instructions, 10,000 processes over 10", by_processes(10_000, instructions)),
        judge(
            "from the failing call to the finding, 99th percentile, eBPF",
            "at most 20 ms",
            figures.delay.get("ebpf").filter(|delay| delay.missed == 0).map(|delay| delay.p99_ms),
            Bound::AtMost(20.0),
            |figure| format!("{figure:.1} ms"),
        ),
        judge(
            "attach to 10,000 sockets",
            "at most 200 ms",
            figures.attach.as_ref().map(|attach| attach.ms.median),
            Bound::AtMost(200.0),
            |figure| format!("{figure:.0} ms"),
        ),
        judge(
            "resident memory, idle, eBPF",
            "at most 40 MB",
            figures.idle.get("ebpf").copied(),
            Bound::AtMost(40.0),
            |figure| format!("{figure:.1} MB"),
        ),
        judge(
            "a key's answer on the live screen, 99th percentile, 100,000 connections and over 200,000 events a second",
            "at most 100 ms",
            figures.screen.as_ref().filter(|keys| keys.per_second >= 200_000.0).map(|keys| keys.p99_ms),
            Bound::AtMost(100.0),
            |figure| format!("{figure:.0} ms"),
        ),
        judge(
            "processor time of that screen when nothing happens",
            "under 1%",
            figures.screen.as_ref().map(|keys| keys.idle_cpu * 100.0),
            Bound::AtMost(1.0),
            |figure| format!("{figure:.1}%"),
        ),
        memory("memory of a descriptor", "at most 300 bytes", "descriptor", 300.0),
        memory("memory of a gRPC connection", "at most 1 kB", "connection, grpc", 1024.0),
        memory("memory of a Redis connection", "at most 1 kB", "connection, redis", 1024.0),
    ]
}

/// A time that does not grow.
fn flat(what: &'static str, growth: Option<f64>) -> Goal {
    judge(what, "flat (at most 2 times)", growth, Bound::AtMost(FLAT), |figure| format!("{figure:.2} times"))
}

/// Work that does not grow.
fn same(what: &'static str, growth: Option<f64>) -> Goal {
    judge(what, "flat (at most 1.05 times)", growth, Bound::AtMost(SAME), |figure| {
        format!("{figure:.2} times")
    })
}

fn fork_growth(analyser: &Analyser) -> Option<f64> {
    let forks = &analyser.forks;
    let of = |wanted: u64| forks.iter().find(|fork| fork.descriptors == wanted).map(|fork| fork.fork_ns);
    Some(of(100_000)? / of(10)?)
}

/// What a figure of so many connections or processes is to the same of the fewest.
fn growth(
    rows: &[Growth],
    grown: fn(&Growth) -> u64,
    most: u64,
    figure: fn(&Growth) -> Option<f64>,
) -> Option<f64> {
    let fewest = rows.iter().min_by_key(|row| grown(row)).and_then(figure)?;
    Some(rows.iter().find(|row| grown(row) == most).and_then(figure)? / fewest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_from_the_fewest_to_so_many() {
        let row = |connections, ns_per_event, instructions| Growth {
            processes: 50,
            connections,
            ns_per_event,
            instructions,
        };
        let rows = [row(1_000, 160.0, Some(2700.0)), row(10_000, 170.0, None), row(1_000_000, 200.0, None)];
        let grown = |row: &Growth| row.connections;
        assert_eq!(growth(&rows, grown, 1_000_000, |row| Some(row.ns_per_event)), Some(1.25));
        assert_eq!(growth(&rows, grown, 1_000_000, |row| row.instructions), None, "they were not counted");
        assert_eq!(growth(&rows, grown, 100_000, |row| Some(row.ns_per_event)), None);
        let [near, far] = [1.05, 1.06].map(|figure| same("instructions", Some(figure)).is_reached);
        assert!(near && !far);
    }
}
