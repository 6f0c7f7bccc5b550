//! A process that a test started: its lines as they come, its end, each within a time.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything may take before a test fails: far more than it does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A running process. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Process {
    what: String,
    pid: Pid,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
    end: Receiver<ExitStatus>,
    ended: bool,
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

#[derive(Debug)]
struct Lines {
    coming: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, coming) = channel();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(text).is_err() {
                    break;
                }
                line.clear();
            }
        });
        Self { coming, seen: Vec::new() }
    }

    fn next(&mut self, until: Instant) -> Result<&str, RecvTimeoutError> {
        let line = self.coming.recv_timeout(until.saturating_duration_since(Instant::now()))?;
        self.seen.push(line);
        Ok(self.seen.last().expect("just pushed"))
    }

    fn wait_for(&mut self, text: &str) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.next(until) {
                Ok(line) if line.contains(text) => return Some(line.to_owned()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    fn rest(mut self) -> Vec<String> {
        let until = Instant::now() + PATIENCE;
        while self.next(until).is_ok() {}
        self.seen
    }
}

impl Process {
    /// Starts it, with all three streams in the test's hands.
    pub(crate) fn start(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
        let pid = Pid::from_raw(child.id().try_into().expect("a pid"));
        let stdin = child.stdin.take();
        let stdout = Lines::of(child.stdout.take().expect("piped"));
        let stderr = Lines::of(child.stderr.take().expect("piped"));
        let (sender, end) = channel();
        thread::spawn(move || child.wait().map(|status| sender.send(status)));
        Self { what, pid, stdin, stdout, stderr, end, ended: false }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Waits for a line on stdout with this text in it.
    pub(crate) fn stdout_says(&mut self, text: &str) -> String {
        let found = self.stdout.wait_for(text);
        found.unwrap_or_else(|| {
            panic!("{} never said {text:?}: {:#?} {:#?}", self.what, self.stdout, self.stderr)
        })
    }

    /// Waits for a line on stderr with this text in it.
    pub(crate) fn stderr_says(&mut self, text: &str) -> String {
        let found = self.stderr.wait_for(text);
        found.unwrap_or_else(|| {
            panic!("{} never said {text:?}: {:#?} {:#?}", self.what, self.stdout, self.stderr)
        })
    }

    /// As [`Process::stderr_says`]; `None` where it ended without.
    pub(crate) fn stderr_tells(&mut self, text: &str) -> Option<String> {
        self.stderr.wait_for(text)
    }

    /// Gives it an empty line.
    pub(crate) fn go_on(&mut self) {
        self.types("\n");
    }

    /// Gives it text.
    pub(crate) fn types(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        let written = stdin.write_all(text.as_bytes());
        written.unwrap_or_else(|error| {
            while self.stderr.next(Instant::now() + Duration::from_millis(100)).is_ok() {}
            panic!("{} takes no {text:?}: {error}: {:#?} {:#?}", self.what, self.stdout, self.stderr)
        });
    }

    /// Ends its stdin.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap_or_else(|error| panic!("{}: {error}", self.what));
    }

    /// Waits for its end: its status.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = self.end.recv_timeout(PATIENCE);
        let status = status.unwrap_or_else(|_| panic!("{} did not end: {:#?}", self.what, self.stderr));
        self.ended = true;
        status
    }

    /// Waits for its end, and for that of all it printed.
    pub(crate) fn end(mut self) -> Ended {
        self.stdin = None;
        let status = self.wait();
        let empty = || Lines { coming: channel().1, seen: Vec::new() };
        let stdout = std::mem::replace(&mut self.stdout, empty()).rest();
        let stderr = std::mem::replace(&mut self.stderr, empty()).rest();
        Ended { status, stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.ended && self.end.try_recv().is_err() {
            // It may have ended meanwhile: then there is nothing to do.
            let _ = kill(self.pid, Signal::SIGKILL);
        }
    }
}

/// The JSON lines among these: what a test program said.
pub(crate) fn said(lines: &[String]) -> Vec<Value> {
    lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Waits until something holds, looking again and again.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
