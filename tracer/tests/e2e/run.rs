//! forkscope as its users start it, and what it reported.

use crate::env::forkscope;
use crate::process::{Ended, Process, said};
use crate::ways::Backend;
use nix::sys::signal::Signal;
use serde_json::Value;
use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use tempfile::TempDir;

/// What forkscope prints on stderr, once, when its probes are on: from here on it misses nothing.
const TRACING: &str = "tracing";

/// A session that goes on.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) process: Process,
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
}

impl Session {
    /// `forkscope COMMAND --report FILE …`, with these variables set.
    pub(crate) fn start<S: AsRef<OsStr>>(
        on: Backend,
        command: &str,
        arguments: &[S],
        variables: &[(&str, &str)],
    ) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut forkscope = Command::new(forkscope());
        forkscope
            .args([command, "--backend", &on.to_string(), "--ui", "log", "--report"])
            .arg(directory.path().join("report.json"));
        forkscope.args(arguments).envs(variables.iter().copied());
        Self { process: Process::start(&mut forkscope), directory }
    }

    /// `forkscope attach PID`, when its probes are on.
    pub(crate) fn attach(on: Backend, pid: u32) -> Self {
        let mut session = Self::start(on, "attach", &[pid.to_string()], &[]);
        session.process.stderr_says(TRACING);
        session
    }

    /// Waits for the end, and reads the report.
    pub(crate) fn end(self) -> Outcome {
        let Ended { status, stdout, stderr } = self.process.end();
        let path = self.directory.path().join("report.json");
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("no report: {error}; {status}\n{}", stderr.join("\n")));
        let report = serde_json::from_str(&text).expect("the report is JSON");
        Outcome { status: code(status), said: said(&stdout), stderr, report }
    }

    /// Ctrl-C, then as [`Session::end`].
    pub(crate) fn interrupt(self) -> Outcome {
        self.process.signal(Signal::SIGINT);
        self.end()
    }
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
