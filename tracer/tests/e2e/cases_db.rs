//! One connection to a database, used by parent and child.

use crate::check::{Expected, check, number};
use crate::databases::{dsn, postgres, redis};
use crate::env::{Env, program};
use crate::run::{Outcome, run};
use crate::ways::{Backend, on_each_backend};

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
    shared(on, env, "pg_shared.py", &[&dsn(&server), "--at-once"], &["shared-stream"]);
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

on_each_backend! {
    psycopg2_in_turns
    psycopg2_at_once
    redis_in_turns
    redis_at_once
}
