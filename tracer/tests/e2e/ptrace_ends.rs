//! However forkscope ends, what it traced through ptrace goes on, and is let go as soon as it can be.

use crate::env::{Env, forkscope};
use crate::process::{Process, until};
use crate::run::Session;
use crate::ways::Backend;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::process::Command;

/// A line of /proc/PID/status.
fn status(pid: u32, name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
}

fn tracer_of(pid: u32) -> u32 {
    status(pid, "TracerPid:").expect("it lives").parse().expect("a number")
}

/// The letter of a process' state.
fn state(pid: u32) -> char {
    status(pid, "State:").and_then(|state| state.chars().next()).unwrap_or('-')
}

fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

fn is_keeper(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| line.split(|&byte| byte == 0).nth(1) == Some(b"keeper"))
}

/// The keepers among a process' children.
fn keepers_of(pid: u32) -> Vec<u32> {
    children(pid).into_iter().filter(|&child| is_keeper(child)).collect()
}

/// What comes through a `cat` shows that it runs.
fn runs(cat: &mut Process) {
    cat.types("a line\n");
    cat.stdout_says("a line");
}

/// `forkscope run -- cat`, with its program and its keeper.
fn started(options: &[&str]) -> (Process, u32, u32) {
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", "ptrace"]).args(options).args(["--", "cat"]);
    let mut forkscope = Process::start(&mut command);
    runs(&mut forkscope);
    let all = children(forkscope.pid());
    let keeper = all.iter().copied().find(|&pid| is_keeper(pid)).expect("a keeper");
    let program = all.into_iter().find(|&pid| pid != keeper).expect("a program");
    assert_eq!(tracer_of(program), keeper);
    (forkscope, program, keeper)
}

/// It runs on, traced by the keeper that its filter needs, and the keeper ends with it.
fn goes_on(mut cat: Process, program: u32, keeper: u32) {
    runs(&mut cat);
    // A stop for the tracer lasts for a moment only.
    until("it runs on", || matches!(state(program), 'R' | 'S'));
    assert_eq!(tracer_of(program), keeper);
    cat.close_stdin();
    until("the program ends", || matches!(state(program), '-' | 'Z'));
    until("the keeper ends", || matches!(state(keeper), '-' | 'Z'));
}

#[test]
fn a_killed_forkscope_leaves_its_program_running() {
    let Some(_) = Env::get() else { return };
    let (mut forkscope, program, keeper) = started(&["--ui", "none"]);
    forkscope.signal(Signal::SIGKILL);
    forkscope.wait();
    goes_on(forkscope, program, keeper);
}

#[test]
fn a_limit_leaves_the_program_running() {
    let Some(_) = Env::get() else { return };
    let (mut forkscope, program, keeper) = started(&["--duration", "3s"]);
    assert!(forkscope.wait().success());
    goes_on(forkscope, program, keeper);
}

#[test]
fn sigterm_leaves_the_program_running() {
    let Some(_) = Env::get() else { return };
    let (mut forkscope, program, keeper) = started(&[]);
    forkscope.signal(Signal::SIGTERM);
    forkscope.wait();
    goes_on(forkscope, program, keeper);
}

/// With nobody to trace it, the calls that its filter names would fail: that is why the keeper stays.
#[test]
fn a_keeper_alone_lets_forks_and_sockets_work() {
    let Some(_) = Env::get() else { return };
    let script =
        "read line; (exec 3<&0; exit 4); echo \"got $line, $?\"; read line; echo \"got $line\"; exit 0";
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", "ptrace", "--ui", "none", "--", "bash", "-c", script]);
    let mut forkscope = Process::start(&mut command);
    let is_bash = |pid| status(pid, "Name:").is_some_and(|name| name == "bash");
    until("the program runs", || children(forkscope.pid()).into_iter().any(is_bash));
    forkscope.signal(Signal::SIGKILL);
    forkscope.wait();
    forkscope.types("one\n");
    forkscope.stdout_says("got one, 4");
    forkscope.types("two\n");
    forkscope.stdout_says("got two");
}

#[test]
fn what_was_attached_is_let_go() {
    let Some(_) = Env::get() else { return };
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let mut cat = Process::start(&mut Command::new("cat"));
        let mut session = Session::attach(Backend::Ptrace, cat.pid());
        runs(&mut cat);
        let keeper = tracer_of(cat.pid());
        assert_eq!(keepers_of(session.process().pid()), [keeper]);
        session.process().signal(signal);
        session.process().wait();
        until("it is let go", || tracer_of(cat.pid()) == 0);
        until("the keeper ends", || matches!(state(keeper), '-' | 'Z'));
        runs(&mut cat);
        assert!(matches!(state(cat.pid()), 'R' | 'S'), "{signal}");
        cat.close_stdin();
        assert!(cat.wait().success());
    }
}

/// One that job control has stopped stays so, traced or let go, and goes on when it is told to.
#[test]
fn a_stopped_process_stays_stopped_and_can_be_continued() {
    let Some(_) = Env::get() else { return };
    let mut cat = Process::start(&mut Command::new("cat"));
    cat.signal(Signal::SIGSTOP);
    until("it is stopped", || state(cat.pid()) == 'T');
    let mut session = Session::attach(Backend::Ptrace, cat.pid());
    until("it is stopped under the tracer", || matches!(state(cat.pid()), 't' | 'T'));
    cat.signal(Signal::SIGCONT);
    runs(&mut cat);
    cat.signal(Signal::SIGSTOP);
    until("it is stopped again", || matches!(state(cat.pid()), 't' | 'T'));
    session.process().signal(Signal::SIGKILL);
    session.process().wait();
    until("it is let go", || tracer_of(cat.pid()) == 0);
    until("it is stopped all the same", || state(cat.pid()) == 'T');
    kill(Pid::from_raw(cat.pid() as i32), Signal::SIGCONT).expect("it is there");
    runs(&mut cat);
    cat.close_stdin();
    assert!(cat.wait().success());
}
