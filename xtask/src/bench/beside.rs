//! What a tracer costs a program that lives on, while tracers come and go: as closely as it can be measured,
//! where a goal is a few percent. What the program's start makes of it is alike for all sides.

use super::bystander::{Held, SETTLES};
use super::figures::Beside;
use super::servers::{self, Server};
use super::session::Session;
use super::sides::Side;
use super::spread::Spread;
use super::standing::attached;
use super::tools::Tools;
use crate::command::command;
use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::sleep;

/// How many threads call, by what the figures are kept.
pub(super) const CLIENTS: [(&str, usize); 2] = [("grpc-1", 1), ("grpc-8", 8)];
/// Turns of each side in what is a round of other comparisons: those of one side differ by more than what is
/// asked for.
pub(super) const TURNS: usize = 20;
const SIDES: [Side; 3] = [Side::Untraced, Side::Empty, Side::Ebpf];
/// Calls of a turn: those that are timed, after others.
const CALLS: usize = 400;
const BEFORE: usize = 60;

/// Turns of a gRPC client's calls, beside no tracer, the floor and forkscope.
pub(super) fn measure(tools: &Tools, threads: usize, turns: usize) -> Result<Beside> {
    let server = servers::greeter()?;
    let mut client = Client::start(&server, threads)?;
    let mut took = SIDES.map(|_| Vec::new());
    for turn in 0..turns {
        for at in order(turn) {
            let tracer = Tracer::start(tools, SIDES[at], client.process.id())?;
            // What was there a moment ago may still be felt, too.
            sleep(SETTLES);
            client.call(BEFORE)?;
            took[at].push(client.call(CALLS)?);
            tracer.end()?;
        }
        eprint!("{}", if turn % TURNS == 0 { "." } else { "" });
    }
    eprintln!();
    let [untraced, empty, ebpf] = took;
    let over = |side: Vec<f64>| {
        let ratios = side.iter().zip(&untraced).map(|(side, untraced)| side / untraced);
        Spread::of_the_middle(ratios).context("there were turns")
    };
    Ok(Beside { threads, calls: CALLS, empty: over(empty)?, ebpf: over(ebpf)? })
}

/// Whose turns come when, by their places: each comes as often before each other one as after it.
fn order(turn: usize) -> [usize; SIDES.len()] {
    let mut order = std::array::from_fn(|at| (at + turn) % SIDES.len());
    if !(turn / SIDES.len()).is_multiple_of(2) {
        order.reverse();
    }
    order
}

/// What traces, or nothing.
enum Tracer {
    None,
    Floor(Held),
    Own(Session),
}

impl Tracer {
    fn start(tools: &Tools, side: Side, pid: u32) -> Result<Self> {
        Ok(match side {
            Side::Untraced => Self::None,
            Side::Ebpf => Self::Own(attached(tools, "ebpf", pid)?.0),
            // Its hooks are of the whole machine.
            _ => Self::Floor(Held::start(tools, side)?),
        })
    }

    fn end(self) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Floor(held) => held.end(),
            Self::Own(session) => session.stop(),
        }
    }
}

/// A program that calls when it is told to, and ends when this is dropped.
struct Client {
    process: Child,
    tells: Option<ChildStdin>,
    says: BufReader<ChildStdout>,
}

impl Client {
    fn start(server: &Server, threads: usize) -> Result<Self> {
        let mut start = command(servers::python());
        start.args([servers::program("grpc_load.py"), format!("127.0.0.1:{}", server.port)]);
        start.args([&threads.to_string(), "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = start.spawn().context("cannot start the gRPC client")?;
        let says = BufReader::new(process.stdout.take().context("it has a stdout")?);
        Ok(Self { tells: process.stdin.take(), says, process })
    }

    /// Has it call so often: the seconds that this took.
    fn call(&mut self, count: usize) -> Result<f64> {
        writeln!(self.tells.as_mut().context("it has a stdin")?, "{count}")?;
        let mut line = String::new();
        ensure!(self.says.read_line(&mut line)? > 0, "the gRPC client has ended");
        line.trim().parse().with_context(|| format!("the gRPC client said {line}"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It ends when its standard input does; gone already is as good.
        drop(self.tells.take());
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_comes_as_often_before_each_other_as_after() {
        let all: Vec<_> = (0..2 * SIDES.len()).map(order).collect();
        let before = |one: usize, other: usize| {
            let place = |of: &[usize; 3], side| of.iter().position(|&at| at == side);
            all.iter().filter(|order| place(order, one) < place(order, other)).count()
        };
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            assert_eq!((before(one, other), before(other, one)), (3, 3), "{one} and {other}");
        }
    }
}
