//! One connection to a MySQL server (Debian's MariaDB) in parent and child.

use crate::check::{Expected, check, number, quiet};
use crate::databases::mariadb;
use crate::env::{Env, program};
use crate::run::{Outcome, run};
use crate::ways::{Backend, on_each_backend};
use serde_json::Value;

/// Traces PyMySQL in this mode.
#[track_caller]
fn trace(on: Backend, mode: &str) -> Option<Outcome> {
    let env = Env::get()?;
    let server = mariadb();
    let _running = server.start();
    let (python, program, port) = (env.python(), program("mysql_shared.py"), server.port.to_string());
    let command = [python.as_os_str(), program.as_os_str(), port.as_ref(), mode.as_ref()];
    let outcome = run(on, &command, &[]);
    assert_eq!(outcome.status, 0, "the program's own status: {:#?}", outcome.stderr);
    Some(outcome)
}

/// An error on the parent's descriptor that names both.
fn error(said: &[Value], rule: &'static [&'static str]) -> Expected {
    let names = vec![number(said, "parent", "pid"), number(said, "child", "pid")];
    let says = vec!["MySQL".to_owned()];
    Expected { rule, names, fd: Some(number(said, "parent", "fd")), says, ..Expected::default() }
}

/// What the parent was answered when it asked again.
#[track_caller]
fn second(said: &[Value]) -> &Value {
    said.iter().map(|line| &line["second"]).find(|second| !second.is_null()).expect("the parent asked again")
}

fn pymysql_in_turns(on: Backend) {
    let Some(Outcome { said, report, .. }) = trace(on, "turns") else { return };
    check(&report, &[error(&said, &["shared-stream"])]);
}

fn pymysql_at_once(on: Backend) {
    let Some(Outcome { said, report, .. }) = trace(on, "at-once") else { return };
    // Which of the two is seen depends on whether the other waits for an answer at that moment.
    check(&report, &[error(&said, &["shared-stream", "stolen-reply"])]);
}

/// The server ends the session, and the parent meets that: the error is the parent's, and names the child.
fn pymysql_closed_by_the_child(on: Backend) {
    let Some(Outcome { said, report, .. }) = trace(on, "closes") else { return };
    let met = second(&said).as_str().expect("an error");
    let lost = ["MySQL server has gone away", "Lost connection to MySQL server"];
    assert!(lost.iter().any(|words| met.contains(words)), "{met}");
    let (parent, child) = (number(&said, "parent", "pid"), number(&said, "child", "pid"));
    let says = [
        format!("{child} sent COM_QUIT"),
        format!("{parent} still uses it: "),
        "must not close, the parent's MySQL session".to_owned(),
    ];
    let says = says.to_vec();
    check(&report, &[Expected { pid: vec![parent], says, ..error(&said, &["foreign-goodbye"]) }]);
}

fn pymysql_dropped_by_the_child(on: Backend) {
    let Some(Outcome { said, report, .. }) = trace(on, "exits") else { return };
    assert_eq!(second(&said), 2, "{said:#?}");
    quiet(&report);
}

on_each_backend! {
    pymysql_in_turns
    pymysql_at_once
    pymysql_closed_by_the_child
    pymysql_dropped_by_the_child
}
