//! The commands themselves: the demo, exit statuses, signals, and what is said where tracing cannot be.

use crate::check::errors;
use crate::env::{Env, forkscope};
use crate::process::{Ended, Process, until};
use crate::run::{Session, code};
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::Signal;
use std::process::Command;

fn the_demo_has_the_founding_bug_and_its_errors_fail_where_asked(on: Backend) {
    let Some(_) = Env::get() else { return };
    let outcome = Session::start(on, "demo", &["--fail-on", "error"], &[]).end();
    assert_eq!(outcome.status, 3, "{:#?}", outcome.stderr);
    let found = errors(&outcome.report);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((&found[0]["rule"], &found[0]["errno"]), (&"enotsock".into(), &"ENOTSOCK".into()));
    assert!(found[0]["title"].as_str().is_some_and(|title| title.contains("/dev/null")));
}

fn a_rule_that_is_off_finds_nothing(on: Backend) {
    let Some(_) = Env::get() else { return };
    let outcome = Session::start(on, "demo", &["--fail-on", "error", "--rule", "enotsock=off"], &[]).end();
    assert_eq!((outcome.status, errors(&outcome.report).len()), (0, 0));
}

fn an_interrupt_reaches_the_program_and_the_report_is_written(on: Backend) {
    let Some(_) = Env::get() else { return };
    let script = "trap 'echo {}; exit 7' INT; echo '{\"ready\":true}'; while :; do read line; done";
    let mut session = Session::start(on, "run", &["--", "sh", "-c", script], &[]);
    session.process().stdout_says("ready");
    let outcome = session.interrupt();
    assert_eq!(outcome.status, 7, "{:#?}", outcome.stderr);
}

fn on_sigterm_the_report_is_written_and_the_program_goes_on(on: Backend) {
    let Some(_) = Env::get() else { return };
    let script = "echo \"{\\\"ready\\\":true,\\\"pid\\\":$$}\"; while read line; do :; done; exit 0";
    let mut session = Session::start(on, "run", &["--", "sh", "-c", script], &[]);
    let line: serde_json::Value =
        serde_json::from_str(&session.process().stdout_says("ready")).expect("JSON");
    let program = line["pid"].as_u64().expect("a number");
    session.process().signal(Signal::SIGTERM);
    let own = std::path::PathBuf::from(format!("/proc/{}", session.process().pid()));
    until("forkscope ends", || !own.exists());
    let state = std::fs::read_to_string(format!("/proc/{program}/stat")).expect("the program goes on");
    assert!(!state.contains(") Z "), "{state}");
    // Its standard input is ours: with that it ends.
    let outcome = session.end();
    assert_eq!(outcome.status, 128 + Signal::SIGTERM as i32, "{:#?}", outcome.stderr);
}

/// Of a program that leaves a process behind it is told what is waited for, even where nothing else is shown.
fn what_is_waited_for_when_the_program_has_ended(on: Backend) {
    let Some(_) = Env::get() else { return };
    let script = "read line <&3 & echo \"{\\\"ready\\\": $!}\"";
    let mut command = Command::new(forkscope());
    command.args(["run", "--ui", "none", "--backend", &on.to_string()]);
    command.args(["--", "sh", "-c", &format!("exec 3<&0; {script}")]);
    let mut forkscope = Process::start(&mut command);
    let ready: serde_json::Value = serde_json::from_str(&forkscope.stdout_says("ready")).expect("JSON");
    let left = forkscope.stderr_says("1 process of it still lives");
    assert!(left.contains(&format!("the oldest is {} (sh)", ready["ready"])), "{left}");
    forkscope.go_on();
    assert_eq!(code(forkscope.wait()), 0);
}

/// A session that its user has bounded has not seen all: it says so.
fn what_ended_a_session_before_its_program(on: Backend) {
    let Some(_) = Env::get() else { return };
    for (option, bound) in [("--duration", "300ms"), ("--max-events", "1")] {
        let script = "while read line </dev/null; do :; done; exec cat";
        let mut session = Session::start(on, "run", &[option, bound, "--", "sh", "-c", script], &[]);
        let note = format!("ended by {option}: what the program does from here on is not seen");
        session.process().stderr_says(&note);
        session.process().close_stdin();
        let outcome = session.end();
        assert_eq!(outcome.report["notes"], serde_json::json!([note]));
    }
}

#[test]
fn without_type_information_one_line_says_so() {
    let Some(_) = Env::get() else { return };
    let hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" run --backend ebpf -- true";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", hide]).arg(forkscope());
    let Ended { status, stderr, .. } = Process::start(&mut command).end();
    assert_eq!(code(status), 1, "{stderr:#?}");
    assert_eq!(stderr.len(), 1, "{stderr:#?}");
    assert!(stderr[0].starts_with("error: ") && stderr[0].contains("CONFIG_DEBUG_INFO_BTF"), "{stderr:?}");
}

#[test]
fn without_ring_buffers_one_line_says_so() {
    let Some(_) = Env::get() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let library = folder.path().join("no_ring_buffer.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/no_ring_buffer.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", source, "-ldl", "-o"]).arg(&library).status();
    assert!(built.is_ok_and(|status| status.success()), "cc builds {source}");
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", "ebpf", "--", "true"]).env("LD_PRELOAD", &library);
    let Ended { status, stderr, .. } = Process::start(&mut command).end();
    assert_eq!(code(status), 1, "{stderr:#?}");
    assert_eq!(stderr.len(), 1, "{stderr:#?}");
    assert!(stderr[0].starts_with("error: ") && stderr[0].contains("Linux 5.8"), "{stderr:?}");
}

/// The report alone is on standard output, whatever the program prints.
fn a_report_on_standard_output_is_json(on: Backend) {
    let Some(_) = Env::get() else { return };
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", &on.to_string(), "--report", "-", "--", "echo", "not the report"]);
    let Ended { status, stdout, stderr } = Process::start(&mut command).end();
    assert_eq!(code(status), 0, "{stderr:#?}");
    let report: serde_json::Value = serde_json::from_str(&stdout.join("\n")).expect("the report is JSON");
    assert_eq!(report["session"]["target"]["command"][1], "not the report");
    assert!(stderr.iter().any(|line| line == "not the report"), "{stderr:#?}");
}

#[test]
fn the_manual_page_has_every_option() {
    let Ended { stdout, .. } = Process::start(Command::new(forkscope()).arg("man")).end();
    let page = stdout.join("\n").replace("\\-", "-");
    for words in
        ["FORKSCOPE RUN", "--record-payload", "FORKSCOPE INSPECT", "--json", "EXIT STATUS", "--fail-on"]
    {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("keeper"), "that is no command for users");
}

#[test]
fn texts_are_printed_and_a_reader_may_leave_early() {
    for arguments in
        [&["explain"][..], &["explain", "enotsock"], &["man"], &["completions", "bash"], &["doctor"]]
    {
        let Ended { status, stdout, stderr } =
            Process::start(Command::new(forkscope()).args(arguments)).end();
        assert!(!stdout.is_empty(), "{arguments:?}: {stderr:#?}");
        assert!(code(status) == 0 || arguments == ["doctor"], "{arguments:?}: {stderr:#?}");
    }
    let Ended { stdout, .. } = Process::start(Command::new(forkscope()).args(["completions", "bash"])).end();
    let script = stdout.join("\n");
    assert!(script.contains("replay") && script.contains("--version"));
    assert!(["keeper", "guardian", "holder"].iter().all(|hidden| !script.contains(hidden)));
    let mut early = Command::new("sh");
    early.args(["-c", "\"$0\" man | true"]).arg(forkscope());
    assert_eq!(Process::start(&mut early).end().stderr, Vec::<String>::new());
}

on_each_backend! {
    a_report_on_standard_output_is_json
    the_demo_has_the_founding_bug_and_its_errors_fail_where_asked
    a_rule_that_is_off_finds_nothing
    an_interrupt_reaches_the_program_and_the_report_is_written
    on_sigterm_the_report_is_written_and_the_program_goes_on
    what_is_waited_for_when_the_program_has_ended
    what_ended_a_session_before_its_program
}
