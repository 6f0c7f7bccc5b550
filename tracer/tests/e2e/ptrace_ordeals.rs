//! What is hard on a tracer: under ptrace each ends as it does without.

use crate::env::{Env, example, forkscope};
use crate::process::{Ended, Process, until};
use crate::run::{Session, code, run};
use crate::ways::Backend;
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Runs an ordeal under ptrace: what it said.
#[track_caller]
fn ordeal(name: &str) -> (Vec<String>, Value) {
    let mut session = Session::start(
        Backend::Ptrace,
        "run",
        &["--".as_ref(), example("ordeal").as_os_str(), name.as_ref()],
        &[],
    );
    let mut said = Vec::new();
    if name == "without-its-leader" {
        said.push(session.process().stdout_says("ready"));
        session.process().go_on();
        said.push(session.process().stdout_says("peer"));
    } else if name == "tables-apart" {
        said.push(session.process().stdout_says("main"));
        said.push(session.process().stdout_says("thread"));
    } else {
        said.push(session.process().stdout_says(":"));
    }
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    (said, outcome.report)
}

/// The peers of the connections in a report.
fn peers(report: &Value) -> Vec<&str> {
    let connections = report["connections"].as_array().expect("connections");
    connections.iter().filter_map(|connection| connection["remote"].as_str()).collect()
}

#[test]
fn threads_that_call_without_a_pause_all_get_on() {
    let Some(_) = Env::get() else { return };
    assert_eq!(ordeal("busy-threads").0, ["all got on: true"]);
}

#[test]
fn what_a_killed_process_has_just_made_goes_on() {
    let Some(_) = Env::get() else { return };
    assert_eq!(ordeal("killed-makers").0, ["all have ended: true"]);
}

/// After forkscope was killed, the keeper alone must not lose one of them.
#[test]
fn orphans_are_never_refused_a_call() {
    let Some(_) = Env::get() else { return };
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", "ptrace", "--ui", "none", "--"]).arg(example("ordeal"));
    let mut forkscope = Process::start(command.arg("orphans-that-open"));
    let children = format!("/proc/{0}/task/{0}/children", forkscope.pid());
    let runs =
        |pid: &str| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "ordeal");
    until("the program runs", || {
        fs::read_to_string(&children).is_ok_and(|all| all.split_whitespace().any(runs))
    });
    forkscope.signal(nix::sys::signal::Signal::SIGKILL);
    forkscope.wait();
    forkscope.go_on();
    assert_eq!(forkscope.stdout_says("refused"), "refused: 0");
}

/// Each is stopped for a moment, not for as long as it takes to list them again for each other: then they
/// would not all have stopped in time, and a note would say so.
#[test]
fn thousands_of_threads_are_attached_to_at_once() {
    let Some(_) = Env::get() else { return };
    let mut program = Process::start(Command::new(example("ordeal")).arg("many-threads"));
    program.stdout_says("ready");
    let session = Session::attach(Backend::Ptrace, program.pid());
    program.go_on();
    assert!(program.wait().success());
    let outcome = session.end();
    assert_eq!(outcome.status, 0);
    assert!(!outcome.stderr.iter().any(|line| line.contains("do not stop")), "{:#?}", outcome.stderr);
}

#[test]
fn a_process_without_its_first_thread_is_traced() {
    let Some(_) = Env::get() else { return };
    let (said, report) = ordeal("without-its-leader");
    let peer = said[1].strip_prefix("peer ").expect("its peer");
    assert!(peers(&report).contains(&peer), "{report:#}");
    let shared = report["findings"].as_array().expect("findings");
    assert!(shared.iter().any(|finding| finding["rule"] == "inherited-connection"), "{report:#}");
}

#[test]
fn a_process_without_its_first_thread_is_attached_to() {
    let Some(_) = Env::get() else { return };
    let mut program = Process::start(Command::new(example("ordeal")).arg("without-its-leader"));
    program.stdout_says("ready");
    let session = Session::attach(Backend::Ptrace, program.pid());
    program.go_on();
    let said = program.stdout_says("peer");
    assert!(program.wait().success());
    let outcome = session.end();
    assert!(
        peers(&outcome.report).contains(&said.strip_prefix("peer ").expect("its peer")),
        "{:#}",
        outcome.report
    );
}

#[test]
fn a_thread_with_a_table_of_its_own_has_sockets_of_its_own() {
    let Some(_) = Env::get() else { return };
    let (said, report) = ordeal("tables-apart");
    let mut expected: Vec<&str> = said.iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
    let mut found = peers(&report);
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "{report:#}");
}

#[test]
fn a_filter_that_asks_a_tracer_is_answered_as_without_one() {
    let Some(_) = Env::get() else { return };
    let outcome = run(Backend::Ptrace, &[example("ordeal").as_os_str(), "asks-a-tracer".as_ref()], &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", "ptrace", "--ui", "none", "--"]).arg(example("ordeal"));
    let Ended { stdout, .. } = Process::start(command.arg("asks-a-tracer")).end();
    assert_eq!(stdout, ["installed 0, made -1, true"]);
}

/// A signal to everybody in the group is not the keeper's, whose end would make the program's calls fail.
#[test]
fn a_signal_to_the_whole_job_leaves_the_program_its_tracer() {
    let Some(_) = Env::get() else { return };
    let script = "trap '' USR2; kill -USR2 0; cat /etc/hostname >/dev/null && echo still";
    let mut command = Command::new("setsid");
    command.arg("-w").arg("sh").arg("-c").arg("trap '' USR2; \"$0\" \"$@\"").arg(forkscope());
    command.args(["run", "--backend", "ptrace", "--ui", "none", "--", "sh", "-c", script]);
    let Ended { status, stdout, .. } = Process::start(&mut command).end();
    assert_eq!((code(status), stdout), (0, vec!["still".to_owned()]));
}

/// Whoever starts forkscope may ignore the end of children: the program's status is told all the same.
#[test]
fn the_status_is_told_where_ends_of_children_are_ignored() {
    let Some(env) = Env::get() else { return };
    let ignore = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])";
    for backend in [Backend::Ebpf, Backend::Ptrace] {
        let mut command = Command::new(env.python());
        command.args(["-c", ignore]).arg(forkscope());
        command.args(["run", "--ui", "none", "--backend", &backend.to_string(), "--", "sh", "-c", "exit 7"]);
        assert_eq!(code(Process::start(&mut command).end().status), 7, "{backend}");
    }
}

/// One of the watched processes may be forkscope's own parent.
#[test]
fn attached_to_its_parent_it_does_not_trace_itself() {
    let Some(_) = Env::get() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    let script = "\"$0\" attach --backend \"$2\" --duration 1s --report \"$1\" $$; exit 0";
    for backend in ["ptrace", "ebpf"] {
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(forkscope()).arg(&report).arg(backend);
        let Ended { stderr, .. } = Process::start(&mut command).end();
        let text = fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {stderr:#?}"));
        let report: Value = serde_json::from_str(&text).expect("the report is JSON");
        assert_eq!(report["processes"].as_array().map(Vec::len), Some(1), "{stderr:#?}");
    }
}
