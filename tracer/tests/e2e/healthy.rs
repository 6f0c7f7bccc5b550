//! Healthy clients that look suspicious: no error, and no warning.

use crate::check::quiet;
use crate::databases::redis;
use crate::env::{Env, program};
use crate::run::run;
use crate::servers::{Greeter, Plain};
use std::path::Path;

#[track_caller]
fn healthy(python: &Path, name: &str, argument: &str) {
    let outcome = run(&[python.as_os_str(), program(name).as_os_str(), argument.as_ref()], &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    assert!(
        !outcome.said.iter().any(|line| line["status"].as_str().is_some_and(|it| it != "OK")),
        "{outcome:#?}"
    );
    quiet(&outcome.report);
}

#[test]
fn fork_first() {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    healthy(&env.old_python(), "healthy_fork_first.py", &server.address);
}

#[test]
fn spawn() {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    healthy(&env.old_python(), "healthy_spawn.py", &server.address);
}

#[test]
fn child_only_closes() {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    healthy(&env.python(), "healthy_child_closes.py", &server.port.to_string());
}

#[test]
fn hand_over() {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    healthy(&env.python(), "healthy_hand_over.py", &server.port.to_string());
}

#[test]
fn one_reads_one_writes() {
    let Some(env) = Env::get() else { return };
    healthy(&env.python(), "healthy_reader_writer.py", &Plain::echo().address.to_string());
}

#[test]
fn accept_then_fork() {
    let Some(env) = Env::get() else { return };
    healthy(&env.python(), "healthy_accept_fork.py", "5");
}
