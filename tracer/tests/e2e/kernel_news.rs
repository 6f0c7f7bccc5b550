//! What user space is woken for.

use crate::env::Env;
use forkscope::decode::Batch;
use forkscope::source::ebpf::{EbpfSource, Settings};
use forkscope::source::{Source, proc};
use forkscope_proto::Config;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Does what it is told, line by line.
const PROGRAM: &str = "
import os, socket, sys
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

/// A traced program, and what is woken for it.
struct Traced {
    source: EbpfSource,
    child: Child,
    stdin: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
    woken: Epoll,
}

impl Traced {
    fn start() -> Self {
        let source = EbpfSource::start(&Settings::default()).expect("eBPF works here");
        let mut program = Command::new("python3");
        program.args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = program.spawn().expect("python3");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let woken = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll instance");
        let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        woken.add(source.wake(), EpollEvent::new(edges, 0)).expect("it can be waited for");
        let key = proc::key(child.id()).expect("it runs");
        let mut traced = Self { child, stdin, said: BufReader::new(stdout), woken, source };
        traced.does("pass");
        traced.source.follow(key, 1, false).expect("it can be traced");
        traced
    }

    fn does(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it listens");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads");
        let mut done = String::new();
        self.said.read_line(&mut done).expect("it answers");
        assert_eq!(done, "done\n");
    }

    /// Whether something has woken user space since this was asked last, for the most so long. News must be the reason.
    fn was_woken(&mut self, within: Duration) -> bool {
        let within = EpollTimeout::try_from(within).expect("no long time");
        let woken = self.woken.wait(&mut [EpollEvent::empty()], within).expect("no signal comes") > 0;
        self.source.drain(&mut Batch::default());
        assert_eq!(self.source.take_drained().news, woken);
        woken
    }

    /// Whether it is woken for what the program does, which it does again where another one may have been just before.
    fn wakes(&mut self, line: &str) -> bool {
        let patience = Instant::now() + Duration::from_secs(20);
        while Instant::now() < patience {
            self.does(line);
            if self.was_woken(Duration::ZERO) {
                return true;
            }
        }
        false
    }
}

#[test]
fn news_wakes_and_what_happens_every_day_does_not() {
    if Env::get().is_none() {
        return;
    }
    let mut traced = Traced::start();
    for quiet in [
        "here.send(b'x')",
        "there.recv(1)",
        "here.recv(1)",
        "os.isatty(0)",
        "open('/nothing is here')",
        "os.close(999)",
        "os.close(os.dup(0))",
    ] {
        traced.does(quiet);
        assert!(!traced.was_woken(Duration::ZERO), "{quiet}");
    }
    for news in [
        "os.write(999, b'x')",
        "out.send(b'x')",
        "out.connect(('127.0.0.1', 1))",
        "os.fork() or os._exit(0); os.wait()",
        "os.posix_spawn('/bin/true', ['true'], {}); os.wait()",
    ] {
        assert!(traced.wakes(news), "{news}");
    }
    // The child's end was news, too.
    sleep(Duration::from_nanos(Config::NEWS_PAUSE));
    drop(traced.stdin.take());
    traced.child.wait().expect("it ends");
    assert!(traced.was_woken(Duration::from_secs(20)), "its end");
}
