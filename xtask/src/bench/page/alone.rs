//! What is not compared with others: how fast findings and sessions come, losses, and the analyser alone.

use super::Picture;
use crate::bench::callgrind::CHECKED;
use crate::bench::figures::{Analyser, Beside, Figures, Growth};
use crate::bench::markdown::{grouped, table};
use crate::bench::plot::lines::{Series, lines};

const COLOURS: [&str; 2] = ["#2f7ebc", "#d98b3a"];

/// What a program loses that lives on.
pub(super) fn beside(figures: &Figures) -> String {
    let row = |beside: &Beside| {
        let ratios = [beside.empty, beside.ebpf].map(|ratio| ratio.shown(3));
        [&[beside.threads.to_string()], &ratios[..], &[beside.ebpf.count.to_string()]].concat()
    };
    let rows: Vec<_> = figures.beside.values().map(row).collect();
    let calls = figures.beside.values().next().map_or(0, |beside| beside.calls);
    format!(
        "## A gRPC client that lives on\n\n`grpc_load.py ADDRESS THREADS -`, and `forkscope attach` to it again and again. Times of \
         {calls} calls, over those beside no tracer in the same turn: median (and between what it lies).\n\n{}",
        table(&["threads", "floor: empty program", "forkscope, eBPF", "turns"], true, &rows)
    )
}

pub(super) fn sessions(figures: &Figures) -> String {
    [delays(figures), standing(figures), highest(figures), keys(figures)].join("\n")
}

fn delays(figures: &Figures) -> String {
    let row = |(backend, delay): (&String, &crate::bench::figures::Delay)| {
        let times = [delay.p50_ms, delay.p99_ms, delay.most_ms].map(|time| format!("{time:.1}"));
        let count = format!("{} of {}", delay.failures - delay.missed, delay.failures);
        [std::slice::from_ref(backend), &times[..], &[count]].concat()
    };
    let rows: Vec<_> = figures.delay.iter().map(row).collect();
    format!(
        "## From the failing call to the finding\n\n`forkscope run --ui log -- workload failing N`: the founding bug again and \
         again; from when the call had failed to when the finding's line was read from forkscope's output, in \
         milliseconds.\n\n{}",
        table(&["backend", "median", "99th percentile", "most", "found"], true, &rows)
    )
}

fn standing(figures: &Figures) -> String {
    let mut rows = Vec::new();
    if let Some(attach) = &figures.attach {
        let sockets = grouped(attach.sockets as u64);
        rows.push(vec![format!("attach to a process with {sockets} sockets, ms"), attach.ms.shown(0)]);
        rows.push(vec!["resident memory then, MB".into(), format!("{:.1}", attach.resident_mb)]);
    }
    for (backend, megabytes) in &figures.idle {
        rows.push(vec![
            format!("resident memory over a process that sleeps, {backend}, MB"),
            format!("{megabytes:.1}"),
        ]);
    }
    format!("## Sessions over processes that do nothing\n\n{}", table(&["what", ""], true, &rows))
}

fn highest(figures: &Figures) -> String {
    let rows: Vec<_> = figures
        .highest
        .iter()
        .map(|run| {
            let is_accounted = if run.is_accounted() { "yes" } else { "**no**" };
            let counts = [run.made, run.seen, run.lost].map(grouped);
            let rate = grouped(run.per_second as u64);
            [&[format!("`{}`", run.load), rate], &counts[..], &[is_accounted.into(), run.said.clone()]]
                .concat()
        })
        .collect();
    let names = [
        "load",
        "events a second",
        "calls made",
        "events seen",
        "lost",
        "all counted",
        "what forkscope says",
    ];
    format!(
        "## The highest rate\n\n`forkscope run -- workload LOAD` in default settings, the worst of the runs. `crowd PAIRS ROUNDS`: pairs \
         of processes play ping-pong on socketpairs, all at once and on all processors. `flood PROCESSES CALLS`: processes \
         read from sockets that have nothing for them, which is the fastest call of a socket.\n\n{}",
        table(&names, true, &rows)
    )
}

fn keys(figures: &Figures) -> String {
    let Some(keys) = &figures.screen else { return String::new() };
    let [processes, connections, rate] =
        [keys.processes as u64, keys.connections as u64, keys.per_second as u64].map(grouped);
    let [p50, p99, most] = [keys.p50_ms, keys.p99_ms, keys.most_ms].map(|time| format!("{time:.1}"));
    let row = [keys.keys.to_string(), p50, p99, most, format!("{:.0}", keys.peak_mb)];
    let row = [&row[..], &[format!("{:.1}%", keys.idle_cpu * 100.0)]].concat();
    let names =
        ["keys", "median, ms", "99th percentile, ms", "most, ms", "memory MB", "CPU when all is still"];
    format!(
        "## Keys on the live screen\n\n`forkscope replay --ui tui` of a recording with {processes} processes and {connections} \
         connections, played as fast as it can be read: {rate} events a second. Keys go to all panes, to the help and into a \
         search; from the key to what it asked for on the terminal (200x60).\n\n{}",
        table(&names, true, &[row])
    )
}

pub(super) fn analyser(figures: &Figures, pictures: &mut Vec<Picture>) -> String {
    let Some(analyser) = &figures.analyser else { return String::new() };
    let Analyser { per_second, by_connections, by_processes, bytes, forks } = analyser;
    pictures.push(("growth.svg".to_owned(), growth(by_connections, by_processes)));
    let rate = |(what, rate): (&String, &crate::bench::figures::Rate)| {
        let [median, least, most] =
            [rate.median, rate.least, rate.most].map(|rate| format!("{:.2}", rate / 1e6));
        vec![what.clone(), format!("{median} ({least} to {most})")]
    };
    let rates =
        table(&["what", "million events a second"], true, &per_second.iter().map(rate).collect::<Vec<_>>());
    let size = |(what, bytes): (&String, &f64)| vec![what.clone(), grouped(*bytes as u64)];
    let sizes = table(&["what", "bytes"], true, &bytes.iter().map(size).collect::<Vec<_>>());
    let fork = |fork: &crate::bench::figures::Fork| {
        let times =
            [fork.fork_ns, fork.first_change_ns, fork.next_change_ns].map(|time| grouped(time as u64));
        [&[grouped(fork.descriptors)], &times[..]].concat()
    };
    let names = ["descriptors", "fork, ns", "first change after it, ns", "next change, ns"];
    let forks = table(&names, true, &forks.iter().map(fork).collect::<Vec<_>>());
    let growths = growths(by_connections, by_processes);
    format!(
        "## The analyser alone\n\n`analyse_load`: events of a mixed load (gRPC, Redis, forks), made in memory before time is \
         taken, on one core.\n\n{rates}\n![Time of an event](benchmarks/growth.svg)\n\n{growths}\n\
         Memory of each, beyond that of a session without:\n\n{sizes}\n\
         A fork, and the first change of the table that parent and child then share:\n\n{forks}"
    )
}

/// What an event costs, by what grows.
fn growths(by_connections: &[Growth], by_processes: &[Growth]) -> String {
    let row = |row: &Growth| {
        let instructions = row.instructions.map(|count| grouped(count as u64)).unwrap_or_default();
        vec![
            grouped(row.processes),
            grouped(row.connections),
            format!("{:.0}", row.ns_per_event),
            instructions,
        ]
    };
    let rows: Vec<_> = by_connections.iter().chain(by_processes).map(row).collect();
    format!(
        "Nearly all of the connections have been used before, and each of the processes has forked. Times are the medians of five \
         runs, each of which begins with an empty heap. Instructions are counted by callgrind: `cargo xtask test` counts those of \
         {} again, and fails where they have become more. What is done for an event is the same however many there are, but \
         that from some thousand sockets on it is foreseen; what it looks at is farther from the processor.\n\n{}",
        CHECKED.map(|(_, connections)| grouped(connections)).join(" and "),
        table(&["processes", "connections together", "ns an event", "instructions an event"], true, &rows)
    )
}

fn growth(by_connections: &[Growth], by_processes: &[Growth]) -> String {
    let connections = by_connections.iter().map(|row| (row.connections as f64, row.ns_per_event)).collect();
    let processes = by_processes.iter().map(|row| (row.processes as f64, row.ns_per_event)).collect();
    let series = [
        Series { name: "connections", points: connections, colour: COLOURS[0] },
        Series { name: "processes", points: processes, colour: COLOURS[1] },
    ];
    lines("Time of an event, by how many connections and processes there are", "ns", &series)
}
