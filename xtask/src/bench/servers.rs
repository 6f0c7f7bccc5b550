//! Servers that workloads call. They are not traced.

use super::tools::Tools;
use crate::command::command;
use crate::paths;
use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that ends when this is dropped.
pub(super) struct Server {
    process: Child,
    pub(super) port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The gRPC server ends when its stdin closes; the other has nothing to keep. Gone already is as good.
        drop(self.process.stdin.take());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Python of the end-to-end tests (`tracer/tests/e2e/setup.sh`).
pub(super) fn python() -> String {
    paths::at("target/e2e/py3/bin/python").to_string_lossy().into_owned()
}

/// A program of the end-to-end tests.
pub(super) fn program(name: &str) -> String {
    paths::at("tracer/tests/programs").join(name).to_string_lossy().into_owned()
}

/// The Greeter, which says its port when it is ready. It has the last processor, as its client
/// (`grpc_load.py`) has the first: where the scheduler puts them makes more of a difference than
/// forkscope does. A tracer has all.
pub(super) fn greeter() -> Result<Server> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).context("cannot ask which processors may be used")?;
    let last = (0..CpuSet::count()).rfind(|&processor| allowed.is_set(processor) == Ok(true)).unwrap_or(0);
    let mut start = command("taskset");
    start.args(["-c", &last.to_string(), &python(), &program("greeter.py")]);
    start.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = start.spawn().context("cannot start the gRPC server")?;
    let mut line = String::new();
    BufReader::new(process.stdout.take().context("it has a stdout")?).read_line(&mut line)?;
    let port = serde_json::from_str(&line).ok().and_then(|said: Value| said["port"].as_u64());
    let mut server = Server { process, port: 0 };
    server.port =
        port.and_then(|port| port.try_into().ok()).context("the gRPC server did not say its port")?;
    Ok(server)
}

/// Redis, with nothing kept on disk.
pub(super) fn redis(tools: &Tools) -> Result<Server> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let (number, folder) = (port.to_string(), tools.file(""));
    let mut start = command("redis-server");
    start.args([
        "--bind",
        "127.0.0.1",
        "--port",
        &number,
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        &folder,
    ]);
    let process = start.stdout(Stdio::null()).spawn().context("cannot start redis-server")?;
    let mut server = Server { process, port };
    let began = Instant::now();
    while !answers(port) {
        if let Some(status) = server.process.try_wait()? {
            bail!("redis-server ended: {status}");
        }
        if began.elapsed() > PATIENCE {
            bail!("redis-server does not answer on port {port}");
        }
        sleep(Duration::from_millis(20));
    }
    Ok(server)
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").is_ok() && stream.read_exact(&mut answer).is_ok() && answer == *b"+PONG\r\n"
}
