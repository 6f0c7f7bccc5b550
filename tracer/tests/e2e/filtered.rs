//! `--filter` limits what is shown, and nothing else.

use crate::check::{errors, same};
use crate::env::{Env, forkscope};
use crate::process::{Ended, Process};
use crate::run::{Outcome, Session, code};
use crate::ways::{Backend, on_each_backend};
use std::ffi::OsStr;
use std::process::Command;

/// The lines of events: `+0.000123 PID/TID …`.
fn events(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.stderr.iter().map(String::as_str);
    lines
        .filter(|line| {
            line.strip_prefix('+').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect()
}

fn says(outcome: &Outcome, text: &str) -> bool {
    outcome.stderr.iter().any(|line| line.contains(text))
}

fn what_is_asked_for_is_shown_and_the_report_is_whole(on: Backend) {
    let Some(_) = Env::get() else { return };
    let arguments = ["-vv", "--fail-on", "error", "--filter", "-rule:any errno:ENOTSOCK"];
    let live = Session::start(on, "demo", &arguments, &[]).end();
    let shown = events(&live);
    assert!(!shown.is_empty() && shown.iter().all(|line| line.ends_with("= -1 ENOTSOCK")), "{shown:#?}");
    assert!(!says(&live, "error[enotsock]"), "{:#?}", live.stderr);
    assert!(says(&live, "--filter kept"), "{:#?}", live.stderr);
    // All else is as without a filter.
    assert!(says(&live, "forkscope: 1 error"), "{:#?}", live.stderr);
    assert_eq!(live.status, 3, "{:#?}", live.stderr);
    let found = errors(&live.report);
    assert_eq!(found.len(), 1, "{found:#?}");

    let replay = |filter: &str| {
        let recording = live.recording();
        let arguments = [OsStr::new("-vv"), "--filter".as_ref(), filter.as_ref(), recording.as_os_str()];
        let replayed = Session::replay(&arguments);
        same(&live.report, &replayed.report);
        replayed
    };
    let all = replay("");
    assert!(says(&all, "error[enotsock]") && !says(&all, "--filter kept"), "{:#?}", all.stderr);
    assert!(events(&all).len() > shown.len(), "{:#?}", all.stderr);
    let findings = replay("rule:enotsock severity:error");
    assert!(says(&findings, "error[enotsock]") && !says(&findings, "info["), "{:#?}", findings.stderr);
    assert_eq!(events(&findings), [""; 0]);
    // What another term takes away is what the term itself shows, in the same order.
    let (pid, id) = (&found[0]["pid"], &found[0]["connection"]);
    for term in
        [format!("pid:{pid}"), format!("conn:{id}"), "proto:http2".to_owned(), "call:close".to_owned()]
    {
        let (with, without) = (replay(&term), replay(&format!("-{term}")));
        let (with, without) = (events(&with), events(&without));
        assert!(!with.is_empty() && !without.is_empty(), "{term}: {with:#?} {without:#?}");
        let (mut with, mut without) = (with.into_iter().peekable(), without.into_iter().peekable());
        for line in events(&all) {
            let found = with.next_if_eq(&line).is_some() || without.next_if_eq(&line).is_some();
            assert!(found, "{term} and its negation lack {line}");
        }
        assert_eq!((with.next(), without.next()), (None, None), "{term}");
    }
    let child = replay(&format!("pid:{pid} call:sendmsg,sendto,write,writev errno:any"));
    let whose = format!(" {pid}/");
    assert!(events(&child).iter().all(|line| line.contains(&whose)), "{:#?}", child.stderr);
    assert!(!events(&child).is_empty());
}

#[test]
fn what_is_no_filter_is_wrong_usage() {
    let Some(_) = Env::get() else { return };
    for (filter, says) in [
        ("pdi:4", "there is no column pdi (did you mean pid?)"),
        ("--report", "- stands before no term"),
        ("fd:x", "x is no number of a descriptor"),
    ] {
        let mut command = Command::new(forkscope());
        let Ended { status, stderr, .. } =
            Process::start(command.args(["run", "--filter", filter, "--", "true"])).end();
        assert_eq!(code(status), 2, "{stderr:#?}");
        assert!(stderr.iter().any(|line| line.contains(says)), "{stderr:#?}");
    }
}

on_each_backend! {
    what_is_asked_for_is_shown_and_the_report_is_whole
}
