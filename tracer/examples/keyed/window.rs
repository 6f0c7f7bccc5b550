//! forkscope on a terminal that is typed on and looked at, as a person would.

use super::Fallible;
use super::terminal::{SIZE, start};
use forkscope::sinks::emulator::Emulator;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

/// What takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The terminal, and what is on it.
pub(super) struct Window {
    process: Child,
    terminal: OwnedFd,
    emulator: Emulator,
}

impl Window {
    pub(super) fn open(words: &[String]) -> Fallible<Self> {
        let (process, terminal) = start(words)?;
        Ok(Self { process, terminal, emulator: Emulator::new(SIZE.0, SIZE.1) })
    }

    /// Presses a key; how long it took until this was shown.
    pub(super) fn press(&mut self, key: &str, shown: &str) -> Fallible<Duration> {
        if self.has(shown) {
            return Err(format!("\"{shown}\" was there before the key").into());
        }
        let began = Instant::now();
        write(&self.terminal, key.as_bytes())?;
        self.shows(shown)?;
        Ok(began.elapsed())
    }

    /// Waits until this is shown.
    pub(super) fn shows(&mut self, text: &str) -> Fallible<()> {
        let end = Instant::now() + PATIENCE;
        while !self.has(text) {
            if !self.look(end)? {
                return Err(format!("\"{text}\" was not shown in {PATIENCE:?}").into());
            }
        }
        Ok(())
    }

    /// Takes what is drawn for so long.
    pub(super) fn look_for(&mut self, time: Duration) -> Fallible<()> {
        let end = Instant::now() + time;
        while self.look(end)? {}
        Ok(())
    }

    /// Takes what is drawn next; false: nothing was until then.
    fn look(&mut self, end: Instant) -> Fallible<bool> {
        let left = PollTimeout::try_from(end.saturating_duration_since(Instant::now()))?;
        if poll(&mut [PollFd::new(self.terminal.as_fd(), PollFlags::POLLIN)], left)? == 0 {
            return Ok(false);
        }
        let mut bytes = [0; 1 << 16];
        let count = read(&self.terminal, &mut bytes).map_err(|_| "forkscope has ended")?;
        self.emulator.feed(&bytes[..count]);
        Ok(true)
    }

    /// Whether this is on the terminal, within a row.
    pub(super) fn has(&self, text: &str) -> bool {
        self.emulator.grid().rows.iter().any(|row| {
            let mut line = String::new();
            for piece in row {
                let column = line.chars().count();
                line.extend(std::iter::repeat_n(' ', usize::from(piece.column).saturating_sub(column)));
                line.push_str(&piece.text);
            }
            line.contains(text)
        })
    }

    /// The highest resident memory so far, in kB (`VmHWM`, proc_pid_status(5)).
    pub(super) fn peak_kb(&self) -> Fallible<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        Ok(line.split_whitespace().next().ok_or("an empty VmHWM")?.parse()?)
    }

    /// The processor time that forkscope's threads have used (`/proc/PID/task/TID/schedstat`:
    /// nanoseconds on a processor).
    pub(super) fn cpu(&self) -> Fallible<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanos += text.split_whitespace().next().ok_or("an empty schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// Leaves forkscope, and waits for its end.
    pub(super) fn close(mut self) -> Fallible<()> {
        write(&self.terminal, b"\x03")?;
        let end = Instant::now() + PATIENCE;
        // What it draws at the end must be taken, or it waits for that.
        while let Ok(true) = self.look(end) {}
        if Instant::now() >= end {
            self.process.kill()?;
            return Err("forkscope did not end".into());
        }
        self.process.wait()?;
        Ok(())
    }
}
