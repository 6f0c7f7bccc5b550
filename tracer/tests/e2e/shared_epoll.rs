//! Epoll instances that a fork shares: an error where one process meddles with another's, and
//! nothing where all is in order.

use crate::check::{errors, number, quiet, the_error, the_warning, told};
use crate::corpus::note;
use crate::env::{Env, program};
use crate::process::Process;
use crate::run::{Outcome, Session, run};
use crate::servers::Greeter;
use crate::ways::{Backend, on_each_backend};
use serde_json::Value;
use std::process::Command;

/// How often gRPC's race is tried.
const TRIES: usize = 6;

#[track_caller]
fn trace(on: Backend, name: &str, mode: &str, status: i32) -> Option<Outcome> {
    let env = Env::get()?;
    let outcome = run(on, &[env.python().as_os_str(), program(name).as_os_str(), mode.as_ref()], &[]);
    assert_eq!(outcome.status, status, "{:#?}", outcome.stderr);
    Some(outcome)
}

/// There is this one finding: about the parent, on its instance, naming the child; with
/// these words in its evidence.
#[track_caller]
fn found(outcome: &Outcome, severity: &str, says: &[&str]) {
    let the_only = if severity == "error" { the_error } else { the_warning };
    let finding = the_only(&outcome.report, "shared-epoll");
    let of = |key| number(&outcome.said, "parent", key);
    for (key, expected) in [
        ("pid", Value::from(of("pid"))),
        ("other_pids", vec![of("child")].into()),
        ("fd", of("fd").into()),
        ("confidence", if severity == "error" { "certain" } else { "likely" }.into()),
    ] {
        assert_eq!(finding[key], expected, "{key} of {finding:#?}");
    }
    let text = finding.to_string();
    let missing: Vec<_> = says.iter().filter(|words| !text.contains(**words)).collect();
    assert!(missing.is_empty(), "{missing:?} in {finding:#?}");
}

fn a_parent_is_told_of_what_its_child_registered(on: Backend) {
    let Some(outcome) = trace(on, "shared_epoll.py", "told", 0) else { return };
    assert_eq!(told(&outcome.said, "parent", "came"), &serde_json::json!([50]));
    found(&outcome, "error", &["registered fd 50, a pipe", "the event's data is 50", "asyncio.run()"]);
}

/// Both were there before: only eBPF sees that it is one instance, and what else is registered nobody knows.
fn a_parent_and_its_child_attached(on: Backend) {
    let Some(env) = Env::get() else { return };
    let mut command = Command::new(env.python());
    let mut parent = Process::start(command.arg(program("shared_epoll.py")).arg("attached"));
    parent.stdout_says("waiting");
    let session = Session::attach(on, parent.pid());
    parent.go_on();
    let ended = parent.end();
    let outcome = session.end();
    let said = crate::process::said(&ended.stdout);
    match on {
        Backend::Ebpf => {
            let error = the_error(&outcome.report, "shared-epoll");
            let found = ["confidence", "pid", "fd"].map(|key| &error[key]);
            let of = |key| Value::from(number(&said, "parent", key));
            assert_eq!(found, [&"inconclusive".into(), &of("pid"), &of("fd")]);
        }
        Backend::Ptrace => quiet(&outcome.report),
    }
}

fn a_parent_dies_of_it(on: Backend) {
    let Some(outcome) = trace(on, "shared_epoll.py", "dies", 128 + libc::SIGSEGV) else { return };
    found(&outcome, "error", &["the event's data is 50", "died of SIGSEGV"]);
}

fn a_child_removes_what_its_parent_waits_for(on: Backend) {
    let Some(outcome) = trace(on, "shared_epoll.py", "removed", 0) else { return };
    found(&outcome, "error", &["a pipe, from it", "still waits on it"]);
}

fn a_child_closes_its_parent_s_asyncio_loop(on: Backend) {
    let Some(outcome) = trace(on, "shared_epoll.py", "loop-closed", 0) else { return };
    found(&outcome, "error", &["a socket, from it", "still waits on it", "asyncio.run()"]);
}

fn what_a_child_registers_and_nothing_comes_of(on: Backend) {
    let Some(outcome) = trace(on, "shared_epoll.py", "added", 0) else { return };
    found(&outcome, "warning", &["registered fd 50, a pipe"]);
}

fn a_child_that_leaves_it_alone(on: Backend) {
    for mode in ["closes", "anew", "handed-over"] {
        let Some(outcome) = trace(on, "shared_epoll.py", mode, 0) else { return };
        quiet(&outcome.report);
    }
}

fn healthy_loops_and_workers(on: Backend) {
    for mode in ["asyncio", "pool", "queue", "signals"] {
        let Some(outcome) = trace(on, "healthy_loops.py", mode, 0) else { return };
        quiet(&outcome.report);
    }
}

/// The real thing: whose connection is reported first is a race, so it is run until the parent dies of it.
fn grpc_s_parent_dies_of_its_child_s_pointer(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let (first, second) = (Greeter::start(env), Greeter::start(env));
    let (python, program) = (env.old_python(), program("grpc_epoll.py"));
    let command = [python.as_os_str(), program.as_os_str(), first.address.as_ref(), second.address.as_ref()];
    let mut told = 0;
    for attempt in 1..=TRIES {
        let outcome = run(on, &command, &[("GRPC_ENABLE_FORK_SUPPORT", "0")]);
        let errors = errors(&outcome.report);
        let Some(finding) = errors.iter().find(|finding| finding["rule"] == "shared-epoll") else { continue };
        told += 1;
        let died = outcome.status == 128 + libc::SIGSEGV;
        let text = finding.to_string();
        assert_eq!(text.contains("died of SIGSEGV"), died, "status {}: {finding:#?}", outcome.status);
        if died {
            note(&[&["shared-epoll"]], &["shared-epoll".to_owned()]);
            eprintln!("attempt {attempt} died of it, {told} were told of it");
            let of = |key| Value::from(number(&outcome.said, "parent", key));
            assert_eq!((&finding["pid"], &finding["other_pids"][0]), (&of("pid"), &of("child")));
            let port = second.address.rsplit(':').next().expect("HOST:PORT");
            for words in [port, "GRPC_ENABLE_FORK_SUPPORT=1", "epoll_ctl", "with data 0x"] {
                assert!(text.contains(words), "{words} in {finding:#?}");
            }
            return;
        }
    }
    panic!("of {TRIES} parents none died of it; {told} were told of it");
}

on_each_backend! {
    a_parent_is_told_of_what_its_child_registered
    a_parent_and_its_child_attached
    a_parent_dies_of_it
    a_child_removes_what_its_parent_waits_for
    a_child_closes_its_parent_s_asyncio_loop
    what_a_child_registers_and_nothing_comes_of
    a_child_that_leaves_it_alone
    healthy_loops_and_workers
    grpc_s_parent_dies_of_its_child_s_pointer
}
