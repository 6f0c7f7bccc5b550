//! Test program: a mixed load of forks, connections, threads and programs for so many
//! seconds, at a bounded rate.
//!
//! Most of it is healthy. Now and then a child uses its parent's connection, always the same one
//! but for a new one every so often, so that findings have few causes and many repeats. It prints
//! how many rounds it made.

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// The least time that a round takes.
const ROUND: Duration = Duration::from_millis(10);
/// Rounds with one shared connection before the next.
const SHARED_FOR: u64 = 6_000;

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8] = b"+PONG\r\n";

/// Answers each request of Redis' protocol, whatever it asks.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming().map_while(Result::ok) {
        thread::spawn(move || {
            let mut stream = stream;
            let mut request = [0; PING.len()];
            while stream.read_exact(&mut request).is_ok() && stream.write_all(PONG).is_ok() {}
        });
    }
}

fn exchange(stream: &mut TcpStream) {
    stream.write_all(PING).expect("ask");
    let mut answer = [0; PONG.len()];
    stream.read_exact(&mut answer).expect("answer");
}

fn connect(server: SocketAddr) -> TcpStream {
    TcpStream::connect(server).expect("connect")
}

/// Runs this in a child, and waits for its end.
fn in_child(work: impl FnOnce()) {
    // SAFETY: the child uses what its copy of the memory has, allocates little, and ends at once. The threads
    // that it lacks only serve connections, and hold no lock when nobody asks.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            work();
            // SAFETY: ends this process.
            unsafe { libc::_exit(0) }
        }
        ForkResult::Parent { child } => {
            waitpid(child, None).expect("a child");
        }
    }
}

fn round(number: u64, server: SocketAddr, shared: &mut TcpStream) {
    match number % 6 {
        // As a fork-aware library: the copy is closed, and the child has its own.
        0 => in_child(|| {
            // SAFETY: the child never uses the connection again.
            unsafe { libc::close(shared.as_raw_fd()) };
            let mut own = connect(server);
            (0..3).for_each(|_| exchange(&mut own));
        }),
        1 => {
            exchange(shared);
            in_child(|| exchange(shared));
            exchange(shared);
        }
        2 => assert!(Command::new("true").status().expect("a program").success()),
        3 => {
            for _ in 0..20 {
                drop(shared.try_clone().expect("a copy"));
            }
        }
        4 => (0..10).for_each(|_| exchange(&mut connect(server))),
        _ => {
            let threads = (0..3).map(|_| thread::spawn(move || exchange(&mut connect(server))));
            threads.collect::<Vec<_>>().into_iter().for_each(|one| one.join().expect("it asked"));
        }
    }
}

/// The server is a process of its own: what it holds is its, and it is traced as well.
fn server() -> (SocketAddr, nix::unistd::Pid) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen");
    let address = listener.local_addr().expect("bound");
    // SAFETY: there is one thread, so that the child may do anything.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            serve(&listener);
            std::process::exit(0);
        }
        ForkResult::Parent { child } => (address, child),
    }
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(10);
    let (address, child) = server();
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut shared = connect(address);
    let mut rounds = 0;
    while Instant::now() < end {
        let next = Instant::now() + ROUND;
        if rounds % SHARED_FOR == 0 {
            shared = connect(address);
        }
        round(rounds, address, &mut shared);
        rounds += 1;
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGTERM).expect("it serves");
    waitpid(child, None).expect("it was there");
    println!("{{\"rounds\": {rounds}}}");
}
