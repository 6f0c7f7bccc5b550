//! The founding bug, again and again, each time with a connection of its own: when did the call fail?

use super::{result, sockets};
use forkscope::source::ebpf::BEAT;
use nix::sys::socket::{MsgFlags, send};
use nix::sys::wait::waitpid;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{ForkResult, fork, getpid, pipe, read, write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// Between two failures, so that each is alone, and that the news of one is no help to the one before.
const PAUSE: Duration = Duration::from_millis(150);
const _: () = assert!(PAUSE.as_millis() > BEAT.as_millis());

/// Writes for each child its number, and `CLOCK_MONOTONIC` in nanoseconds when its call had failed.
pub(super) fn run(times: usize) {
    let mut lines = Vec::with_capacity(times);
    for _ in 0..times {
        let ends = sockets::tcp();
        send(ends[0].as_raw_fd(), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", MsgFlags::empty())
            .expect("the parent sends");
        lines.push(child(&ends));
        std::thread::sleep(PAUSE);
    }
    result::write(&format!(r#"{{"failed":[{}]}}"#, lines.join(",")));
}

fn child([connection, _peer]: &[OwnedFd; 2]) -> String {
    let (from, to) = pipe().expect("pipe");
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let (other, _) = pipe().expect("pipe");
            // SAFETY: dup2(2) of two numbers that are open here.
            unsafe { libc::dup2(other.as_raw_fd(), connection.as_raw_fd()) };
            let failed = send(connection.as_raw_fd(), b"x", MsgFlags::empty()).is_err();
            let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
            assert!(failed, "a pipe is no socket");
            let nanoseconds = now.tv_sec() * 1_000_000_000 + now.tv_nsec();
            write(&to, format!("[{},{nanoseconds}]", getpid()).as_bytes()).expect("write");
            // SAFETY: ends this process.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            let mut text = [0; 64];
            let length = read(&from, &mut text).expect("read");
            waitpid(child, None).expect("a child");
            String::from_utf8_lossy(&text[..length]).into_owned()
        }
    }
}
