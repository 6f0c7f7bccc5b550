//! A parent with many open sockets forks again and again.

use super::result::Clock;
use super::sockets;
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

/// So many forks; each child ends at once.
pub(super) fn run(sockets: usize, forks: usize) {
    let open: Vec<_> = (0..sockets.div_ceil(2)).map(|_| sockets::pair()).collect();
    let mut clock = Clock::start(forks);
    for _ in 0..forks {
        // SAFETY: this process has one thread.
        match unsafe { fork() }.expect("fork") {
            // SAFETY: ends this process.
            ForkResult::Child => unsafe { libc::_exit(0) },
            ForkResult::Parent { child } => waitpid(child, None).expect("a child"),
        };
        clock.lap();
    }
    drop(open);
    clock.end();
}
