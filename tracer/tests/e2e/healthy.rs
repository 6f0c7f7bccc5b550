//! Healthy clients that look suspicious: no error, and no warning.

use crate::check::quiet;
use crate::databases::{dsn, postgres, redis};
use crate::env::{Env, program};
use crate::run::run;
use crate::servers::{Greeter, Plain};
use crate::ways::{Backend, on_each_backend};
use std::ffi::OsStr;
use std::path::Path;

#[track_caller]
fn healthy(on: Backend, python: &Path, name: &str, argument: &str) {
    healthy_with(on, python, name, &[argument]);
}

#[track_caller]
fn healthy_with(on: Backend, python: &Path, name: &str, arguments: &[&str]) {
    let program = program(name);
    let mut command = vec![python.as_os_str(), program.as_os_str()];
    command.extend(arguments.iter().map(OsStr::new));
    let outcome = run(on, &command, &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    assert!(
        !outcome.said.iter().any(|line| line["status"].as_str().is_some_and(|it| it != "OK")),
        "{outcome:#?}"
    );
    quiet(&outcome.report);
}

fn fork_first(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    healthy(on, &env.old_python(), "healthy_fork_first.py", &server.address);
}

fn spawn(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    healthy(on, &env.old_python(), "healthy_spawn.py", &server.address);
}

fn child_only_closes(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    healthy(on, &env.python(), "healthy_child_closes.py", &server.port.to_string());
}

fn redis_s_default_pool(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    healthy(on, &env.python(), "healthy_redis_pool.py", &server.port.to_string());
}

fn hand_over(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    healthy(on, &env.python(), "healthy_hand_over.py", &server.port.to_string());
}

fn one_reads_one_writes(on: Backend) {
    let Some(env) = Env::get() else { return };
    healthy(on, &env.python(), "healthy_reader_writer.py", &Plain::echo().address.to_string());
}

fn accept_then_fork(on: Backend) {
    let Some(env) = Env::get() else { return };
    healthy(on, &env.python(), "healthy_accept_fork.py", "5");
}

fn given_to_another_to_read_or_to_answer(on: Backend) {
    let Some(env) = Env::get() else { return };
    for reader in ["child", "closed", "program", "writer"] {
        healthy(on, &env.python(), "healthy_given.py", reader);
    }
}

fn what_servers_do_with_inherited_numbers(on: Backend) {
    let Some(env) = Env::get() else { return };
    for idiom in ["program", "flush", "split"] {
        healthy(on, &env.python(), "healthy_idioms.py", idiom);
    }
}

fn a_goodbye_after_another_s(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    for server_is in ["quick", "slow"] {
        healthy_with(on, &env.python(), "healthy_late_goodbye.py", &[server_is, &dsn(&server)]);
    }
}

on_each_backend! {
    fork_first
    spawn
    child_only_closes
    redis_s_default_pool
    hand_over
    one_reads_one_writes
    accept_then_fork
    given_to_another_to_read_or_to_answer
    what_servers_do_with_inherited_numbers
    a_goodbye_after_another_s
}
