//! 64 bytes there and 64 bytes back, between a process and its child.

use super::result::Clock;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

const SIZE: usize = 64;
/// Rounds before time is taken.
pub(super) const WARM_UP: usize = 1000;

/// So many rounds. Both ends are on one processor, so that neither wake-ups across processors nor where the
/// scheduler puts them is measured; a tracer has the others.
pub(super) fn run(ends: [OwnedFd; 2], rounds: usize) {
    let mut one = CpuSet::new();
    one.set(0).expect("a processor");
    sched_setaffinity(Pid::from_raw(0), &one).expect("processor 0 may be used");
    let (clock, child) = play(ends, rounds);
    waitpid(child, None).expect("a child");
    clock.end();
}

/// So many rounds with a child, which ends after them.
pub(super) fn play([near, far]: [OwnedFd; 2], rounds: usize) -> (Clock, Pid) {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            drop(near);
            answer(File::from(far));
            // SAFETY: ends this process.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            drop(far);
            (ask(File::from(near), rounds), child)
        }
    }
}

fn answer(mut end: File) {
    let mut bytes = [0; SIZE];
    while end.read_exact(&mut bytes).is_ok() && end.write_all(&bytes).is_ok() {}
}

fn ask(mut end: File, rounds: usize) -> Clock {
    let mut bytes = [b'p'; SIZE];
    let mut round = || {
        end.write_all(&bytes).expect("send");
        end.read_exact(&mut bytes).expect("receive");
    };
    (0..WARM_UP).for_each(|_| round());
    let mut clock = Clock::start(rounds);
    for _ in 0..rounds {
        round();
        clock.lap();
    }
    clock
}
