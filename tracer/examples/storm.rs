//! Test program: four threads copy, close and reopen connections under random numbers
//! while their process forks.
//!
//! It waits for a line on stdin, storms, prints `{"ready": true, "pids": […]}` when every process has stopped
//! changing anything, and ends when stdin closes: between the two, /proc shows its last state.

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, read};
use std::io::{BufRead, Read, stdin};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const THREADS: u64 = 4;
const FORKS: u64 = 4;
/// Steps of a thread between two forks, at least, and of a child.
const STEPS: u64 = 300;
/// Where the storm goes on: the program's own descriptors lie below.
const NUMBERS: std::ops::Range<RawFd> = 100..164;

/// A xorshift: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn number(&mut self) -> RawFd {
        NUMBERS.start + (self.next() % NUMBERS.len() as u64) as RawFd
    }
}

/// Puts a file under a number of the storm, where both exist; another thread may replace it at once.
fn put(file: RawFd, number: RawFd) {
    // SAFETY: dup2(2) onto a number that nobody in this program owns; EBADF is as good.
    unsafe { libc::dup2(file, number) };
}

fn step(random: &mut Random, listener: &TcpListener) {
    match random.next() % 4 {
        0 => {
            let address = listener.local_addr().expect("a bound listener");
            let client = TcpStream::connect(address).expect("connect");
            let (server, _) = listener.accept().expect("accept");
            put(client.as_raw_fd(), random.number());
            put(server.as_raw_fd(), random.number());
        }
        1 => put(random.number(), random.number()),
        2 => {
            // SAFETY: close(2) on a number that nobody owns; EBADF is as good.
            unsafe { libc::close(random.number()) };
        }
        _ => {
            let (from, low) = (random.number(), NUMBERS.start);
            // SAFETY: fcntl(2) with two numbers, of which none is owned; the copy lies in the storm or above
            // it, and is closed at once unless it is in the storm.
            let copy = unsafe { libc::fcntl(from, libc::F_DUPFD_CLOEXEC, low) };
            if copy >= NUMBERS.end {
                // SAFETY: the copy was made here, and no other thread closes numbers above the storm.
                drop(unsafe { OwnedFd::from_raw_fd(copy) });
            }
        }
    }
}

/// A forked child: storms a little by itself, says that it is done, waits for the end.
///
/// It opens no connections: all processes share one listener's queue, so it could wait
/// for one that another took.
fn child(seed: u64, done: &OwnedFd, end: &OwnedFd) -> ! {
    let mut random = Random(seed);
    for _ in 0..STEPS {
        if random.next().is_multiple_of(4) {
            // SAFETY: close(2) on a number that nobody owns; EBADF is as good.
            unsafe { libc::close(random.number()) };
        } else {
            put(random.number(), random.number());
        }
    }
    nix::unistd::write(done, b".").expect("tell the first process");
    let _ = read(end, &mut [0]);
    // SAFETY: ends this process at once; what another thread held at the fork is not touched.
    unsafe { libc::_exit(0) }
}

fn storm(listener: &TcpListener, done: &OwnedFd, end: &OwnedFd) -> Vec<Pid> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for seed in 1..=THREADS {
            let over = &over;
            scope.spawn(move || {
                let mut random = Random(seed * 0x9e37_79b9);
                while !over.load(Ordering::Relaxed) {
                    step(&mut random, listener);
                }
            });
        }
        let mut children = Vec::new();
        let mut random = Random(99);
        for seed in 1..=FORKS {
            for _ in 0..STEPS {
                step(&mut random, listener);
            }
            // SAFETY: the child allocates nothing and takes no lock: it makes system calls only.
            match unsafe { fork() }.expect("fork") {
                ForkResult::Child => child(seed * 77, done, end),
                ForkResult::Parent { child } => children.push(child),
            }
        }
        over.store(true, Ordering::Relaxed);
        children
    })
}

fn main() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen");
    let (done_reader, done) = nix::unistd::pipe().expect("pipe");
    let (end_reader, end) = nix::unistd::pipe().expect("pipe");
    stdin().lock().read_line(&mut String::new()).expect("stdin");
    let children = storm(&listener, &done, &end_reader);
    let mut told = [0; FORKS as usize];
    std::fs::File::from(done_reader).read_exact(&mut told).expect("the children");
    let pids: Vec<String> =
        std::iter::once(Pid::this()).chain(children.iter().copied()).map(|pid| pid.to_string()).collect();
    println!("{{\"ready\": true, \"pids\": [{}]}}", pids.join(", "));
    let _ = stdin().lock().read_to_end(&mut Vec::new());
    nix::unistd::write(&end, &[0; FORKS as usize]).expect("end the children");
    for child in children {
        waitpid(child, None).expect("wait");
    }
}
