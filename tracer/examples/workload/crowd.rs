//! Many processes at once, on any processor: as many events as can be had.

use super::ping_pong::{WARM_UP, play};
use super::{result, sockets};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// Calls that move bytes, in a round: two processes, each of which writes and reads.
const CALLS: usize = 4;

/// So many pairs, each of so many rounds. Says, beside the rounds, how many calls moved bytes in all.
pub(super) fn run(pairs: usize, rounds: usize) {
    let took = at_once(pairs, || {
        let (_, child) = play(sockets::pair(), rounds);
        waitpid(child, None).expect("a child");
    });
    let all = pairs * (rounds + WARM_UP);
    result::say(all, took, &format!(r#","transfers":{}"#, all * CALLS));
}

/// So many processes, each of which reads so often from a socket that has nothing for it: no
/// calls of sockets are faster.
pub(super) fn flood(processes: usize, calls: usize) {
    let took = at_once(processes, || {
        let [end, _peer] = sockets::pair();
        for _ in 0..calls {
            let read = recv(end.as_raw_fd(), &mut [0; 64], MsgFlags::MSG_DONTWAIT);
            assert_eq!(read, Err(Errno::EAGAIN), "nobody writes");
        }
    });
    let all = processes * calls;
    result::say(all, took, &format!(r#","transfers":{all}"#));
}

/// Does it in so many processes at once; how long it took until all had ended.
fn at_once(processes: usize, work: impl Fn()) -> Duration {
    let began = Instant::now();
    let start = |_| {
        // SAFETY: this process has one thread.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Child => {
                work();
                // SAFETY: ends this process.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => child,
        }
    };
    let children: Vec<_> = (0..processes).map(start).collect();
    for child in children {
        waitpid(child, None).expect("a child");
    }
    began.elapsed()
}
