//! A traced program that does what it is told, line by line.

use crate::process::until;
use forkscope::decode::Batch;
use forkscope::event::What;
use forkscope::source::ebpf::{EbpfSource, Settings};
use forkscope::source::{Known, Source as _, proc};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PROGRAM: &str = "
import os, select, socket, sys
here, there = socket.socketpair()
here.setblocking(False)
out = socket.socket()
for line in sys.stdin:
    try:
        exec(line)
    except OSError:
        pass
    print('done', flush=True)
";

/// The program, and what traces it.
pub(super) struct Obedient {
    pub(super) source: EbpfSource,
    child: Child,
    stdin: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Obedient {
    /// Starts it; it has done nothing yet. `known`: what is known of it when tracing it begins.
    pub(super) fn start(settings: &Settings, known: Known) -> Self {
        let source = EbpfSource::start(settings).expect("eBPF works here");
        let mut program = Command::new("python3");
        program.args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = program.spawn().expect("python3");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let key = proc::key(child.id()).expect("it runs");
        let mut program = Self { source, child, stdin, said: BufReader::new(stdout) };
        program.does("pass");
        program.source.follow(key, known).expect("it can be traced");
        program
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it do a line of Python. What the system refuses it passes over.
    pub(super) fn does(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it listens");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads");
        let mut done = String::new();
        self.said.read_line(&mut done).expect("it answers");
        assert_eq!(done, "done\n");
    }

    /// Has it execute its program once more: what it had set up is gone.
    pub(super) fn executes_itself(&mut self) {
        let stdin = self.stdin.as_mut().expect("it listens");
        stdin.write_all(b"os.execvp('python3', sys.orig_argv)\n").expect("it reads");
        // Two lines at once the old program would read both.
        until("it executes its program", || {
            let mut executed = false;
            self.drain().take(None, None, |event, _| executed |= matches!(event.what, What::Exec(..)));
            executed
        });
        self.does("pass");
    }

    /// The records that wait.
    pub(super) fn drain(&mut self) -> Batch {
        let mut batch = Batch::default();
        self.source.drain(&mut batch);
        batch
    }

    /// Has it end.
    pub(super) fn ends(&mut self) {
        drop(self.stdin.take());
        self.child.wait().expect("it ends");
    }
}
