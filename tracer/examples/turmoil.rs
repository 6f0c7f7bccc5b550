//! Test program: eight threads that fork, stop and continue their children, execute programs and take
//! signals, all at once. At the end one that is not the first executes this program anew, which ends with 42.
//!
//! It counts what happened, and prints the same counts each time: a tracer that loses a signal, a stop or a
//! status makes them differ.

use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, raise, sigaction};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, execv, fork};
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

const THREADS: u32 = 8;
const ROUNDS: u32 = 6;
const SIGNALS: u32 = 40;

static TAKEN: AtomicU32 = AtomicU32::new(0);
static REAL_TIME: AtomicU32 = AtomicU32::new(0);

extern "C" fn take(_: libc::c_int) {
    TAKEN.fetch_add(1, Ordering::Relaxed);
}

extern "C" fn take_real_time(_: libc::c_int) {
    REAL_TIME.fetch_add(1, Ordering::Relaxed);
}

/// What one thread counted.
#[derive(Default, Debug)]
struct Counts {
    stopped: u32,
    continued: u32,
    exited: u32,
    killed: u32,
    executed: u32,
}

/// A child that stops itself, is continued, and ends with a status of its own or by a signal.
fn stop_and_continue(number: u32, counts: &mut Counts) {
    // SAFETY: the child makes system calls only, and ends.
    let child = match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let _ = raise(Signal::SIGSTOP);
            if number.is_multiple_of(3) {
                let _ = raise(Signal::SIGKILL);
            }
            // SAFETY: ends at once.
            unsafe { libc::_exit(number as i32) }
        }
        ForkResult::Parent { child } => child,
    };
    let next = |flags| waitpid(child, Some(flags)).expect("a child");
    assert_eq!(next(WaitPidFlag::WUNTRACED), WaitStatus::Stopped(child, Signal::SIGSTOP));
    counts.stopped += 1;
    kill(child, Signal::SIGCONT).expect("it is there");
    let mut status = next(WaitPidFlag::WCONTINUED);
    if status == WaitStatus::Continued(child) {
        counts.continued += 1;
        status = next(WaitPidFlag::empty());
    } else {
        // It ended before anyone looked.
        counts.continued += 1;
    }
    match status {
        WaitStatus::Exited(_, status) if status == number as i32 => counts.exited += 1,
        WaitStatus::Signaled(_, Signal::SIGKILL, _) if number.is_multiple_of(3) => counts.killed += 1,
        other => panic!("{other:?}"),
    }
}

fn work(thread: u32) -> Counts {
    let mut counts = Counts::default();
    for round in 0..ROUNDS {
        stop_and_continue(thread * ROUNDS + round + 1, &mut counts);
        let status =
            Command::new("/bin/sh").args(["-c", &format!("exit {round}")]).status().expect("a shell");
        counts.executed += u32::from(status.code() == Some(round as i32));
        for _ in 0..SIGNALS {
            pthread_kill(pthread_self(), Signal::SIGUSR1).expect("this thread");
            // SAFETY: no memory is passed; the signal has a handler.
            unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGRTMIN() + 3) };
        }
    }
    counts
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("again") {
        println!("executed anew as {}", std::process::id());
        std::process::exit(42);
    }
    println!("began as {}", std::process::id());
    for (signal, handler) in [
        (libc::SIGUSR1, take as extern "C" fn(_)),
        (libc::SIGRTMIN() + 3, take_real_time as extern "C" fn(_)),
    ] {
        if let Ok(signal) = Signal::try_from(signal) {
            let action = SigAction::new(SigHandler::Handler(handler), SaFlags::SA_RESTART, SigSet::empty());
            // SAFETY: the handler adds to a number.
            unsafe { sigaction(signal, &action) }.expect("a handler");
        } else {
            // nix knows no real-time signals.
            // SAFETY: as above.
            unsafe { libc::signal(signal, handler as *const () as usize) };
        }
    }
    let threads: Vec<_> = (0..THREADS).map(|thread| thread::spawn(move || work(thread))).collect();
    let mut all = Counts::default();
    for thread in threads {
        let counts = thread.join().expect("it did its work");
        all.stopped += counts.stopped;
        all.continued += counts.continued;
        all.exited += counts.exited;
        all.killed += counts.killed;
        all.executed += counts.executed;
    }
    println!("{all:?}");
    println!("signals {} and {}", TAKEN.load(Ordering::Relaxed), REAL_TIME.load(Ordering::Relaxed));
    let own =
        CString::new(std::env::current_exe().expect("own path").into_os_string().into_vec()).expect("a path");
    let again = [own.clone(), CString::new("again").expect("a word")];
    let last = thread::spawn(move || execv(&own, &again));
    let Err(error) = last.join().expect("it executes");
    panic!("exec: {error}");
}
