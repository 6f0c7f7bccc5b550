//! A program that has nothing which forkscope is about runs on; what it comes to own
//! is seen from the first on.

use crate::check::the_error;
use crate::env::{Env, example, forkscope};
use crate::process::{Ended, Process};
use crate::run::{Outcome, code, run};
use crate::ways::Backend;
use serde_json::Value;
use std::net::TcpListener;
use std::process::Command;

/// Runs a way to the first socket, after which the founding bug is found.
#[track_caller]
fn finds_the_founding_bug(way: &str) -> Outcome {
    let outcome = run(Backend::Ptrace, &[example("first_socket").as_os_str(), way.as_ref()], &[]);
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let found = the_error(&outcome.report, "enotsock");
    assert_eq!(found["confidence"], "certain", "{found:#}");
    let stats = &outcome.report["stats"];
    assert_eq!((&stats["corrected"], &stats["unresolved"]), (&0.into(), &0.into()), "{stats:#}");
    outcome
}

/// How many calls that are no transfers were told.
fn calls(report: &Value) -> u64 {
    report["stats"]["events"]["call"].as_u64().expect("a number")
}

/// Whether a line says that a process stops at each of its calls.
fn is_slow(outcome: &Outcome) -> bool {
    outcome.stderr.iter().any(|line| line.contains("each call of process"))
}

#[test]
fn a_hundred_thousand_files_stop_nothing_before_the_first_socket() {
    let Some(_) = Env::get() else { return };
    let outcome = finds_the_founding_bug("after-files");
    assert!((5..100).contains(&calls(&outcome.report)), "{:#}", outcome.report["stats"]);
    assert!(!is_slow(&outcome), "{:#?}", outcome.stderr);
}

#[test]
fn the_first_socket_of_one_among_many_threads() {
    let Some(_) = Env::get() else { return };
    let outcome = finds_the_founding_bug("among-threads");
    assert!(!is_slow(&outcome), "{:#?}", outcome.stderr);
    // The others' calls are told from then on.
    assert!(calls(&outcome.report) > 1000, "{:#}", outcome.report["stats"]);
}

#[test]
fn the_first_socket_in_a_table_that_two_processes_have() {
    let Some(_) = Env::get() else { return };
    let outcome = finds_the_founding_bug("in-a-shared-table");
    assert!(!is_slow(&outcome), "{:#?}", outcome.stderr);
}

#[test]
fn the_first_sockets_of_a_child_with_its_parent_s_memory_and_of_the_parent() {
    let Some(_) = Env::get() else { return };
    let outcome = finds_the_founding_bug("after-a-vfork");
    assert!(!is_slow(&outcome), "{:#?}", outcome.stderr);
}

/// Then each call stops, which is slower, and sees the same.
#[test]
fn where_the_whole_filter_is_refused_each_call_stops() {
    let Some(_) = Env::get() else { return };
    let outcome = finds_the_founding_bug("without-privilege");
    let says = |line: &String| line.contains("could not be installed (EACCES") && line.contains("each call");
    assert!(outcome.stderr.iter().any(says), "{:#?}", outcome.stderr);
}

/// There no filter may be added: the program would not survive that.
#[test]
fn a_filter_of_its_own_before_the_first_socket() {
    let Some(_) = Env::get() else { return };
    let outcome = finds_the_founding_bug("with-an-own-filter");
    let says = |line: &String| line.contains("a seccomp filter of its own");
    assert!(outcome.stderr.iter().any(says), "{:#?}", outcome.stderr);
}

#[test]
fn a_first_socket_that_was_another_process_s() {
    let Some(_) = Env::get() else { return };
    let outcome = finds_the_founding_bug("taken-from-a-child");
    assert!(!is_slow(&outcome), "{:#?}", outcome.stderr);
}

/// Nothing that the program does tells of it, so it is looked for before it begins.
#[test]
fn a_socket_that_the_program_was_given_is_seen() {
    let Some(_) = Env::get() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    let script = "exec 9<>/dev/tcp/127.0.0.1/$2; \
        exec \"$0\" run --backend ptrace --ui none --report \"$1\" -- \"$3\" inherited 9";
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(forkscope()).arg(&report).arg(port).arg(example("first_socket"));
    let Ended { status, stdout, stderr } = Process::start(&mut command).end();
    assert_eq!((code(status), &*stdout), (0, &["parent 1, child true".to_owned()][..]), "{stderr:#?}");
    let text = std::fs::read_to_string(&report).expect("a report");
    the_error(&serde_json::from_str(&text).expect("the report is JSON"), "enotsock");
}

/// What a way does with and without forkscope.
#[track_caller]
fn is_undisturbed(way: &str, says: &str) {
    let mut command = Command::new(forkscope());
    command.args(["run", "--backend", "ptrace", "--ui", "log", "--"]).arg(example("first_socket")).arg(way);
    let Ended { status, stdout, stderr } = Process::start(&mut command).end();
    assert_eq!((code(status), &*stdout), (0, &[says.to_owned()][..]), "{stderr:#?}");
    assert!(!stderr.iter().any(|line| line.contains("each call of process")), "{stderr:#?}");
}

#[test]
fn one_may_be_killed_while_it_leaves_the_lean_stage() {
    let Some(_) = Env::get() else { return };
    is_undisturbed("killed", "killed 200 of 200");
}

/// A leader is told as ended only after its last thread was, for which the keeper must not wait in vain.
#[test]
fn other_threads_may_end_it_while_it_leaves_the_lean_stage() {
    let Some(_) = Env::get() else { return };
    is_undisturbed("ends-among-threads", "ended 150 of 150");
}

#[test]
fn signals_and_stops_come_while_it_leaves_the_lean_stage() {
    let Some(_) = Env::get() else { return };
    is_undisturbed("among-signals", "done 50 of 50");
}
