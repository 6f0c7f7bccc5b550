//! What must be reached, and whether it is: worked out from the figures alone.

mod alone;

use super::bystander;
use super::figures::{Beside, Figures, Row};
use super::sides::Side;
use super::spread::Spread;

/// One goal, judged.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Goal {
    pub(super) what: &'static str,
    pub(super) goal: &'static str,
    /// The figure, in words; none: not measured.
    pub(super) measured: Option<String>,
    pub(super) is_reached: bool,
}

/// How a figure is compared with its goal.
#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

/// What is added to an operation at least, as a share of it: less cannot be told from nothing, and
/// nothing divides nothing.
const LEAST: f64 = 0.01;
const STRACES: [Side; 2] = [Side::Strace, Side::Seccomp];

/// All of them, in order.
pub(super) fn goals(figures: &Figures) -> Vec<Goal> {
    [compared(figures), alone::goals(figures)].concat()
}

/// Goals that are about ratios to other sides.
fn compared(figures: &Figures) -> Vec<Goal> {
    let tcp = |side| row(figures, "ping-pong-tcp", side);
    let added = |side| tcp(side).map(|row| (row.ratio.median - 1.0).max(LEAST));
    let faster_strace = STRACES.into_iter().filter_map(added).min_by(f64::total_cmp);
    let over = |side, other: Option<f64>| Some(added(side)? / other?);
    let of = |name, side, ratio: fn(&Row) -> Option<Spread>| row(figures, name, side).and_then(ratio);
    let untraced = |row: &Row| Some(row.ratio);
    let times = |figure: f64| format!("{figure:.2} times");
    vec![
        ratio(
            "TCP ping-pong, eBPF, over the record-only floor",
            "at most 1.15 times",
            of("ping-pong-tcp", Side::Ebpf, |row| row.over_record),
            1.15,
        ),
        ratio(
            "TCP ping-pong, eBPF, over untraced",
            "at most 1.35 times",
            of("ping-pong-tcp", Side::Ebpf, untraced),
            1.35,
        ),
        throughput("gRPC throughput lost, eBPF, one thread", figures.beside.get("grpc-1")),
        throughput("gRPC throughput lost, eBPF, eight threads", figures.beside.get("grpc-8")),
        ratio(
            "bystander's system calls, eBPF, over the empty program",
            "at most 1.05 times",
            of(bystander::NAME, Side::Ebpf, |row| row.over_empty),
            1.05,
        ),
        losses(figures),
        ratio(
            "find, `run` through ptrace, over untraced",
            "at most 1.05 times",
            of("find", Side::Ptrace, untraced),
            1.05,
        ),
        judge(
            "a traced call, ptrace, over strace --seccomp-bpf (TCP ping-pong)",
            "not above",
            over(Side::Ptrace, added(Side::Seccomp)),
            Bound::AtMost(1.0),
            times,
        ),
        judge(
            "strace's overhead over forkscope's on eBPF (TCP ping-pong, the faster strace)",
            "at least 30 times",
            over(Side::Ebpf, faster_strace).map(f64::recip),
            Bound::AtLeast(30.0),
            |figure| format!("{figure:.0} times"),
        ),
    ]
}

/// A ratio, with its spread: that tells what a busy machine has to do with it.
fn ratio(what: &'static str, goal: &'static str, ratio: Option<Spread>, most: f64) -> Goal {
    let shown = ratio.map(|ratio| format!("{} times", ratio.shown(2))).unwrap_or_default();
    judge(what, goal, ratio.map(|ratio| ratio.median), Bound::AtMost(most), |_| shown.clone())
}

/// How much less is done in the same time, where each call takes so many times as long: with forkscope, and
/// with programs that do nothing, which is the least that the hooks cost.
fn throughput(what: &'static str, beside: Option<&Beside>) -> Goal {
    let lost = |ratio: f64| (1.0 - 1.0 / ratio) * 100.0;
    let shown = |Spread { median, least, most, count }: Spread| {
        let [median, least, most] = [median, least, most].map(lost);
        Spread { median, least, most, count }.shown(1)
    };
    let of = |beside: &Beside| format!("{}%; the empty program {}%", shown(beside.ebpf), shown(beside.empty));
    let said = beside.map(of).unwrap_or_default();
    let figure = beside.map(|beside| lost(beside.ebpf.median));
    judge(what, "at most 3%", figure, Bound::AtMost(3.0), |_| said.clone())
}

fn judge(
    what: &'static str,
    goal: &'static str,
    figure: Option<f64>,
    bound: Bound,
    shown: impl Fn(f64) -> String,
) -> Goal {
    let is_reached = figure.is_some_and(|figure| match bound {
        Bound::AtMost(most) => figure <= most,
        Bound::AtLeast(least) => figure >= least,
    });
    Goal { what, goal, measured: figure.map(shown), is_reached }
}

/// None lost, or each of the lost counted, and the ring's size named where it is said.
fn losses(figures: &Figures) -> Goal {
    let (lost, made): (u64, u64) =
        figures.highest.iter().fold((0, 0), |sum, run| (sum.0 + run.lost, sum.1 + run.made));
    let is_told =
        figures.highest.iter().all(|run| run.lost == 0 || (run.is_accounted() && run.said.contains("MiB")));
    let measured = match lost {
        0 => format!("none of {made}"),
        _ => format!("{lost} of {made}, {}", if is_told { "all counted" } else { "not all told" }),
    };
    let is_measured = !figures.highest.is_empty();
    Goal {
        what: "events lost at the highest rate, default settings",
        goal: "none, or counted to the last one with the ring's size named",
        measured: is_measured.then_some(measured),
        is_reached: is_measured && is_told,
    }
}

fn row<'a>(figures: &'a Figures, workload: &str, side: Side) -> Option<&'a Row> {
    figures.comparisons.get(workload)?.row(side.key())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::{Comparison, Highest};

    fn at(ratio: f64) -> Spread {
        Spread { median: ratio, least: ratio, most: ratio, count: 1 }
    }

    fn figures() -> Figures {
        let row = |side: Side, ratio, over| Row {
            side: side.key().into(),
            ratio: at(ratio),
            over_record: Some(at(over)),
            ..Row::default()
        };
        let rows = vec![
            row(Side::Ebpf, 1.3, 1.2),
            row(Side::Ptrace, 10.0, 9.0),
            row(Side::Strace, 13.0, 9.0),
            row(Side::Seccomp, 13.9, 9.0),
        ];
        let comparison = Comparison { rows, ..Comparison::default() };
        Figures { comparisons: [("ping-pong-tcp".to_owned(), comparison)].into(), ..Figures::default() }
    }

    fn judged(figures: &Figures, what: &str) -> (Option<String>, bool) {
        let goal = goals(figures)
            .into_iter()
            .find(|goal| goal.what.starts_with(what))
            .expect("there is such a goal");
        (goal.measured, goal.is_reached)
    }

    #[test]
    fn figures_are_held_against_their_goals() {
        let figures = figures();
        for (what, measured, is_reached) in [
            ("TCP ping-pong, eBPF, over the record", "1.20 (1.20 to 1.20) times", false),
            ("TCP ping-pong, eBPF, over untraced", "1.30 (1.30 to 1.30) times", true),
            ("a traced call, ptrace", "0.70 times", true),
            ("strace's overhead", "40 times", true),
        ] {
            assert_eq!(judged(&figures, what), (Some(measured.to_owned()), is_reached), "{what}");
        }
    }

    #[test]
    fn what_the_hooks_alone_take_is_told_with_what_is_lost() {
        let with = |ebpf, empty| {
            let beside = Beside { ebpf: at(ebpf), empty: at(empty), ..Beside::default() };
            Figures { beside: [("grpc-1".to_owned(), beside)].into(), ..Figures::default() }
        };
        let what = "gRPC throughput lost, eBPF, one";
        let said = "20.0 (20.0 to 20.0)%; the empty program 0.0 (0.0 to 0.0)%";
        assert_eq!(judged(&with(1.25, 1.0), what), (Some(said.into()), false));
        assert!(judged(&with(1.03, 1.01), what).1);
    }

    #[test]
    fn what_was_not_measured_is_not_reached() {
        assert!(goals(&Figures::default()).iter().all(|goal| goal.measured.is_none() && !goal.is_reached));
    }

    #[test]
    fn losses_must_be_counted_and_the_ring_named() {
        let with = |lost, said: &str| {
            let run = Highest {
                processes: 1,
                made: 100,
                seen: 110 - lost,
                lost,
                said: said.into(),
                ..Highest::default()
            };
            judged(&Figures { highest: vec![run], ..Figures::default() }, "events lost")
        };
        assert_eq!(with(0, ""), (Some("none of 100".into()), true));
        assert!(with(10, "10 lost: the buffer of 16 MiB was full").1);
        assert!(!with(10, "10 lost").1);
    }
}
