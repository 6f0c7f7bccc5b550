//! What still waits in the ring when a program has ended.

use crate::env::Env;
use crate::process::until;
use crate::run::Session;
use crate::ways::Backend;
use nix::sys::signal::Signal;
use std::fs;

/// Says its number, waits, and sends and receives 2 KiB so many times.
const PROGRAM: &str = "
import os, socket, sys
here, there = socket.socketpair()
print('{\"ready\": %d}' % os.getpid(), flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[1])):
    here.send(bytes(2048))
    there.recv(2048)
";
/// Their records take 470 MB.
const TIMES: u64 = 110_000;

/// A buffer that its user made larger is not read in one go: forkscope stood still while it was filled, and the program has
/// ended.
#[test]
fn a_large_buffer_is_read_to_its_end() {
    let Some(_) = Env::get() else { return };
    let times = TIMES.to_string();
    let options = ["--buffer", "512", "--capture-bytes", "2048", "--record-payload", "none"];
    let program = ["--", "python3", "-c", PROGRAM, &times];
    let mut session = Session::start(Backend::Ebpf, "run", &[&options[..], &program].concat(), &[]);
    let forkscope = session.process();
    let ready: serde_json::Value = serde_json::from_str(&forkscope.stdout_says("ready")).expect("JSON");
    forkscope.signal(Signal::SIGSTOP);
    forkscope.go_on();
    let stat = format!("/proc/{}/stat", ready["ready"]);
    until("the program has ended", || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z ")));
    forkscope.signal(Signal::SIGCONT);
    let outcome = session.end();
    let events = &outcome.report["stats"]["events"];
    assert!(events["io"].as_u64() >= Some(2 * TIMES), "{:#}", outcome.report["stats"]);
}
