//! Findings that are known: written once, they fail nothing; others do.

use crate::check::errors;
use crate::env::{Env, forkscope, program};
use crate::process::{Ended, Process};
use crate::run::{Outcome, Session, code};
use crate::servers::Greeter;
use crate::ways::{Backend, on_each_backend};
use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// What the founding case is known by.
const FOUNDING: &str = "enotsock; python, child of python; HTTP/2; tcp loopback; sendmsg ENOTSOCK";

/// The founding program, with these options of forkscope's and of its own, under a server of its own.
fn words(env: &Env, server: &Greeter, options: &[&str], file: &Path, own: &[&str]) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    for option in options {
        words.push(option.into());
        if option.ends_with("baseline") {
            words.push(file.into());
        }
    }
    words.extend(["--".into(), env.old_python().into(), program("grpc_founding.py").into()]);
    words.push((&server.address).into());
    words.extend(own.iter().map(Into::into));
    words
}

/// What a baseline knows of.
fn entries(file: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).expect("it was written");
    let written: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(written["baseline_version"], 1);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let all = written["findings"].as_array().expect("a list").iter();
    all.map(|entry| (text(&entry["rule"]), text(&entry["fingerprint"]))).collect()
}

fn what_is_known_fails_nothing_and_what_is_new_does(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("known.json");
    // Each session has its own pids and its own port.
    let trace = |options: &[&str], own: &[&str]| {
        let server = Greeter::start(env);
        Session::start(on, "run", &words(env, &server, options, &file, own), &[]).end()
    };
    let Outcome { status, stderr, .. } = trace(&["--write-baseline", "--fail-on", "error"], &[]);
    assert_eq!(status, 3, "to write it down excuses nothing yet: {stderr:#?}");
    assert_eq!(fs::metadata(&file).expect("written").permissions().mode() & 0o777, 0o600);
    let founding = ("enotsock".to_owned(), FOUNDING.to_owned());
    assert_eq!(entries(&file), std::slice::from_ref(&founding));

    let outcome = trace(&["--baseline", "--fail-on", "error"], &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let known = errors(&outcome.report);
    assert_eq!(
        (known.len(), &known[0]["known"], &known[0]["fingerprint"]),
        (1, &true.into(), &FOUNDING.into())
    );
    let says = |stderr: &[String], text: &str| stderr.iter().any(|line| line.contains(text));
    assert!(says(&outcome.stderr, "1 known"), "{:#?}", outcome.stderr);
    assert!(!says(&outcome.stderr, "error[enotsock]"), "{:#?}", outcome.stderr);
    assert_eq!(outcome.report["baseline"], serde_json::json!({"entries": 1, "stale": []}));

    let outcome = trace(&["--baseline", "--fail-on", "error"], &["--fork", "os"]);
    assert_eq!(outcome.status, 3, "{:#?}", outcome.stderr);
    assert_eq!(errors(&outcome.report)[0]["known"], false);
    assert!(says(&outcome.stderr, "error[stale-descriptor]"), "{:#?}", outcome.stderr);
    assert!(says(&outcome.stderr, "1 entry of the baseline was not found"), "{:#?}", outcome.stderr);
    assert_eq!(outcome.report["baseline"]["stale"][0], FOUNDING);

    // Both options with one file: it gathers. The recording would be replayed with what it has gathered.
    let server = Greeter::start(env);
    let mut gather = Command::new(forkscope());
    gather.args(["run", "--backend", &on.to_string()]);
    gather.args(words(env, &server, &["--baseline", "--write-baseline"], &file, &["--fork", "os"]));
    let Ended { status, stderr, .. } = Process::start(&mut gather).end();
    assert_eq!(code(status), 0, "{stderr:#?}");
    let gathered = entries(&file);
    assert!(gathered.len() == 2 && gathered.contains(&founding), "{gathered:#?}");
    let outcome = trace(&["--baseline", "--fail-on", "error"], &["--fork", "os"]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
}

on_each_backend! {
    what_is_known_fails_nothing_and_what_is_new_does
}
