//! Sessions over processes that do nothing: how fast they begin, and what memory they take.

use super::bystander::Held;
use super::figures::Attach;
use super::session::{Session, now};
use super::sides::Side;
use super::spread::{Spread, shortened};
use super::tools::Tools;
use anyhow::{Context, Result};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

const SOCKETS: usize = 10_000;
/// What is said when all that was there is traced.
const TRACING: &str = "tracing ";
/// Long enough for what a session does at its beginning to be over.
const SETTLED: Duration = Duration::from_secs(3);

/// Attaching to a process with many sockets, from the command to the sentence.
pub(super) fn attach(tools: &Tools, rounds: usize) -> Result<Attach> {
    let program = tools.command(&[tools.example("open_sockets"), SOCKETS.to_string()]);
    let mut program = Program::start(program)?;
    let (mut times, mut resident_mb) = (Vec::new(), 0.0);
    for _ in 0..rounds {
        let began = now();
        let session = attached(tools, "ebpf", program.process.id())?;
        times.push(session.1.saturating_sub(began) as f64 / 1e6);
        resident_mb = session.0.resident_mb()?;
        session.0.stop()?;
    }
    program.end()?;
    let ms = Spread::of(times).context("there were rounds")?;
    Ok(Attach { sockets: SOCKETS, ms, resident_mb: shortened(resident_mb) })
}

pub(super) fn attached(tools: &Tools, backend: &str, pid: u32) -> Result<(Session, u64)> {
    let session = Session::start(tools, &["attach", "--backend", backend, "--ui", "log", &pid.to_string()])?;
    let at = session.says(TRACING)?.at;
    Ok((session, at))
}

/// Resident memory in MB when nothing has happened for a while.
pub(super) fn idle(tools: &Tools, backend: &str) -> Result<f64> {
    let held = Held::start(tools, Side::Untraced)?;
    let pid: u32 =
        fs::read_to_string(tools.file("ready"))?.trim().parse().context("the number of the process")?;
    let (session, _) = attached(tools, backend, pid)?;
    sleep(SETTLED);
    let resident = session.resident_mb();
    session.stop()?;
    held.end()?;
    Ok(shortened(resident?))
}

/// A program that says that it is ready, and ends when its stdin closes.
struct Program {
    process: Child,
}

impl Program {
    fn start(mut command: std::process::Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("it has a stdout")?).read_line(&mut line)?;
        anyhow::ensure!(line.contains("ready"), "the program with open sockets is not ready");
        Ok(Self { process })
    }

    fn end(&mut self) -> Result<()> {
        drop(self.process.stdin.take());
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone already where all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
