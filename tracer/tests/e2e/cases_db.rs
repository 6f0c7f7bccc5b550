//! One connection to a database, used by parent and child.

use crate::check::{Expected, check, number, quiet};
use crate::databases::{dsn, dsn_tls, nginx, postgres, postgres_tls, redis};
use crate::env::{Env, program};
use crate::process::until;
use crate::run::{Outcome, Session, run};
use crate::servers::Plain;
use crate::ways::{Backend, on_each_backend};
use crate::webservers::{get, gunicorn};
use serde_json::Value;

/// Traces a program that shares a connection, and checks that it gives one error that names both processes.
#[track_caller]
fn shared(on: Backend, env: &Env, name: &str, arguments: &[&str], rule: &'static [&'static str]) {
    let mut command = vec![env.python().into_os_string(), program(name).into_os_string()];
    command.extend(arguments.iter().map(Into::into));
    let Outcome { status, said, stderr, report, .. } = run(on, &command, &[]);
    assert_eq!(status, 0, "the program's own status: {stderr:#?}");
    let names = vec![number(&said, "parent", "pid"), number(&said, "child", "pid")];
    check(&report, &[Expected { rule, names, ..Expected::default() }]);
}

/// Which of the two is seen depends on whether the other waits for an answer at that moment.
const EITHER: &[&str] = &["shared-stream", "stolen-reply"];

fn psycopg2_in_turns(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    shared(on, env, "pg_shared.py", &[&dsn(&server)], &["shared-stream"]);
}

fn psycopg2_at_once(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    shared(on, env, "pg_shared.py", &[&dsn(&server), "--at-once"], EITHER);
}

/// The records' numbers are used twice: "decryption failed or bad record mac".
fn psycopg2_over_tls(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres_tls("TLSv1.3");
    let _running = server.start();
    let command = [env.python(), program("pg_shared.py"), dsn_tls(&server).into()];
    let Outcome { said, report, .. } = run(on, &command, &[]);
    let wrong = |line: &Value| line["wrong"].as_str().is_some_and(|text| text.contains("bad record mac"));
    assert!(said.iter().any(wrong), "{said:#?}");
    let names = vec![number(&said, "parent", "pid"), number(&said, "child", "pid")];
    let says = ["\"version\":\"TLS 1.3\"", "\"server_name\":\"localhost\""].map(str::to_owned).to_vec();
    check(&report, &[Expected { rule: &["shared-stream"], names, says, ..Expected::default() }]);
}

/// The child's copy says Terminate inside, and an alert outside.
fn psycopg2_over_tls_closed_by_the_child(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres_tls("TLSv1.2");
    let _running = server.start();
    let Outcome { said, report, .. } = goodbye(on, env, "pg", &dsn_tls(&server));
    let names = vec![number(&said, "parent", "pid"), number(&said, "child", "pid")];
    let says = vec!["\"version\":\"TLS 1.2\"".to_owned()];
    check(&report, &[Expected { rule: &["foreign-goodbye"], names, says, ..Expected::default() }]);
}

fn redis_in_turns(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    shared(on, env, "redis_shared.py", &[&server.port.to_string()], EITHER);
}

fn redis_at_once(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    shared(on, env, "redis_shared.py", &[&server.port.to_string(), "--at-once"], EITHER);
}

fn psycopg2_committed_by_the_child(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    let command = [env.python().into_os_string(), program("pg_commit.py").into(), dsn(&server).into()];
    let Outcome { status, said, stderr, report, .. } = run(on, &command, &[]);
    assert_eq!(status, 0, "{stderr:#?}");
    assert_eq!(number(&said, "parent", "kept"), 1, "the rollback had no effect");
    let (parent, child) = (number(&said, "parent", "pid"), number(&said, "child", "pid"));
    let fd = Some(number(&said, "parent", "fd"));
    let rule = &["shared-stream"];
    check(&report, &[Expected { rule, names: vec![parent, child], fd, ..Expected::default() }]);
}

/// Whether pages are swapped is a race: it is run until they are.
fn requests_at_once(on: Backend) {
    const TRIES: u32 = 10;
    let Some(env) = Env::get() else { return };
    let server = nginx();
    let mut running = server.start();
    let command =
        [env.python().into_os_string(), program("requests_shared.py").into(), server.port.to_string().into()];
    for attempt in 1..=TRIES {
        let Outcome { status, said, stderr, report, .. } = run(on, &command, &[]);
        assert_eq!(status, 0, "{stderr:#?}");
        if !said.iter().any(|line| line["swapped"] == true) {
            continue;
        }
        eprintln!("swapped in attempt {attempt}");
        let names = vec![number(&said, "parent", "pid"), number(&said, "child", "pid")];
        // Killed, it would leave its workers behind.
        server.stop();
        assert!(running.wait().success());
        return check(&report, &[Expected { rule: EITHER, names, ..Expected::default() }]);
    }
    server.stop();
    assert!(running.wait().success());
    panic!("nothing was swapped in {TRIES} attempts");
}

/// The application connects when it is loaded, which is before the fork: the workers share the connection.
fn gunicorn_that_loads_a_connection_first(on: Backend) {
    let Some(env) = Env::get() else { return };
    let database = redis();
    let _running = database.start();
    let server = gunicorn(env, "shared_gunicorn:application", true);
    let arguments: Vec<_> = std::iter::once("--".to_owned()).chain(server.command.iter().cloned()).collect();
    let port = database.port.to_string();
    let session = Session::start(on, "run", &arguments, &[("REDIS_PORT", &port)]);
    server.ready();
    // One request after the other, so that none hangs, until each worker has asked on the
    // connection, and one again.
    let mut asked = Vec::new();
    until("both workers answer", || {
        asked.push(get(&server));
        asked.iter().any(|worker| *worker != asked[0]) && asked.last() == asked.first()
    });
    server.stop();
    let Outcome { status, stderr, report, .. } = session.end();
    assert_eq!(status, 0, "{stderr:#?}");
    check(&report, &[Expected { rule: EITHER, says: vec!["post_fork".into(), port], ..Expected::default() }]);
}

/// Traces a child that ends its parent's connection.
#[track_caller]
fn goodbye(on: Backend, env: &Env, mode: &str, server: &str) -> Outcome {
    let (python, program) = (env.python(), program("goodbye.py"));
    let command = [python.as_os_str(), program.as_os_str(), mode.as_ref(), server.as_ref()];
    let outcome = run(on, &command, &[]);
    assert_eq!(outcome.status, 0, "the program's own status: {:#?}", outcome.stderr);
    outcome
}

/// The error is the parent's, which met it, and names the child, which said goodbye.
fn goodbye_error(said: &[Value], says: &str) -> Expected {
    Expected {
        rule: &["foreign-goodbye"],
        pid: vec![number(said, "parent", "pid")],
        names: vec![number(said, "child", "pid")],
        fd: Some(number(said, "parent", "fd")),
        says: vec![says.to_owned()],
        ..Expected::default()
    }
}

fn psycopg2_closed_by_the_child(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    let Outcome { said, report, .. } = goodbye(on, env, "pg", &dsn(&server));
    let second = said.iter().find_map(|line| line["second"].as_str()).expect("the parent asked again");
    assert!(second.contains("closed the connection unexpectedly"), "{second}");
    check(&report, &[goodbye_error(&said, "Terminate")]);
}

fn a_socket_shut_down_by_the_child(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = Plain::echo();
    let Outcome { said, report, .. } = goodbye(on, env, "shutdown", &server.address.to_string());
    check(&report, &[Expected { errno: Some("EPIPE"), ..goodbye_error(&said, "shut the socket down") }]);
}

fn psycopg2_dropped_by_the_child(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = postgres();
    let _running = server.start();
    let Outcome { said, report, .. } = goodbye(on, env, "drop", &dsn(&server));
    assert!(said.iter().any(|line| line["second"] == 1), "{said:#?}");
    quiet(&report);
}

on_each_backend! {
    psycopg2_closed_by_the_child
    a_socket_shut_down_by_the_child
    psycopg2_dropped_by_the_child
    psycopg2_in_turns
    psycopg2_at_once
    psycopg2_over_tls
    psycopg2_over_tls_closed_by_the_child
    redis_in_turns
    redis_at_once
    gunicorn_that_loads_a_connection_first
    psycopg2_committed_by_the_child
    requests_at_once
}
