//! What user space is woken for.

use crate::env::Env;
use crate::obedient::Obedient;
use forkscope::source::ebpf::Settings;
use forkscope::source::{Known, Source as _};
use forkscope_proto::Config;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A traced program, and what is woken for it.
struct Traced {
    program: Obedient,
    woken: Epoll,
}

impl Traced {
    fn start() -> Self {
        let program = Obedient::start(&Settings::default(), Known::default());
        let woken = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("an epoll instance");
        let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        woken.add(program.source.wake(), EpollEvent::new(edges, 0)).expect("it can be waited for");
        let mut traced = Self { program, woken };
        traced.forget();
        traced
    }

    /// What waited in the ring when it was added makes an edge of its own, and is no news.
    fn forget(&mut self) {
        self.woken.wait(&mut [EpollEvent::empty()], EpollTimeout::ZERO).expect("no signal comes");
        self.program.drain();
        self.program.source.take_drained();
    }

    /// Whether something has woken user space since this was asked last, for the most so long.
    /// News must be the reason.
    fn was_woken(&mut self, within: Duration) -> bool {
        let within = EpollTimeout::try_from(within).expect("no long time");
        let woken = self.woken.wait(&mut [EpollEvent::empty()], within).expect("no signal comes") > 0;
        self.program.drain();
        assert_eq!(self.program.source.take_drained().news, woken);
        woken
    }

    /// Whether it is woken for what the program does, which it does again where another one
    /// may have been just before.
    fn wakes(&mut self, line: &str) -> bool {
        let patience = Instant::now() + Duration::from_secs(20);
        while Instant::now() < patience {
            self.program.does(line);
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
        traced.program.does(quiet);
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
    traced.program.ends();
    assert!(traced.was_woken(Duration::from_secs(20)), "its end");
}
