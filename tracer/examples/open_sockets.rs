//! Benchmark's program: holds many TCP connections to itself open, for what attaching to it costs.
//!
//! `open_sockets N` opens N sockets (N / 2 connections on loopback, both ends), prints
//! `{"ready": true, "pids": [PID]}`, and ends when stdin closes.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::io::{Read, stdin};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// Descriptors beside those that are asked for: the listener and the standard ones, with some to spare.
const OTHERS: u64 = 64;

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse::<u64>().ok());
    let count = count.expect("the number of sockets to open, as the only argument");
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("limits can be read");
    let wanted = soft.max(count + OTHERS);
    setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted))
        .expect("so many descriptors are allowed: `ulimit -Hn` shows the limit, root may raise it");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("a bound listener");
    let connections: Vec<_> = (0..count / 2)
        .map(|_| {
            let client = TcpStream::connect(address).expect("connect");
            (client, listener.accept().expect("accept").0)
        })
        .collect();
    println!("{{\"ready\": true, \"pids\": [{}]}}", std::process::id());
    stdin().read_to_end(&mut Vec::new()).expect("stdin can be read");
    drop(connections);
}
