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

/// A buffer that its user made larger is not read in one go: forkscope stood still while it was filled,
/// and the program has ended.
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

/// Forks a child that waits, fills the buffer, and has the child end; goes on living. An end has the smallest
/// record: those of threads fill what the large ones leave.
const LOST_END: &str = "
import os, socket, sys, threading
here, there = socket.socketpair()
listener = socket.create_server(('127.0.0.1', 0))
connection = socket.create_connection(listener.getsockname())
held, ends = os.pipe()
child = os.fork()
if child == 0:
    os.close(ends)
    os.read(held, 1)
    os._exit(7)
print('{\"ready\": %d}' % child, flush=True)
sys.stdin.readline()
for _ in range(2000):
    here.send(bytes(2048))
    there.recv(2048)
for _ in range(100):
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
os.close(ends)
os.waitpid(child, 0)
print('{\"ended\": %d}' % child, flush=True)
sys.stdin.readline()
";

/// The event of a child's end is lost: /proc shows that it is gone, and it holds nothing from then on.
#[test]
fn an_end_that_was_lost_is_seen_in_proc() {
    let Some(_) = Env::get() else { return };
    let options = ["-v", "--buffer", "1", "--capture-bytes", "2048"];
    let program = ["--", "python3", "-c", LOST_END];
    let mut session = Session::start(Backend::Ebpf, "run", &[&options[..], &program].concat(), &[]);
    let forkscope = session.process();
    let ready: serde_json::Value = serde_json::from_str(&forkscope.stdout_says("ready")).expect("JSON");
    forkscope.signal(Signal::SIGSTOP);
    forkscope.go_on();
    forkscope.stdout_says("ended");
    forkscope.signal(Signal::SIGCONT);
    forkscope.stderr_says("ended, unseen");
    forkscope.go_on();
    let outcome = session.end();
    let processes = outcome.report["processes"].as_array().expect("processes");
    let is_child = |one: &&serde_json::Value| one["pid"] == ready["ready"];
    let children: Vec<_> = processes.iter().filter(is_child).collect();
    let [child] = children[..] else { panic!("one child: {children:#?}") };
    assert!(child["exit"].is_object() && child["exit"]["status"].is_null(), "{child:#}");
    let connection = &outcome.report["connections"][0];
    let holder = connection["holders"].as_array().expect("holders").iter().find(is_child).expect("the child");
    assert!(holder["closed_at"].is_number(), "{connection:#}");
    let lost = &outcome.report["stats"]["lost"]["ring-full"]["exit"];
    assert!(lost.as_u64() > Some(0), "{:#}", outcome.report["stats"]);
}
