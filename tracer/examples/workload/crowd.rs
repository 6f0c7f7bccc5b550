//! Many pairs of processes at once, each on a connection of its own and on any processor: as many events as can be had.

use super::ping_pong::{WARM_UP, play};
use super::{result, sockets};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::time::Instant;

/// Calls that move bytes, in a round: two processes, each of which writes and reads.
const CALLS: usize = 4;

/// So many pairs, each of so many rounds. Says, beside the rounds, how many calls moved bytes in all.
pub(super) fn run(pairs: usize, rounds: usize) {
    let began = Instant::now();
    let start = |_| {
        // SAFETY: this process has one thread.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Child => {
                let (_, child) = play(sockets::pair(), rounds);
                waitpid(child, None).expect("a child");
                // SAFETY: ends this process.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => child,
        }
    };
    let children: Vec<_> = (0..pairs).map(start).collect();
    for child in children {
        waitpid(child, None).expect("a child");
    }
    let all = pairs * (rounds + WARM_UP);
    result::say(all, began.elapsed(), &format!(r#","transfers":{}"#, all * CALLS));
}
