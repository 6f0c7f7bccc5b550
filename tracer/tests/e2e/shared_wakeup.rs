//! Wake-ups that a fork shares: a warning where one process takes another's, and nothing
//! about channels and tokens.

use crate::check::{number, quiet, the_warning, told};
use crate::env::{Env, program, skip};
use crate::run::run;
use crate::ways::{Backend, on_each_backend};
use std::process::{Command, Stdio};

#[track_caller]
fn taken(on: Backend, what: &str) {
    let Some(env) = Env::get() else { return };
    let program = program("shared_wakeup.py");
    let outcome = run(on, &[env.python().as_os_str(), program.as_os_str(), what.as_ref()], &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    assert_eq!(told(&outcome.said, "parent", "missed"), true, "{:#?}", outcome.said);
    let finding = the_warning(&outcome.report, "shared-wakeup");
    let of = |key| number(&outcome.said, "parent", key);
    assert_eq!(finding["confidence"], "certain");
    let named = (&finding["pid"], &finding["other_pids"][0], &finding["fd"]);
    assert_eq!(named, (&of("pid").into(), &of("child").into(), &of("fd").into()));
    assert!(finding["title"].as_str().is_some_and(|title| title.contains(what)), "{finding:#?}");
}

fn an_eventfd(on: Backend) {
    taken(on, "eventfd");
}

fn a_pipe(on: Backend) {
    taken(on, "pipe");
}

/// Every job takes a token from one pipe, and gives it back.
fn make_s_job_server(on: Backend) {
    if Env::get().is_none() {
        return;
    }
    let found = Command::new("make").arg("--version").stdout(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        skip::<()>("no make");
        return;
    }
    let rules = program("jobserver.mk");
    let outcome = run(on, &["make".as_ref(), "-j4".as_ref(), "-f".as_ref(), rules.as_os_str()], &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let moved = outcome.report["stats"]["events"]["io"].as_u64();
    assert!(moved.is_some_and(|moved| moved > 20), "tokens go round: {moved:?}");
    quiet(&outcome.report);
}

on_each_backend! {
    an_eventfd
    a_pipe
    make_s_job_server
}
