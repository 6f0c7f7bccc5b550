//! Connections that somebody holds who does not use them: a warning each, and none where all is in order.

use crate::check::{findings, number, quiet, the_warning};
use crate::env::{Env, program};
use crate::run::{Outcome, run};
use crate::servers::Plain;
use crate::ways::{Backend, on_each_backend};

/// Traces the program in one of its modes.
#[track_caller]
fn trace(on: Backend, mode: &str) -> Option<Outcome> {
    trace_with(on, mode, &Plain::echo())
}

#[track_caller]
fn trace_with(on: Backend, mode: &str, server: &Plain) -> Option<Outcome> {
    let env = Env::get()?;
    let address = server.address.to_string();
    let (python, program) = (env.python(), program("kept_open.py"));
    let command = [python.as_os_str(), program.as_os_str(), mode.as_ref(), address.as_ref()];
    let outcome = run(on, &command, &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    Some(outcome)
}

/// One warning: this rule, about the child, which holds this number.
#[track_caller]
fn warned(on: Backend, mode: &str, rule: &str) {
    let Some(outcome) = trace(on, mode) else { return };
    let warning = the_warning(&outcome.report, rule);
    let of = |key| number(&outcome.said, "parent", key);
    assert_eq!((&warning["pid"], &warning["fd"]), (&of("child").into(), &of("fd").into()));
}

fn a_child_keeps_what_its_parent_closed(on: Backend) {
    warned(on, "closed", "pinned-connection");
}

/// It was told by poll(2) alone.
fn a_child_keeps_what_its_peer_had_ended(on: Backend) {
    let Some(outcome) = trace_with(on, "closed-when-ended", &Plain::echo_once()) else { return };
    quiet(&outcome.report);
    let infos = findings(&outcome.report, &["info"]);
    let told: Vec<_> = infos.iter().map(|info| (&info["rule"], &info["pid"])).collect();
    let child = number(&outcome.said, "parent", "child").into();
    let rules = ["inherited-connection".into(), "pinned-connection".into()];
    assert_eq!(told, rules.each_ref().map(|rule| (rule, &child)));
}

fn a_child_waits_on_its_own_loop(on: Backend) {
    let Some(outcome) = trace(on, "closed-and-awaited") else { return };
    quiet(&outcome.report);
}

fn both_close_it(on: Backend) {
    let Some(outcome) = trace(on, "closed-by-both") else { return };
    quiet(&outcome.report);
}

fn a_program_has_it_from_before_its_exec(on: Backend) {
    warned(on, "executed", "exec-leak");
}

fn it_closes_on_exec(on: Backend) {
    let Some(outcome) = trace(on, "close-on-exec") else { return };
    quiet(&outcome.report);
}

on_each_backend! {
    a_child_keeps_what_its_parent_closed
    a_child_keeps_what_its_peer_had_ended
    a_child_waits_on_its_own_loop
    both_close_it
    a_program_has_it_from_before_its_exec
    it_closes_on_exec
}
