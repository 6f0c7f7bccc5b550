//! Goals that are about forkscope alone.

use super::{Bound, Goal, judge};
use crate::bench::figures::{Analyser, Figures, Growth, Load};

/// A time may differ so much between few and many: what many have is farther from the processor.
const FLAT: f64 = 2.0;
/// Instructions are counted, the same each time. With both numbers events are foreseen, which takes
/// some three in a hundred.
const SAME: f64 = 1.05;

/// All of them, in order.
pub(super) fn goals(figures: &Figures) -> Vec<Goal> {
    let analyser = figures.analyser.as_ref();
    let bytes = |what| analyser.and_then(|analyser| analyser.bytes.get(what).copied());
    let memory = |what, goal, name, most| {
        judge(what, goal, bytes(name), Bound::AtMost(most), |figure| format!("{figure:.0} bytes"))
    };
    let grown = |figure: fn(&Growth) -> Option<f64>, [most, least]: [Load; 2]| {
        let of = |load| analyser?.of(load).and_then(figure);
        Some(of(most)? / of(least)?)
    };
    let time = |loads| grown(|row| Some(row.ns_per_event), loads);
    let instructions = |loads| grown(|row| row.instructions, loads);
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
        flat("an event's time, 1,000,000 connections over 1,000", time([(50, 1_000_000), (50, 1_000)])),
        flat("an event's time, 10,000 processes over 10", time([(10_000, 10_000), (10, 10_000)])),
        same(
            "an event's instructions, 100,000 connections over 10,000",
            instructions([(50, 100_000), (50, 10_000)]),
        ),
        same(
            "an event's instructions, 10,000 processes over 10",
            instructions([(10_000, 10_000), (10, 10_000)]),
        ),
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
fn flat(what: &'static str, times: Option<f64>) -> Goal {
    judge(what, "flat (at most 2 times)", times, Bound::AtMost(FLAT), |figure| format!("{figure:.2} times"))
}

/// Work that does not grow.
fn same(what: &'static str, times: Option<f64>) -> Goal {
    judge(what, "flat (at most 1.05 times)", times, Bound::AtMost(SAME), |figure| {
        format!("{figure:.2} times")
    })
}

fn fork_growth(analyser: &Analyser) -> Option<f64> {
    let forks = &analyser.forks;
    let of = |wanted: u64| forks.iter().find(|fork| fork.descriptors == wanted).map(|fork| fork.fork_ns);
    Some(of(100_000)? / of(10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_from_few_to_many() {
        let row = |(processes, connections): Load, ns_per_event, instructions| Growth {
            processes,
            connections,
            ns_per_event,
            instructions,
        };
        let by_connections = vec![
            row((50, 1_000), 160.0, None),
            row((50, 10_000), 170.0, Some(2500.0)),
            row((50, 100_000), 180.0, Some(2600.0)),
            row((50, 1_000_000), 200.0, None),
        ];
        let by_processes =
            vec![row((10, 10_000), 100.0, Some(2000.0)), row((10_000, 10_000), 240.0, Some(2200.0))];
        let analyser = Analyser { by_connections, by_processes, ..Analyser::default() };
        let goals = goals(&Figures { analyser: Some(analyser), ..Figures::default() });
        let growths: Vec<_> = goals
            .iter()
            .filter(|goal| goal.what.starts_with("an event's"))
            .map(|goal| (goal.measured.as_deref().unwrap_or_default(), goal.is_reached))
            .collect();
        let expected =
            [("1.25 times", true), ("2.40 times", false), ("1.04 times", true), ("1.10 times", false)];
        assert_eq!(growths, expected);
    }
}
