//! Servers of this test's own, on free ports of 127.0.0.1. Dropped, they end.

use crate::env::{Env, program};
use crate::process::Process;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// A port that was free just now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// The gRPC server.
#[derive(Debug)]
pub(crate) struct Greeter {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    process: Process,
}

impl Greeter {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(env: &Env) -> Self {
        let mut process = Process::start(Command::new(env.python()).arg(program("greeter.py")));
        let line = process.stdout_says("ready");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        Self { address: format!("127.0.0.1:{}", ready["port"]), process }
    }

    /// Waits until it begins with a slow call.
    pub(crate) fn begins(&mut self) {
        self.process.stdout_says("begun");
    }
}

/// A server of plain TCP that reads what it gets, and answers with the same where it is an echo.
#[derive(Debug)]
pub(crate) struct Plain {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    got: Arc<Mutex<Vec<u8>>>,
}

impl Plain {
    /// One that only reads.
    pub(crate) fn sink() -> Self {
        Self::start(0, usize::MAX)
    }

    /// One that answers.
    pub(crate) fn echo() -> Self {
        Self::start(usize::MAX, usize::MAX)
    }

    /// One that answers, and ends the connection.
    pub(crate) fn echo_once() -> Self {
        Self::start(1, 1)
    }

    /// All bytes that it got.
    pub(crate) fn got(&self) -> Vec<u8> {
        self.got.lock().expect("no reader panicked").clone()
    }

    /// Reads so often, and answers so many times.
    fn start(answers: usize, reads: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let server = Self { address: listener.local_addr().expect("bound"), got: Arc::default() };
        let got = Arc::clone(&server.got);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let got = Arc::clone(&got);
                thread::spawn(move || serve(stream, answers, reads, &got));
            }
        });
        server
    }
}

fn serve(mut stream: TcpStream, answers: usize, reads: usize, got: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    for at in 0..reads {
        let Ok(length @ 1..) = stream.read(&mut buffer) else { return };
        got.lock().expect("no reader panicked").extend(&buffer[..length]);
        if at < answers && stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
