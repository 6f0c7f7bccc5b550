//! Wrong input: one clear line with the cure, the right exit status, and nothing started or left.

use crate::env::{Env, example, forkscope, open_copy};
use crate::process::{Ended, Process};
use crate::run::{Session, code};
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::Signal;
use std::fs;
use std::process::Command;

/// forkscope itself failed.
const FAILED: i32 = 1;
/// Wrong usage.
const USAGE: i32 = 2;

/// Runs forkscope with these arguments: the status, and that its error is one line which says all of this.
#[track_caller]
fn refused(command: &mut Command, status: i32, says: &[&str]) {
    let Ended { status: ended, stderr, .. } = Process::start(command).end();
    assert_eq!(code(ended), status, "{stderr:#?}");
    let errors: Vec<_> = stderr.iter().filter(|line| line.starts_with("error")).collect();
    assert_eq!(errors.len(), 1, "one clear line: {stderr:#?}");
    // The cure may stand below.
    let text = stderr.join("\n");
    for words in says {
        assert!(text.contains(words), "says nothing of {words:?}: {text}");
    }
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "{text}");
}

fn with(arguments: &[&str]) -> Command {
    let mut command = Command::new(forkscope());
    command.args(arguments);
    command
}

/// A number that no process has: above the kernel's most.
fn no_pid() -> String {
    let most: u32 =
        fs::read_to_string("/proc/sys/kernel/pid_max").expect("pid_max").trim().parse().expect("a number");
    (most + 1).to_string()
}

#[test]
fn wrong_usage() {
    let Some(_) = Env::get() else { return };
    refused(&mut with(&["run", "--no-such-option"]), USAGE, &["--no-such-option"]);
    refused(&mut with(&["attach", "not-a-number"]), USAGE, &["not-a-number"]);
    refused(&mut with(&["run", "--fail-on", "sometimes", "--", "true"]), USAGE, &["sometimes"]);
    refused(&mut with(&["run", "--duration", "abc", "--", "true"]), USAGE, &["abc", "for example 500ms"]);
    refused(&mut with(&["explain", "enotsok"]), USAGE, &["did you mean enotsock?"]);
}

#[test]
fn a_thread_of_the_kernel_makes_no_calls() {
    let Some(_) = Env::get() else { return };
    // All others are children of this one, which has the same number everywhere but in containers.
    if fs::read("/proc/2/comm").is_ok_and(|name| name == b"kthreadd\n") {
        refused(&mut with(&["attach", "2"]), FAILED, &["2 is a thread of the kernel"]);
    }
}

/// What cannot have the live screen says so before anything is started or read.
#[test]
fn no_live_screen_to_be_had() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let marker = directory.path().join("started");
    let marker = marker.to_str().expect("a plain path");
    let runs = ["run", "--ui", "tui", "--", "touch", marker];
    refused(&mut with(&runs), FAILED, &["standard output is no terminal"]);
    assert!(!fs::exists(marker).expect("own directory"), "found out before the program, not after");
    // Standard input stays open: nothing waits for it.
    let mut replays = Process::start(&mut with(&["replay", "--ui", "tui", "-"]));
    replays.stderr_says("needs standard input for its keys");
    assert_eq!(code(replays.wait()), FAILED);
    let own = std::process::id().to_string();
    refused(&mut with(&["attach", "--ui", "tui", &own]), FAILED, &["standard output is no terminal"]);
    refused(&mut with(&["attach", "--theme", "pink", &own]), USAGE, &["pink", "dark, light, contrast, none"]);
}

fn no_such_process(on: Backend) {
    let Some(_) = Env::get() else { return };
    refused(&mut with(&["attach", "--backend", &on.to_string(), &no_pid()]), FAILED, &[&no_pid()]);
}

/// `top -H` and `ps -L` show numbers of threads.
fn a_thread_s_number(on: Backend) {
    let Some(_) = Env::get() else { return };
    let mut program = Process::start(Command::new(example("ordeal")).arg("without-its-leader"));
    program.stdout_says("ready");
    let pid = program.pid().to_string();
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it lives").flatten();
    let thread = threads.filter_map(|entry| entry.file_name().into_string().ok()).find(|tid| *tid != pid);
    let thread = thread.expect("a second thread");
    refused(
        &mut with(&["attach", "--backend", &on.to_string(), &thread]),
        FAILED,
        &["is a thread of process", &pid],
    );
    program.go_on();
    program.wait();
}

fn a_process_that_ends_meanwhile(on: Backend) {
    let Some(_) = Env::get() else { return };
    let mut program = Process::start(&mut Command::new("cat"));
    let session = Session::attach(on, program.pid());
    program.close_stdin();
    assert!(program.wait().success());
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
}

#[test]
fn no_privilege() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let copy = open_copy(&forkscope(), directory.path());
    let marker = directory.path().join("started");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs"]);
    command.arg(copy).args(["run", "--backend", "ebpf", "--", "touch"]).arg(&marker);
    refused(&mut command, FAILED, &["root"]);
    assert!(!marker.exists(), "the program was started all the same");
}

/// Nothing could be traced: that must not look like a clean run.
#[test]
fn nothing_that_may_be_traced() {
    let Some(_) = Env::get() else { return };
    let cat = Process::start(&mut Command::new("cat"));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let copy = open_copy(&forkscope(), directory.path());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(copy).arg("attach");
    refused(command.arg(cat.pid().to_string()), FAILED, &["may not be traced", "as root"]);
}

#[test]
fn a_report_that_cannot_be_written() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let marker = directory.path().join("started");
    let marker = marker.to_str().expect("a plain path");
    refused(
        &mut with(&["run", "--report", "/nowhere/r.json", "--", "touch", marker]),
        FAILED,
        &["/nowhere/r.json"],
    );
    assert!(!fs::exists(marker).expect("own directory"), "found out before the program, not after");
}

#[test]
fn a_baseline_that_is_none() {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("a plain path").to_owned();
    let (marker, file, taken) = (path("started"), path("baseline.json"), path("report.json"));
    let cure = &*format!("--write-baseline {file}");
    for (text, says) in [
        (None, &["No such file", cure][..]),
        (Some("{\"baseline_version\": 1,"), &["is no JSON", cure]),
        (Some("{\"schema_version\": 1}"), &["is no baseline", cure]),
        (Some("{\"baseline_version\": 99}"), &["version 99", "reads version 1", cure]),
    ] {
        if let Some(text) = text {
            fs::write(&file, text).expect("own directory");
        }
        for other in [
            &["run", "--baseline", &file, "--", "touch", &marker][..],
            &["replay", "--baseline", &file, &taken],
        ] {
            refused(&mut with(other), FAILED, &[&["cannot read the baseline", &file], says].concat());
        }
    }
    for (options, says) in [
        (&["--write-baseline", "-"][..], &["name a file"][..]),
        (&["--write-baseline", "/nowhere/b.json"], &["/nowhere/b.json", "mkdir -p"]),
        (&["--write-baseline", &taken, "--report", &taken], &["place of the report", "name two files"]),
    ] {
        refused(&mut with(&[&["run"], options, &["--", "touch", &marker]].concat()), FAILED, says);
    }
    assert!(!fs::exists(&marker).expect("own directory"), "found out before the program, not after");
}

fn no_such_program(on: Backend) {
    let Some(_) = Env::get() else { return };
    refused(
        &mut with(&["run", "--backend", &on.to_string(), "--", "/nowhere/program"]),
        FAILED,
        &["/nowhere/program"],
    );
    refused(
        &mut with(&["run", "--backend", &on.to_string(), "--", "/etc/hostname"]),
        FAILED,
        &["/etc/hostname"],
    );
}

fn the_program_s_own_status(on: Backend) {
    let Some(_) = Env::get() else { return };
    for (script, status) in [("exit 7", 7), ("kill -TERM $$", 128 + Signal::SIGTERM as i32), ("true", 0)] {
        let outcome = crate::run::run(on, &["sh", "-c", script], &[]);
        assert_eq!(outcome.status, status, "{script}: {:#?}", outcome.stderr);
    }
}

on_each_backend! {
    a_thread_s_number
    no_such_process
    a_process_that_ends_meanwhile
    no_such_program
    the_program_s_own_status
}
