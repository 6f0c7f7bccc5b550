//! forkscope as its users start it, and what it reported.

use crate::check::same;
use crate::env::forkscope;
use crate::process::{Ended, Process, said};
use crate::ways::Backend;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use tempfile::TempDir;

/// What forkscope prints on stderr, once, when its probes are on: from here on it misses nothing.
const TRACING: &str = "tracing";

/// A session that goes on.
#[derive(Debug)]
pub(crate) struct Session {
    process: Option<Process>,
    /// Its `--rule` and `--baseline` options, which a replay needs as well.
    findings: Vec<OsString>,
    directory: TempDir,
}

/// A session that is over.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit status, 128+N for a signal.
    pub(crate) status: i32,
    /// The JSON lines on stdout: what the traced program said.
    pub(crate) said: Vec<Value>,
    /// What forkscope, and the program, printed on stderr.
    pub(crate) stderr: Vec<String>,
    /// The report.
    pub(crate) report: Value,
    directory: TempDir,
}

impl Outcome {
    /// The recording.
    pub(crate) fn recording(&self) -> PathBuf {
        recording(&self.directory)
    }
}

impl Session {
    /// `forkscope COMMAND --backend BACKEND --report FILE --record FILE …`, with these variables set.
    pub(crate) fn start<S: AsRef<OsStr>>(
        on: Backend,
        command: &str,
        arguments: &[S],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut session = Self::new();
        let words: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        let options = words.windows(2).filter(|pair| pair[0] == "--rule" || pair[0] == "--baseline");
        session.findings = options.flatten().map(|word| (*word).to_owned()).collect();
        let mut forkscope = session.command(command);
        forkscope.args(["--backend", &on.to_string(), "--record"]).arg(recording(&session.directory));
        session.process = Some(Process::start(forkscope.args(arguments).envs(variables.iter().copied())));
        session
    }

    /// `forkscope replay …`.
    pub(crate) fn replay<S: AsRef<OsStr>>(arguments: &[S]) -> Outcome {
        let mut session = Self::new();
        session.process = Some(Process::start(session.command("replay").args(arguments)));
        session.ended()
    }

    /// `forkscope attach PID`, when its probes are on.
    pub(crate) fn attach(on: Backend, pid: u32) -> Self {
        Self::attach_all(on, &[pid])
    }

    /// Likewise to several.
    pub(crate) fn attach_all(on: Backend, pids: &[u32]) -> Self {
        let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
        let mut session = Self::start(on, "attach", &pids, &[]);
        session.process().stderr_says(TRACING);
        session
    }

    fn new() -> Self {
        Self {
            process: None,
            findings: Vec::new(),
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn command(&self, command: &str) -> Command {
        let mut forkscope = Command::new(forkscope());
        forkscope.args([command, "--ui", "log", "--report"]).arg(self.directory.path().join("report.json"));
        forkscope
    }

    /// Its process.
    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("it was started")
    }

    /// Waits for the end, reads the report, and has the recording replayed: it must say the same.
    pub(crate) fn end(self) -> Outcome {
        let mut arguments = self.findings.clone();
        let outcome = self.ended();
        arguments.push(outcome.recording().into());
        let replayed = Self::replay(&arguments);
        assert_eq!(replayed.status, 0, "{:#?}", replayed.stderr);
        same(&outcome.report, &replayed.report);
        outcome
    }

    fn ended(mut self) -> Outcome {
        let Ended { status, stdout, stderr } = self.process.take().expect("it was started").end();
        let path = self.directory.path().join("report.json");
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("no report: {error}; {status}\n{}", stderr.join("\n")));
        let report = serde_json::from_str(&text).expect("the report is JSON");
        Outcome { status: code(status), said: said(&stdout), stderr, report, directory: self.directory }
    }

    /// Ctrl-C, then as [`Session::end`].
    pub(crate) fn interrupt(mut self) -> Outcome {
        self.process().signal(Signal::SIGINT);
        self.end()
    }
}

fn recording(directory: &TempDir) -> PathBuf {
    directory.path().join("session.rec")
}

/// `forkscope run`, to its end.
pub(crate) fn run<S: AsRef<OsStr>>(on: Backend, program: &[S], variables: &[(&str, &str)]) -> Outcome {
    let mut arguments = vec![OsStr::new("--")];
    arguments.extend(program.iter().map(AsRef::as_ref));
    Session::start(on, "run", &arguments, variables).end()
}

/// A status as a shell gives it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).expect("ended")
}
