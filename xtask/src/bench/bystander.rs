//! What tracing costs a process that is not traced.

use super::figures::{Comparison, Start};
use super::rounds::{in_turns, rows};
use super::sample::{Outcome, Sample, result};
use super::sides::Side;
use super::tools::Tools;
use super::workloads::Size;
use crate::command::{command, run};
use anyhow::{Context, Result, bail, ensure};
use nix::libc::O_NONBLOCK;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(super) const NAME: &str = "bystander";
const CALLS: usize = 3_000_000;
const PATIENCE: Duration = Duration::from_secs(30);
/// From where the traced program has begun to where time is taken. `getppid` took 1.08 times the floor's
/// time in the first half second beside forkscope, and 1.01 later, though none of its processes ran then (7
/// to 9 rounds, Linux 6.18).
pub(super) const SETTLES: Duration = Duration::from_millis(500);
/// Sides that the goal is about.
const CLOSE: [Side; 3] = [Side::Untraced, Side::Empty, Side::Ebpf];

/// `getppid` in a process beside the traced one, which sleeps.
pub(super) fn compare(tools: &Tools, rounds: usize, size: Size) -> Result<Comparison> {
    let calls = size.of(CALLS).to_string();
    let (samples, notes) = in_turns(rounds, &CLOSE, 1, |side| {
        let held = (side != Side::Untraced).then(|| Held::start(tools, side)).transpose()?;
        if held.is_some() {
            sleep(SETTLES);
        }
        run(tools
            .command(&[tools.example("workload"), "getppid".into(), calls.clone()])
            .stdout(Stdio::null()))?;
        let Outcome { cost_us, .. } = result(tools)?;
        held.map_or(Ok(()), Held::end)?;
        Ok(Sample { outcome: Outcome { cost_us, ..Outcome::default() }, ..Sample::default() })
    })?;
    let mut rows = rows(&samples, &BTreeMap::<String, Start>::new());
    // Nothing is said here of what the tracers themselves do: they have nothing to do.
    rows.iter_mut().for_each(|row| (row.peak_mb, row.cpu_per_million) = (None, None));
    Ok(Comparison { command: format!("workload getppid {calls}"), rows, notes })
}

/// A process that sleeps under a tracer.
pub(super) struct Held {
    tracer: Child,
    go: String,
}

impl Held {
    pub(super) fn start(tools: &Tools, side: Side) -> Result<Self> {
        let [ready, go] = ["ready", "go"].map(|name| tools.file(name));
        for old in [&ready, &go] {
            // Not there at first.
            let _ = fs::remove_file(old);
        }
        run(command("mkfifo").arg(&go))?;
        let traced = [tools.example("workload"), "hold".into(), ready.clone(), go.clone()];
        let words =
            [vec![tools.example("measured"), tools.file("measured.json")], side.command(tools, &traced)]
                .concat();
        let said = File::create(tools.said())?;
        let tracer = tools
            .command(&words)
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .context("cannot start a tracer")?;
        let mut held = Self { tracer, go };
        let began = Instant::now();
        while !Path::new(&ready).exists() {
            held.must_run()?;
            ensure!(began.elapsed() < PATIENCE, "the traced program did not begin");
            sleep(Duration::from_millis(10));
        }
        Ok(held)
    }

    fn must_run(&mut self) -> Result<()> {
        if let Some(status) = self.tracer.try_wait()? {
            bail!("the tracer ended early: {status}");
        }
        Ok(())
    }

    /// Lets the process end, and with it the tracer.
    pub(super) fn end(mut self) -> Result<()> {
        self.must_run()?;
        drop(OpenOptions::new().write(true).open(&self.go).context("cannot open the FIFO")?);
        let status = self.tracer.wait()?;
        ensure!(status.success(), "the tracer ended: {status}");
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Where something went wrong, the process must not sleep for ever. Without a
        // reader this fails at once.
        let _ = OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(&self.go);
        let _ = self.tracer.wait();
    }
}
