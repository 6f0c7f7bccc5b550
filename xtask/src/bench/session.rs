//! A session of forkscope's that is looked at while it runs.

use super::tools::Tools;
use anyhow::{Context, Result, anyhow};
use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A session, and the lines that it prints.
pub(super) struct Session {
    process: Child,
    lines: Receiver<Line>,
}

/// A line on stderr, and when it came (`CLOCK_MONOTONIC` in nanoseconds).
pub(super) struct Line {
    pub(super) at: u64,
    pub(super) text: String,
}

impl Session {
    /// Starts forkscope with these words.
    pub(super) fn start(tools: &Tools, words: &[&str]) -> Result<Self> {
        let words: Vec<String> =
            [&*tools.forkscope()].iter().chain(words).map(|word| (*word).to_owned()).collect();
        let mut process = tools
            .command(&words)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start forkscope")?;
        let stderr = process.stderr.take().context("it has a stderr")?;
        let (say, lines) = channel();
        thread::spawn(move || {
            for text in BufReader::new(stderr).lines().map_while(Result::ok) {
                if say.send(Line { at: now(), text }).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, lines })
    }

    /// Waits for a line that has this in it.
    pub(super) fn says(&self, what: &str) -> Result<Line> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.map_err(|_| anyhow!("forkscope did not say \"{what}\""))?;
            if line.text.contains(what) {
                return Ok(line);
            }
        }
    }

    /// Resident memory now, in MB (`VmRSS` of proc_pid_status(5)).
    pub(super) fn resident_mb(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kilobytes.parse::<f64>()? / 1e3)
    }

    /// Asks it to end, and waits. Not as Ctrl-C does: what is started in the background ignores that.
    pub(super) fn stop(self) -> Result<()> {
        kill(Pid::from_raw(self.process.id().try_into()?), Signal::SIGTERM)
            .context("cannot stop forkscope")?;
        self.end().map(drop)
    }

    /// Waits for its end: what else it said.
    pub(super) fn end(mut self) -> Result<(ExitStatus, Vec<Line>)> {
        let lines = self.lines.iter().collect();
        Ok((self.process.wait()?, lines))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Ended already where all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub(super) fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    time.as_nanos() as u64
}
