//! What is under way at a fork, and what children do before they execute a program.

use crate::check::{Expected, check, number, quiet, the_warning, warnings};
use crate::databases::{dsn, postgres, redis};
use crate::env::{Env, program};
use crate::run::{Outcome, run};
use crate::servers::Greeter;
use crate::ways::{Backend, on_each_backend};

/// Traces a program to its end.
#[track_caller]
fn trace(on: Backend, env: &Env, name: &str, arguments: &[&str]) -> Outcome {
    trace_with(on, env, name, arguments, &[])
}

/// With these variables set.
#[track_caller]
fn trace_with(on: Backend, env: &Env, name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let mut command = vec![env.python().into_os_string(), program(name).into_os_string()];
    command.extend(arguments.iter().map(Into::into));
    let outcome = run(on, &command, variables);
    assert_eq!(outcome.status, 0, "the program's own status: {:#?}", outcome.stderr);
    outcome
}

/// The child asked in preexec_fn, and the parent asked again: one error, about the child.
#[track_caller]
fn asked_before_exec(outcome: &Outcome) {
    let said = &outcome.said;
    let expected = Expected {
        rule: &["pre-exec-io"],
        pid: vec![number(said, "parent", "pid")],
        names: vec![number(said, "child", "pid")],
        fd: Some(number(said, "parent", "fd")),
        says: vec!["executed true".to_owned(), "preexec_fn".to_owned()],
        ..Expected::default()
    };
    check(&outcome.report, &[expected]);
    assert!(warnings(&outcome.report).is_empty(), "{:#?}", warnings(&outcome.report));
}

fn psycopg2_in_preexec_fn(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    asked_before_exec(&trace(on, env, "pre_exec.py", &["pg", &dsn(&server)]));
}

fn redis_in_preexec_fn(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    asked_before_exec(&trace(on, env, "pre_exec.py", &["redis", &server.port.to_string()]));
}

/// One warning, and no error: this rule, naming both processes, on this number, saying this.
#[track_caller]
fn warned(outcome: &Outcome, rule: &str, fd: Option<u64>, says: &str) {
    let found = the_warning(&outcome.report, rule);
    let pids = ["parent", "child"].map(|role| match role {
        "parent" => number(&outcome.said, "parent", "pid"),
        _ => number(&outcome.said, "parent", "child"),
    });
    let named = |pid: u64| {
        found["pid"] == pid || found["other_pids"].as_array().is_some_and(|all| all.contains(&pid.into()))
    };
    assert!(pids.into_iter().all(named), "{found:#?}");
    assert!(fd.is_none_or(|fd| found["fd"] == fd), "{found:#?}");
    assert!(found.to_string().contains(says), "{found:#?}");
}

fn psycopg2_in_preexec_fn_only(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    let outcome = trace(on, env, "pre_exec.py", &["only-child", "pg", &dsn(&server)]);
    warned(&outcome, "pre-exec-io", Some(number(&outcome.said, "parent", "fd")), "holds it still");
}

fn psycopg2_with_a_query_under_way(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    let outcome = trace(on, env, "in_flight.py", &["pg-async", &dsn(&server)]);
    let fd = number(&outcome.said, "parent", "fd");
    warned(&outcome, "fork-in-flight", Some(fd), "a request awaited its reply");
}

fn psycopg2_with_a_query_under_way_in_a_thread(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    let outcome = trace(on, env, "in_flight.py", &["pg-thread", &dsn(&server)]);
    let fd = number(&outcome.said, "parent", "fd");
    warned(&outcome, "fork-in-flight", Some(fd), "but not the other thread");
}

fn psycopg2_with_its_answer(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    quiet(&trace(on, env, "in_flight.py", &["answered", &dsn(&server)]).report);
}

fn grpcio_with_a_call_under_way(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = Greeter::start(env);
    let variables = [("GRPC_ENABLE_FORK_SUPPORT", "0")];
    let outcome = trace_with(on, env, "in_flight.py", &["grpc", &server.address], &variables);
    warned(&outcome, "fork-in-flight", None, "HTTP/2 stream 1 was open");
}

/// Its fork handler closes the child's copy at once.
fn grpcio_that_knows_of_the_fork(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = Greeter::start(env);
    let outcome = trace(on, env, "in_flight.py", &["grpc", &server.address]);
    assert!(outcome.said.iter().any(|line| !line["second"].is_null()), "{outcome:#?}");
    quiet(&outcome.report);
}

fn programs_started_beside_busy_grpcio(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = Greeter::start(env);
    let variables = [("GRPC_ENABLE_FORK_SUPPORT", "0")];
    let outcome = trace_with(on, env, "healthy_busy_popen.py", &[&server.address], &variables);
    assert!(outcome.said.iter().any(|line| line["status"] == "OK" && line["spawned"] == 0), "{outcome:#?}");
    quiet(&outcome.report);
}

fn a_server_that_greets_and_executes(on: Backend) {
    let Some(env) = Env::get() else { return };
    let outcome = trace(on, env, "healthy_inetd.py", &["5"]);
    assert!(outcome.said.iter().any(|line| line["right"] == 5), "{outcome:#?}");
    quiet(&outcome.report);
}

on_each_backend! {
    psycopg2_in_preexec_fn
    psycopg2_in_preexec_fn_only
    redis_in_preexec_fn
    psycopg2_with_a_query_under_way
    psycopg2_with_a_query_under_way_in_a_thread
    psycopg2_with_its_answer
    grpcio_with_a_call_under_way
    grpcio_that_knows_of_the_fork
    programs_started_beside_busy_grpcio
    a_server_that_greets_and_executes
}
