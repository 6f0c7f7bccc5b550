//! A long run: is the memory flat, and are findings bounded by their causes?

use crate::command::{cargo, run};
use crate::paths;
use crate::privilege::Privilege;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const BACKENDS: [&str; 2] = ["ebpf", "ptrace"];
/// How often the memory is looked at.
const OFTEN: Duration = Duration::from_secs(5);
/// What the last third of the run may take more than the second: what an allocator keeps differs a little.
const MOST_GROWTH: f64 = 1.05;
/// Findings that the load has a cause for: a shared connection a minute (`tracer/examples/long_load.rs`).
const CAUSES_A_MINUTE: usize = 1;

/// Options of `soak`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long, in minutes
    #[arg(long, default_value_t = 30)]
    minutes: u64,
}

/// One session, and the memory that it took.
struct Session {
    backend: &'static str,
    process: Child,
    report: PathBuf,
    /// Resident memory in kB.
    memory: Vec<f64>,
}

/// `cargo xtask soak`: both backends at once, each over a load of its own.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let Some(privilege) = Privilege::find() else { bail!("tracing needs root: run this as root") };
    run(&mut cargo(&[
        "build",
        "--release",
        "--locked",
        "-p",
        "forkscope",
        "--bins",
        "--example",
        "long_load",
    ]))?;
    let folder = paths::at("target/tmp/soak");
    fs::create_dir_all(&folder)?;
    let seconds = (options.minutes * 60).to_string();
    let start = |backend| start(privilege, backend, &folder, &seconds);
    let mut sessions = BACKENDS.into_iter().map(start).collect::<Result<Vec<_>>>()?;
    watch(&mut sessions, Duration::from_secs(options.minutes * 60))?;
    for session in &mut sessions {
        let status = session.process.wait()?;
        ensure!(status.success(), "{}: {status}", session.backend);
        judge(session, options.minutes)?;
    }
    Ok(())
}

fn start(privilege: Privilege, backend: &'static str, folder: &Path, seconds: &str) -> Result<Session> {
    let report = folder.join(format!("{backend}.json"));
    let mut command = privilege.command(paths::at("target/release/forkscope"), &[]);
    command.args(["run", "--backend", backend, "--ui", "none", "--report"]).arg(&report);
    command.arg("--record").arg(folder.join(format!("{backend}.rec")));
    command.arg("--").arg(paths::at("target/release/examples/long_load")).arg(seconds);
    let process =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start forkscope")?;
    Ok(Session { backend, process, report, memory: Vec::new() })
}

/// Looks at the memory until the load is at its end.
fn watch(sessions: &mut [Session], time: Duration) -> Result<()> {
    let end = Instant::now() + time.saturating_sub(OFTEN);
    while Instant::now() < end {
        sleep(OFTEN);
        for session in &mut *sessions {
            if let Some(status) = session.process.try_wait()? {
                bail!("{} ended early: {status}", session.backend);
            }
            session.memory.extend(resident(session.process.id()));
        }
    }
    Ok(())
}

/// Resident memory in kB (proc_pid_status(5)).
fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn judge(session: &Session, minutes: u64) -> Result<()> {
    let report: Value = serde_json::from_str(&fs::read_to_string(&session.report)?)?;
    let findings = report["findings"].as_array().context("the report has findings")?;
    let worth = findings.iter().filter(|one| one["severity"] != "info").count();
    let repeats: u64 = findings.iter().filter_map(|one| one["count"].as_u64()).sum();
    let events: u64 = report["stats"]["events"]
        .as_object()
        .map_or(0, |kinds| kinds.values().filter_map(Value::as_u64).sum());
    let third = session.memory.len() / 3;
    ensure!(third > 0, "too short a run");
    let peak = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
    let (second, last) = (peak(&session.memory[third..2 * third]), peak(&session.memory[2 * third..]));
    println!(
        "{}: {events} events in {minutes} min, lost {}; {worth} errors and warnings of {} findings, seen {repeats} times; \
         memory at most {:.1} MB in the second third of the time, {:.1} MB in the last",
        session.backend,
        report["stats"]["lost"],
        findings.len(),
        second / 1e3,
        last / 1e3,
    );
    ensure!(last <= second * MOST_GROWTH, "{}: the memory grows", session.backend);
    let most = 1 + minutes as usize * CAUSES_A_MINUTE;
    ensure!(worth <= most, "{}: {worth} findings have at most {most} causes", session.backend);
    Ok(())
}
