//! `--stacks`: findings name the functions that the threads were in.

use crate::check::{errors, the_error};
use crate::databases::redis;
use crate::env::{Env, program};
use crate::run::Session;
use crate::servers::Greeter;
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// How programs are built: for each of them the names must be the same.
const FLAGS: [&[&str]; 2] = [&["-O1", "-g", "-fno-omit-frame-pointer"], &["-O2", "-fomit-frame-pointer"]];
/// The name of a function of `stacks.c`, and how a terminal may see it.
const HOSTILE: (&str, &str) = ("sends\u{1b}]0;owned\u{7}_on_it", r"sends\x1b]0;owned\x07_on_it");

fn built(flags: &[&str], folder: &TempDir) -> PathBuf {
    let (source, built) = (program("stacks.c"), folder.path().join("stacks"));
    let status = Command::new("cc").args(flags).arg(&source).arg("-o").arg(&built).status();
    assert!(status.is_ok_and(|status| status.success()), "cc builds {}", source.display());
    built
}

/// The functions of the finding's stack of this moment, in this language, innermost first.
#[track_caller]
fn functions<'a>(finding: &'a Value, at: &str, language: &str) -> Vec<&'a str> {
    let stacks = finding["stacks"].as_array().expect("a list");
    let is_it = |stack: &&Value| stack["at"] == at && stack["frames"][0]["language"] == language;
    let stack = stacks.iter().find(is_it).unwrap_or_else(|| panic!("no {language} {at}: {stacks:#?}"));
    let frames = stack["frames"].as_array().expect("a list");
    frames.iter().filter_map(|frame| frame["function"].as_str()).collect()
}

/// Asserts that these functions are there, in this order. Debug information has a hostile name in
/// quotes, as the assembler.
#[track_caller]
fn calls(functions: &[&str], expected: &[&str]) {
    let mut left = functions.iter();
    for name in expected {
        assert!(
            left.any(|function| function.trim_matches('"') == *name),
            "no {name} in its place: {functions:#?}"
        );
    }
}

fn functions_at_the_connect_the_fork_and_the_failing_call(on: Backend) {
    let Some(_) = Env::get() else { return };
    for flags in FLAGS {
        let folder = tempfile::tempdir().expect("a folder");
        let built = built(flags, &folder);
        let words: [&OsStr; 3] = ["--stacks".as_ref(), "--".as_ref(), built.as_ref()];
        let mut session = Session::start(on, "run", &words, &[]);
        session.process().stderr_says("error[enotsock]");
        session.process().go_on();
        let outcome = session.end();
        assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
        let error = the_error(&outcome.report, "enotsock");
        calls(&functions(error, "connect", "native"), &["opens_the_connection", "main"]);
        calls(&functions(error, "fork", "native"), &["forks_the_child", "main"]);
        calls(&functions(error, "failing-call", "native"), &[HOSTILE.0, "main"]);
        let log = outcome.stderr.join("\n");
        assert!(log.contains("opens_the_connection") && log.contains(HOSTILE.1), "{log}");
        assert!(!log.contains('\u{1b}') && !log.contains('\u{7}'), "{log}");
        let has_lines = error["stacks"]
            .to_string()
            .contains("/stacks.c\",\"function\":\"forks_the_child\",\"language\":\"native\",\"line\":");
        assert_eq!(has_lines, flags.contains(&"-g"), "{error:#}");
    }
}

/// LLVM's linker, which Rust uses, begins the code within a page that another segment ends in.
fn functions_of_a_program_in_rust(on: Backend) {
    let Some(_) = Env::get() else { return };
    let outcome = Session::start(on, "demo", &["--stacks"], &[]).end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let error = the_error(&outcome.report, "enotsock");
    for (at, function) in [
        ("connect", "channel::Channel::open"),
        ("fork", "process::in_child"),
        ("failing-call", "channel::Channel::send"),
    ] {
        calls(&functions(error, at, "native"), &[&format!("forkscope::demo::{function}"), "main"]);
    }
}

fn none_without_the_option(on: Backend) {
    let Some(_) = Env::get() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let built = built(FLAGS[0], &folder);
    let mut session = Session::start(on, "run", &["--".as_ref(), built.as_os_str()], &[]);
    session.process().stderr_says("error[enotsock]");
    session.process().go_on();
    let outcome = session.end();
    assert_eq!(the_error(&outcome.report, "enotsock")["stacks"], serde_json::json!([]));
    assert_eq!(outcome.report["stats"]["events"]["stack"], Value::Null);
}

/// As `--stacks -- PYTHON PROGRAM WORD...`, with other options before.
fn python<'a>(options: &[&'a str], python: &'a Path, program: &'a Path, word: &'a str) -> Vec<&'a OsStr> {
    let options = options.iter().copied().chain(["--stacks", "--"]).map(OsStr::new);
    let words = ["-W".as_ref(), "ignore".as_ref(), program.as_os_str(), word.as_ref()];
    options.chain([python.as_os_str()]).chain(words).collect()
}

fn python_of_a_child_that_stands_still(on: Backend) {
    let Some(env) = Env::get() else { return };
    let (interpreter, program) = (env.python(), program("standing.py"));
    let words = python(&[], &interpreter, &program, "mutex");
    let mut session = Session::start(on, "run", &words, &[]);
    session.process().stderr_says("error[stalled-child]");
    session.process().stderr_says("standing still:");
    session.process().stderr_says("start (programs/standing.py:");
    session.process().go_on();
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let error = the_error(&outcome.report, "stalled-child");
    calls(&functions(error, "stalled", "python"), &["<lambda>", "start", "main", "<module>"]);
    let native = functions(error, "stalled", "native");
    assert!(native.iter().any(|name| name.contains("mutex_lock")), "{native:#?}");
    let fork = functions(error, "fork", "native");
    assert!(fork.iter().any(|name| name.contains("fork")), "{fork:#?}");
}

/// A process that is stopped when its finding is made shows where it stands.
fn python_of_a_stopped_process(on: Backend) {
    let Some(env) = Env::get() else { return };
    let server = redis();
    let _running = server.start();
    let (interpreter, program, port) = (env.python(), program("redis_turns.py"), server.port.to_string());
    let words = python(&["--on-finding", "stop"], &interpreter, &program, &port);
    let mut session = Session::start(on, "run", &words, &[]);
    session.process().stderr_says("stopped process");
    session.process().go_on();
    session.process().close_stdin();
    session.process().signal(Signal::SIGINT);
    let outcome = session.end();
    let [error] = errors(&outcome.report)[..] else { panic!("{:#}", outcome.report) };
    calls(&functions(error, "stopped", "python"), &["<module>"]);
}

/// At the failing call itself: also of a Python that is old, whose frames say no thread.
fn python_of_a_process_stopped_at_its_failing_call(on: Backend) {
    let Some(env) = Env::with_python_38() else { return };
    let server = Greeter::start(env);
    let (interpreter, program) = (env.old_python(), program("grpc_founding.py"));
    let words = python(&["--on-finding", "stop"], &interpreter, &program, &server.address);
    let mut session = Session::start(on, "run", &words, &[]);
    let line = session.process().stderr_says("at the failing call");
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse().ok());
    let child = numbers.next().unwrap_or_else(|| panic!("names no process: {line}"));
    kill(Pid::from_raw(child), Signal::SIGCONT).expect("it is there");
    let outcome = session.end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
    let error = the_error(&outcome.report, "enotsock");
    calls(&functions(error, "stopped", "python"), &["<module>"]);
    let failing = functions(error, "failing-call", "native");
    assert!(failing.iter().any(|name| name.contains("sendmsg")), "{failing:#?}");
}

on_each_backend! {
    functions_at_the_connect_the_fork_and_the_failing_call
    functions_of_a_program_in_rust
    none_without_the_option
    python_of_a_child_that_stands_still
    python_of_a_stopped_process
    python_of_a_process_stopped_at_its_failing_call
}
