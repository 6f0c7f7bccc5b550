//! Test program: several hundred calls on sockets and descriptors over three processes and their threads, the
//! same ones each time it runs.
//!
//! It prints a JSON line for each thread (`role`, `tid`), so that two runs can be compared thread by thread.
//! Threads of one process take turns: descriptor numbers depend on who comes first.

mod descriptors;
mod failures;
mod kernel;
mod transfers;

use kernel::{at, close, close_all, connection, fails, flag, into, listener, makes, must, pair};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, execv, fork};
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;
use std::sync::{Condvar, Mutex};
use std::thread;

/// Whose turn it is.
static TURN: (Mutex<u32>, Condvar) = (Mutex::new(0), Condvar::new());

fn say(role: &str) {
    println!("{{\"role\": \"{role}\", \"tid\": {}}}", nix::unistd::gettid());
}

fn in_turn(turn: u32, work: impl FnOnce()) {
    let mut current = TURN.1.wait_while(TURN.0.lock().unwrap(), |current| *current != turn).unwrap();
    work();
    *current += 1;
    TURN.1.notify_all();
}

/// The first process' threads: while one has its turn, the others wait for theirs.
fn threads() {
    thread::scope(|scope| {
        for (turn, role, work) in [
            (0, "worker-transfers", transfers::run as fn()),
            (1, "worker-descriptors", descriptors::run),
            (2, "worker-failures", failures::run),
        ] {
            scope.spawn(move || {
                in_turn(turn, || say(role));
                in_turn(turn + 3, work);
                in_turn(turn + 6, work);
            });
        }
    });
}

/// A thread reads what another sends: the call blocks, the numbers are settled before.
fn blocked() {
    let (listening, address) = listener();
    let [client, server] = connection(listening, &address);
    thread::scope(|scope| {
        scope.spawn(move || {
            say("reader");
            let mut buffer = [0_u8; 8];
            must(libc::SYS_recvfrom, &[server, into(&mut buffer), 8, flag(libc::MSG_WAITALL), 0, 0], 8);
        });
        must(libc::SYS_sendto, &[client, at(b"awaited!"), 8, 0, 0, 0], 8);
    });
    close_all(&[client, server, listening]);
}

/// The child: uses what it inherited, closes some, then works on its own; the grandchild
/// becomes another program.
fn child(inherited: [usize; 2]) {
    say("child");
    must(libc::SYS_sendto, &[inherited[0], at(b"from child"), 10, 0, 0, 0], 10);
    close(inherited[0]);
    fails(libc::SYS_sendto, &[inherited[0], at(b"gone"), 4, 0, 0, 0], libc::EBADF);
    // SAFETY: this process has one thread, and the child executes another program or ends.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            must(libc::SYS_fcntl, &[inherited[1], flag(libc::F_SETFD), 0], 0);
            let gone = makes(libc::SYS_eventfd2, &[0, flag(libc::EFD_CLOEXEC)]);
            let own = std::env::current_exe().expect("own path").into_os_string().into_vec();
            let own = CString::new(own).expect("a path has no zero");
            let numbers = [inherited[1], gone].map(|fd| CString::new(fd.to_string()).expect("digits"));
            let Err(error) = execv(&own, &[&own, &numbers[0], &numbers[1]]);
            panic!("exec: {error}");
        }
        ForkResult::Parent { child } => {
            transfers::run();
            descriptors::run();
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
        }
    }
}

/// After exec: one descriptor came through it, the other did not.
fn after_exec(kept: usize, gone: usize) {
    say("grandchild");
    fails(libc::SYS_write, &[gone, at(&[0_u8; 8]), 8], libc::EBADF);
    let mut buffer = [0_u8; 10];
    must(libc::SYS_recvfrom, &[kept, into(&mut buffer), 10, flag(libc::MSG_WAITALL), 0, 0], 10);
    assert_eq!(&buffer, b"from child");
    close(kept);
    failures::run();
}

fn main() {
    let numbers: Vec<usize> =
        std::env::args().skip(1).map(|number| number.parse().expect("a descriptor number")).collect();
    if let [kept, gone] = numbers[..] {
        return after_exec(kept, gone);
    }
    say("first");
    // Whoever started this may have left descriptors open: the numbers must not depend on that.
    must(libc::SYS_close_range, &[3, u32::MAX as usize, 0], 0);
    let ends = pair(
        libc::SYS_socketpair,
        &[flag(libc::AF_UNIX), flag(libc::SOCK_STREAM | libc::SOCK_CLOEXEC), 0],
        3,
    );
    // SAFETY: this process has one thread yet.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => child(ends),
        ForkResult::Parent { child } => {
            close_all(&ends);
            threads();
            blocked();
            assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
        }
    }
}
