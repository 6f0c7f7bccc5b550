//! `--on-finding stop`: who stands still, where, and that nobody does so for ever.

use crate::check::{errors, number, quiet};
use crate::databases::redis;
use crate::env::{Env, forkscope, program};
use crate::process::{Ended, Process, until};
use crate::run::{Session, code};
use crate::servers::Greeter;
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs;
use std::process::Command;

const STOP: [&str; 2] = ["--on-finding", "stop"];

/// The letter of a process' state; `-`: there is none.
fn state(pid: u32) -> char {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    text.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap_or('-')
}

/// Waits until it stands still, as job control or a tracer has it.
fn stands_still(pid: u32) {
    until("it stands still", || matches!(state(pid), 'T' | 't'));
}

fn is_over(pid: u32) -> bool {
    matches!(state(pid), '-' | 'Z')
}

fn go_on(pid: u32) {
    kill(Pid::from_raw(pid as i32), Signal::SIGCONT).expect("it is there");
}

/// The process that a line names: `forkscope: stopped process 4242 (...) at the failing call; ...`.
fn named(line: &str) -> u32 {
    let mut words = line.split_whitespace().skip_while(|word| *word != "process").skip(1);
    words.next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("names no process: {line}"))
}

/// The number of the call that some thread of a process is at.
fn is_at_call(pid: u32, call: libc::c_long) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it is there").flatten();
    let calls = tasks.filter_map(|task| fs::read_to_string(task.path().join("syscall")).ok());
    calls.into_iter().any(|text| text.split(' ').next() == Some(&call.to_string()))
}

/// Processes of forkscope's own beside it.
fn helpers_of(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("it runs");
    let children = text.split_whitespace().filter_map(|child| child.parse().ok());
    let is_helper = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        matches!(line.split(|&byte| byte == 0).nth(1), Some(b"guardian" | b"keeper"))
    };
    children.filter(is_helper).collect()
}

/// `forkscope demo`, whose child stands still.
fn demo(on: Backend, options: &[&str]) -> (Process, u32) {
    let mut command = Command::new(forkscope());
    command.args(["demo", "--backend", &on.to_string()]).args(STOP).args(options);
    let mut forkscope = Process::start(&mut command);
    let pid = named(&forkscope.stderr_says("stopped process"));
    stands_still(pid);
    (forkscope, pid)
}

fn the_failing_call_and_on_from_there(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    let (python, program) = (env.old_python(), program("grpc_founding.py"));
    let words =
        [STOP.map(OsStr::new).as_slice(), &["--".as_ref(), python.as_ref(), program.as_ref()]].concat();
    let words = [&words[..], &[server.address.as_ref()]].concat();
    let mut session = Session::start(on, "run", &words, &[]);
    let line = session.process().stderr_says("stopped process");
    let pid = named(&line);
    assert!(line.contains("at the failing call") && line.contains("py-spy dump"), "{line}");
    let how = if on == Backend::Ebpf { format!("gdb -p {pid}") } else { format!("forkscope inspect {pid}") };
    assert!(line.contains(&how), "{line}");
    session.process().stderr_says(&format!("`kill -CONT {pid}`"));
    stands_still(pid);
    assert!(is_at_call(pid, libc::SYS_sendmsg), "it has gone past the call that failed");
    go_on(pid);
    // "goes on", or "has ended" where it has by the next look.
    session.process().stderr_says(&format!(": process {pid} "));
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "the program's own: {:#?}", outcome.stderr);
    let [error] = errors(&outcome.report)[..] else { panic!("{:#}", outcome.report) };
    assert_eq!((&error["rule"], error["pid"].as_u64()), (&"enotsock".into(), Some(pid.into())));
    assert_eq!(number(&outcome.said, "child", "pid"), u64::from(pid));
    let note = format!("process {pid} was stopped for finding {}", error["id"]);
    assert_eq!(outcome.report["notes"], serde_json::json!([note]));
}

/// The mechanism of a shared stream is no failing call: its process is stopped when it is found.
fn a_finding_without_a_failing_call(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    let (python, program, port) = (env.python(), program("redis_turns.py"), server.port.to_string());
    let words: [&OsStr; 6] =
        [STOP[0].as_ref(), STOP[1].as_ref(), "--".as_ref(), python.as_ref(), program.as_ref(), port.as_ref()];
    let mut session = Session::start(on, "run", &words, &[]);
    let line = session.process().stderr_says("stopped process");
    assert!(line.contains("a moment after"), "{line}");
    let pid = named(&line);
    stands_still(pid);
    session.process().go_on();
    go_on(pid);
    let outcome = session.end();
    assert_eq!(outcome.status, 5, "the program's own: {:#?}", outcome.stderr);
    let [error] = errors(&outcome.report)[..] else { panic!("{:#}", outcome.report) };
    assert_eq!((&error["rule"], error["pid"].as_u64()), (&"shared-stream".into(), Some(pid.into())));
}

/// One that lives on is told so, by the look that sees it run.
fn who_goes_on_is_told(on: Backend) {
    let Some(env) = Env::get() else { return };
    let (python, program) = (env.python(), program("stale_and_stays.py"));
    let words: [&OsStr; 5] =
        [STOP[0].as_ref(), STOP[1].as_ref(), "--".as_ref(), python.as_ref(), program.as_ref()];
    let mut session = Session::start(on, "run", &words, &[]);
    let pid = named(&session.process().stderr_says("stopped process"));
    stands_still(pid);
    go_on(pid);
    session.process().stderr_says(&format!("process {pid} goes on"));
    session.process().go_on();
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "the program's own: {:#?}", outcome.stderr);
}

/// What the kernel side takes for a finding, and is none, goes on at once.
fn a_failing_call_without_a_finding(on: Backend) {
    let Some(env) = Env::get() else { return };
    let (python, program) = (env.python(), program("stale_own.py"));
    let words: [&OsStr; 5] =
        [STOP[0].as_ref(), STOP[1].as_ref(), "--".as_ref(), python.as_ref(), program.as_ref()];
    let outcome = Session::start(on, "run", &words, &[]).end();
    assert_eq!(outcome.status, 7, "{:#?}", outcome.stderr);
    assert_eq!(number(&outcome.said, "child", "error"), libc::EBADF as u64);
    assert!(
        outcome.said.iter().any(|line| line["stopped"] == true),
        "it was no candidate: {:#?}",
        outcome.said
    );
    quiet(&outcome.report);
    assert!(!outcome.stderr.iter().any(|line| line.contains("stopped process")), "{:#?}", outcome.stderr);
}

fn a_key_on_the_terminal(on: Backend) {
    let Some(_) = Env::get() else { return };
    let traced = format!("{} demo --backend {on} {}", forkscope().display(), STOP.join(" "));
    let mut terminal = Process::start(Command::new("script").args(["-qec", &traced, "/dev/null"]));
    let pid = named(&terminal.stdout_says("stopped process"));
    terminal.stdout_says("press Enter here");
    stands_still(pid);
    terminal.types("\n");
    terminal.stdout_says(&format!("process {pid} goes on"));
    terminal.stdout_says("1 error");
    assert_eq!(code(terminal.wait()), 0);
}

fn nobody_stands_still_when_forkscope_is_gone(on: Backend) {
    let Some(_) = Env::get() else { return };
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
        let (mut forkscope, pid) = demo(on, &[]);
        let helpers = helpers_of(forkscope.pid());
        assert_eq!(helpers.len(), 1, "a guardian, or a keeper");
        forkscope.signal(signal);
        forkscope.wait();
        until("it ends by itself", || is_over(pid));
        until("forkscope's own process ends", || is_over(helpers[0]));
    }
}

/// The kernel's side, or the keeper, has stopped it, and forkscope dies before it hears of that.
fn stopped_at_a_call_when_forkscope_dies(on: Backend) {
    let Some(env) = Env::get() else { return };
    let script = format!(
        "echo ready; read line; exec {} {}",
        env.python().display(),
        program("stale_own.py").display()
    );
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", &on.to_string()]).args(STOP).args(["--", "sh", "-c", &script]);
    let mut forkscope = Process::start(&mut command);
    forkscope.stdout_says("ready");
    forkscope.signal(Signal::SIGSTOP);
    forkscope.go_on();
    let line = forkscope.stdout_says("\"stopped\": true");
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let child = said["child"].as_u64().expect("a number") as u32;
    stands_still(child);
    forkscope.signal(Signal::SIGKILL);
    forkscope.wait();
    until("it ends by itself", || is_over(child));
}

fn what_is_known_stops_nobody(on: Backend) {
    let Some(_) = Env::get() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("known.json");
    for (option, stop) in [("--write-baseline", "none"), ("--baseline", "stop")] {
        let mut command = Command::new(forkscope());
        command.args(["demo", "--backend", &on.to_string(), "--on-finding", stop, option]).arg(&file);
        let Ended { status, stderr, .. } = Process::start(&mut command).end();
        assert_eq!(code(status), 0, "{stderr:#?}");
        assert!(!stderr.iter().any(|line| line.contains("stopped process")), "{stderr:#?}");
    }
}

fn a_limit_lets_it_go_on(on: Backend) {
    let Some(_) = Env::get() else { return };
    let (mut forkscope, pid) = demo(on, &["--duration", "3s"]);
    assert_eq!(code(forkscope.wait()), 0);
    until("it ends by itself", || is_over(pid));
}

on_each_backend! {
    the_failing_call_and_on_from_there
    a_finding_without_a_failing_call
    who_goes_on_is_told
    a_failing_call_without_a_finding
    a_key_on_the_terminal
    nobody_stands_still_when_forkscope_is_gone
    stopped_at_a_call_when_forkscope_dies
    what_is_known_stops_nobody
    a_limit_lets_it_go_on
}
