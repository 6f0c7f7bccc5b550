//! What is traced.

use super::sample::{Outcome, result};
use super::servers::{self, Server};
use super::sides::Side;
use super::tools::Tools;
use anyhow::{Context, Result};
use std::fs;

/// A program, and how closely it is measured.
pub(super) struct Workload {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What one operation is.
    pub(super) unit: &'static str,
    /// Sides that goals are about: they run in each round, the others in every second one.
    pub(super) close: &'static [Side],
    /// So many times as many rounds: where a goal is a few percent.
    pub(super) times: usize,
    pub(super) prepare: fn(&Tools, Size) -> Result<Prepared>,
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) quick: bool,
}

impl Size {
    pub(super) fn of(self, operations: usize) -> usize {
        if self.quick { operations.div_ceil(5) } else { operations }
    }
}

/// A workload with all that it needs.
pub(super) struct Prepared {
    /// What is run.
    pub(super) fast: Vec<String>,
    /// The same with fewer operations, for tracers that take much longer for each.
    pub(super) slow: Vec<String>,
    pub(super) read: fn(&Tools) -> Result<Outcome>,
    /// There as long as it is needed.
    pub(super) server: Option<Server>,
}

pub(super) const WORKLOADS: [Workload; 7] = [
    Workload {
        name: "ping-pong-tcp",
        title: "64 bytes there and back, TCP on loopback",
        unit: "round trip",
        close: &[Side::Untraced, Side::Empty, Side::Record, Side::Ebpf],
        times: 1,
        prepare: |tools, size| Ok(own(tools, ["ping-pong", "tcp"], [30_000, 4_000], size)),
    },
    Workload {
        name: "ping-pong-socketpair",
        title: "64 bytes there and back, socketpair",
        unit: "round trip",
        close: &[Side::Untraced, Side::Empty, Side::Record, Side::Ebpf],
        times: 1,
        prepare: |tools, size| Ok(own(tools, ["ping-pong", "socketpair"], [60_000, 4_000], size)),
    },
    Workload {
        name: "grpc-1",
        title: "gRPC unary calls in Python, one thread",
        unit: "call",
        close: &[Side::Untraced, Side::Empty, Side::Record, Side::Ebpf],
        times: 1,
        prepare: |_, size| grpc(1, [4_000, 1_000], size),
    },
    Workload {
        name: "grpc-8",
        title: "gRPC unary calls in Python, eight threads",
        unit: "call",
        close: &[Side::Untraced, Side::Empty, Side::Record, Side::Ebpf],
        times: 1,
        prepare: |_, size| grpc(8, [8_000, 2_000], size),
    },
    Workload {
        name: "redis",
        title: "redis-benchmark, GET on 50 connections",
        unit: "request",
        close: &[Side::Untraced, Side::Ebpf],
        times: 1,
        prepare: redis,
    },
    Workload {
        name: "fork-storm",
        title: "A parent with 1,000 open sockets that forks",
        unit: "fork",
        close: &[Side::Untraced, Side::Ebpf],
        times: 1,
        prepare: |tools, size| Ok(own(tools, ["fork-storm", "1000"], [500, 200], size)),
    },
    Workload {
        name: "find",
        title: "find over 10,000 files, 20 times",
        unit: "pass",
        close: &[Side::Untraced, Side::Ebpf, Side::Ptrace],
        times: 3,
        prepare: find,
    },
];

/// Of `tracer/examples/workload`: its last word is how many operations.
fn own(tools: &Tools, words: [&str; 2], [fast, slow]: [usize; 2], size: Size) -> Prepared {
    let command = |count| {
        let words = [&*tools.example("workload"), words[0], words[1], &size.of(count).to_string()];
        words.map(str::to_owned).into()
    };
    Prepared { fast: command(fast), slow: command(slow), read: result, server: None }
}

fn grpc(threads: usize, [fast, slow]: [usize; 2], size: Size) -> Result<Prepared> {
    let server = servers::greeter()?;
    let (address, threads) = (format!("127.0.0.1:{}", server.port), threads.to_string());
    let command = |calls| {
        let script = servers::program("grpc_load.py");
        vec![servers::python(), script, address.clone(), threads.clone(), size.of(calls).to_string()]
    };
    Ok(Prepared { fast: command(fast), slow: command(slow), read: result, server: Some(server) })
}

/// `workload command` around another program, so that the tracer's start is not timed.
fn around(tools: &Tools, command: &[&str]) -> Vec<String> {
    let own = [tools.example("workload"), "command".to_owned()];
    own.into_iter().chain(command.iter().map(|word| (*word).to_owned())).collect()
}

fn redis(tools: &Tools, size: Size) -> Result<Prepared> {
    let server = servers::redis(tools)?;
    let port = server.port.to_string();
    let command = |requests| {
        let requests = size.of(requests).to_string();
        around(tools, &["redis-benchmark", "-p", &port, "-t", "get", "-n", &requests, "--csv"])
    };
    Ok(Prepared { fast: command(50_000), slow: command(5_000), read: redis_result, server: Some(server) })
}

fn redis_result(tools: &Tools) -> Result<Outcome> {
    let printed = fs::read_to_string(tools.result() + ".out").context("redis-benchmark printed nothing")?;
    let (rate, p99_us) = of_redis(&printed).with_context(|| format!("redis-benchmark printed {printed}"))?;
    Ok(Outcome { cost_us: 1e6 / rate, p99_us: Some(p99_us), ..result(tools)? })
}

/// Requests a second and the 99th percentile in microseconds, of the last line under the one with the names.
fn of_redis(printed: &str) -> Option<(f64, f64)> {
    let cells =
        |line: &str| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect::<Vec<_>>();
    let names = printed.lines().find(|line| line.contains("rps"))?;
    let last = cells(printed.trim().lines().last()?);
    let value = |name: &str| {
        let at = cells(names).iter().position(|cell| cell == name)?;
        last.get(at)?.parse::<f64>().ok()
    };
    Some((value("rps")?, value("p99_latency_ms")? * 1e3))
}

const FOLDERS: usize = 100;
const FILES: usize = 100;
const PASSES: usize = 20;

fn find(tools: &Tools, size: Size) -> Result<Prepared> {
    let tree = tools.file("tree");
    for folder in 0..FOLDERS {
        let folder = format!("{tree}/{folder}");
        fs::create_dir_all(&folder)?;
        for file in 0..FILES {
            fs::write(format!("{folder}/{file}"), "")?;
        }
    }
    let trees = vec![&*tree; size.of(PASSES)];
    let command = around(tools, &[&["find"], &trees[..], &["-size", "+1"]].concat());
    Ok(Prepared { fast: command.clone(), slow: command, read: result, server: None })
}

#[cfg(test)]
mod tests {
    use super::of_redis;

    #[test]
    fn redis_benchmark_prints_a_table() {
        let printed =
            "\"test\",\"rps\",\"avg_latency_ms\",\"p99_latency_ms\"\n\"GET\",\"1000.5\",\"0.1\",\"0.25\"\n";
        assert_eq!(of_redis(printed), Some((1000.5, 250.0)));
        assert_eq!(of_redis(""), None);
    }
}
