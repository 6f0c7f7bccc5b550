//! Children that wait for what did not cross the fork, and children that only wait.

use crate::check::{number, quiet, the_error, told};
use crate::env::{Env, program};
use crate::process::{Process, said};
use crate::run::{Outcome, Session};
use crate::servers::{Greeter, Plain};
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// What forkscope prints where it finds one.
const FOUND: &str = "error[stalled-child]";

/// `forkscope run -vv -- PROGRAM …`, until the program has started its children, and what it said of them.
fn start(
    on: Backend,
    env: &Env,
    name: &str,
    words: &[&str],
    variables: &[(&str, &str)],
) -> (Session, Vec<Value>) {
    let (python, program) = (env.python(), program(name));
    let (python, program) = (python.to_str().expect("UTF-8"), program.to_str().expect("UTF-8"));
    let before = ["-vv", "--", python, "-W", "ignore", program];
    let mut session = Session::start(on, "run", &[&before, words].concat(), variables);
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.contains("ready")) {
        lines.push(session.process().stdout_says("parent"));
    }
    (session, said(&lines))
}

/// The one error, which must be about this child of this parent.
#[track_caller]
fn error(outcome: &Outcome, child: u64, parent: u64) -> &Value {
    let error = the_error(&outcome.report, "stalled-child");
    assert_eq!((&error["pid"], &error["other_pids"][0]), (&child.into(), &parent.into()));
    error
}

/// A child of `standing.py` that stands still: the error, and what the program said.
#[track_caller]
fn stands(on: Backend, words: &[&str], check: impl Fn(&Value)) {
    let Some(env) = Env::get() else { return };
    let (mut session, said) = start(on, env, "standing.py", words, &[]);
    session.process().stderr_says(FOUND);
    session.process().go_on();
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let error = error(&outcome, number(&said, "parent", "child"), number(&said, "parent", "pid"));
    let evidence = error["evidence"].to_string();
    assert!(evidence.contains("these did not cross"), "{evidence}");
    check(error);
}

/// The lock says itself who has it.
fn a_mutex_held_at_the_fork(on: Backend) {
    stands(on, &["mutex"], |error| {
        let of = (&error["confidence"], &error["syscall"]);
        assert_eq!(of, (&"certain".into(), &"futex".into()), "{error:#}");
        assert!(error["title"].as_str().is_some_and(|title| title.contains("waits for a lock that thread")));
    });
}

/// Who attaches to a program that hangs finds out why.
fn a_child_that_hangs_already(on: Backend) {
    let Some(env) = Env::get() else { return };
    let mut command = Command::new(env.python());
    command.args(["-W", "ignore"]).arg(program("standing.py")).args(["mutex", "sleep"]);
    let mut program = Process::start(&mut command);
    let child = number(&said(&[program.stdout_says("mutex")]), "parent", "child");
    program.stdout_says("ready");
    let parent = program.pid();
    let mut session = Session::attach(on, parent);
    session.process().stderr_says(FOUND);
    let outcome = session.interrupt();
    program.go_on();
    assert!(program.end().status.success());
    let error = error(&outcome, child, parent.into());
    assert_eq!(error["confidence"], "certain", "{error:#}");
    let says = |words: &str| error.to_string().contains(words);
    assert!(says("2 threads that are older") && says("these did not cross"), "{error:#}");
}

/// The lock does not say who has it.
fn a_lock_held_at_the_fork(on: Backend) {
    stands(on, &["lock"], |error| {
        let of = (&error["confidence"], &error["syscall"]);
        assert_eq!(of, (&"likely".into(), &"futex".into()), "{error:#}");
        assert!(error["fix"].to_string().contains("register_at_fork"), "{error:#}");
    });
}

fn an_answer_that_a_thread_of_the_parent_reads(on: Backend) {
    let server = Plain::echo();
    stands(on, &["--server", &server.address.to_string(), "answer"], |error| {
        assert_eq!(error["confidence"], "likely", "{error:#}");
        assert!(error["connection"].is_u64() && error["syscall"] == "recvfrom", "{error:#}");
    });
}

/// Each child is looked at until it would have been told: more often, and for longer, than
/// that takes. Then all end.
#[track_caller]
fn only_wait(mut session: Session, said: &[Value], children: usize) {
    /// Looks at one child, and the seconds between the first and the last of them.
    const ENOUGH: (usize, f64) = (10, 4.0);
    let pids = said.iter().filter_map(|line| line["child"].as_u64());
    let mut left: BTreeMap<u64, Vec<f64>> = pids.map(|pid| (pid, Vec::new())).collect();
    assert_eq!(left.len(), children, "{said:#?}");
    while !left.is_empty() {
        let line = session.process().stderr_says(" looked at: ");
        let (time, pid) = look(&line).unwrap_or_else(|| panic!("{line}"));
        let Some(times) = left.get_mut(&pid) else { continue };
        times.push(time);
        if times.len() >= ENOUGH.0 && time - times[0] >= ENOUGH.1 {
            left.remove(&pid);
        }
    }
    session.process().go_on();
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    quiet(&outcome.report);
    let glances = outcome.report["stats"]["glances"].as_u64();
    assert!(glances.is_some_and(|glances| glances >= (children * ENOUGH.0) as u64), "{glances:?}");
}

fn children_that_only_wait(on: Backend) {
    let Some(env) = Env::get() else { return };
    let waits = "sleep turns pipe accept children semaphore queue pool term pause poll select asyncio threads channel";
    let words: Vec<&str> = waits.split(' ').collect();
    let (session, said) = start(on, env, "standing.py", &words, &[]);
    // The pool has two.
    only_wait(session, &said, words.len() + 1);
}

/// With its fork support, the child of gRPC has threads of its own, and waits for a slow
/// server as long as it may.
fn grpc_that_waits_for_a_server(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = Greeter::start(env);
    let variables = [("GRPC_ENABLE_FORK_SUPPORT", "1")];
    let (session, said) = start(on, env, "grpc_waits.py", &[&server.address], &variables);
    only_wait(session, &said, 1);
}

/// When it was looked at whom: `+SECONDS PID/TID looked at: …`.
fn look(line: &str) -> Option<(f64, u64)> {
    let (time, rest) = line.strip_prefix('+')?.split_once(' ')?;
    Some((time.parse().ok()?, rest.split_once('/')?.0.parse().ok()?))
}

/// gRPC without its fork support: the child's call waits in the parent's loop, past its deadline, for threads
/// that it does not have. The library may be lucky: it is tried again, and said how often.
fn grpc_without_its_threads(on: Backend) {
    /// Tries.
    const MOST: u32 = 8;
    let Some(env) = Env::get() else { return };
    let server = Greeter::start(env);
    let (python, program) = (env.python(), program("grpc_founding.py"));
    let (python, program) = (python.to_str().expect("UTF-8"), program.to_str().expect("UTF-8"));
    let words = ["--", python, "-W", "ignore", program, &server.address, "--deadline", "1"];
    for tried in 1..=MOST {
        let mut session = Session::start(on, "run", &words, &[("GRPC_ENABLE_FORK_SUPPORT", "0")]);
        let child = said(&[session.process().stdout_says("\"child\"")]);
        let child = number(&child, "child", "pid");
        let found = session.process().stderr_tells(FOUND).is_some();
        if found {
            let pid = Pid::from_raw(child.try_into().expect("a pid"));
            kill(pid, Signal::SIGKILL).expect("it stands still");
        }
        let outcome = session.end();
        assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
        if !found {
            assert_eq!(told(&outcome.said, "child", "call"), 2, "it answered or failed: {:#?}", outcome.said);
            continue;
        }
        eprintln!("{on}: the child stood still in try {tried}");
        let error = error(&outcome, child, number(&outcome.said, "parent", "pid"));
        assert_eq!((&error["confidence"], &error["syscall"]), (&"likely".into(), &"epoll_wait".into()));
        let text = error.to_string();
        for part in ["event_engine", "GRPC_ENABLE_FORK_SUPPORT=1", "spawn", "epoll instance on fd"] {
            assert!(text.contains(part), "{part}: {error:#}");
        }
        return;
    }
    panic!("the child never stood still in {MOST} tries");
}

on_each_backend! {
    a_mutex_held_at_the_fork
    a_lock_held_at_the_fork
    a_child_that_hangs_already
    an_answer_that_a_thread_of_the_parent_reads
    children_that_only_wait
    grpc_that_waits_for_a_server
    grpc_without_its_threads
}
