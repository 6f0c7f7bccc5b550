//! The live screen on a real terminal, with keys only: live on each backend, and over a recording.

use crate::env::{Env, example, forkscope};
use crate::process::{Process, until};
use crate::run::Session;
use crate::terminal::Terminal;
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// A shell that makes the founding bug when it is told to, and stays.
fn program() -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", "read line; \"$0\" demo --program; read line"]).arg(forkscope());
    Process::start(&mut command)
}

/// The live screen of a session that watches the program.
fn attach(on: Backend, terminal: &Terminal, program: &Process) {
    terminal.runs(&format!("{} attach --backend {on} {}", forkscope().display(), program.pid()));
    terminal.is_taken();
    terminal.shows("1 Processes");
    terminal.shows("tracing");
}

/// What a session found, from its report.
fn rules(report: &Value) -> Vec<&str> {
    report["findings"].as_array().into_iter().flatten().filter_map(|one| one["rule"].as_str()).collect()
}

fn the_founding_bug_is_found_and_followed_with_keys_only(on: Backend) {
    let Some(_) = Env::get() else { return };
    let terminal = Terminal::open(100, 30);
    let settings = terminal.settings();
    let mut program = program();
    attach(on, &terminal, &program);
    program.go_on();
    terminal.shows("3 Findings 1E");
    terminal.types("3");
    terminal.key("Enter");
    terminal.shows("error[enotsock]");
    // Fast typing: all at once.
    terminal.types("/which inherited\r\r");
    terminal.becomes("the fork's mark", |screen| {
        screen.contains("> connection")
            && screen.contains("inherited at a fork")
            && screen.contains("○ closed")
    });
    terminal.resize(140, 45);
    terminal.becomes("a large page", |screen| screen.lines().any(|line| line.chars().count() > 100));
    terminal.resize(50, 12);
    terminal.shows("forkscope needs 60x15");
    terminal.resize(80, 24);
    terminal.shows("inherited at a fork");
    terminal.types("e");
    terminal.shows("wrote the report to");
    // Only leaves once it is at the outermost place.
    terminal.types("qq");
    terminal.becomes("the pane", |screen| !screen.contains("> finding"));
    terminal.types("q");
    terminal.is_given_back(&settings);
    let file = terminal.file("json");
    assert_eq!(fs::metadata(&file).expect("it is there").mode() & 0o777, 0o600);
    let report: Value = serde_json::from_slice(&fs::read(file).expect("it is there")).expect("JSON");
    assert!(rules(&report).contains(&"enotsock"), "{report:#}");
    // The program goes on.
    program.go_on();
    assert_eq!(program.end().status.code(), Some(0));
}

fn a_signal_leaves_a_sane_terminal(on: Backend) {
    let Some(_) = Env::get() else { return };
    let (terminal, program) = (Terminal::open(100, 30), program());
    let settings = terminal.settings();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        attach(on, &terminal, &program);
        kill(Pid::from_raw(terminal.child()), signal).expect("it runs");
        terminal.is_given_back(&settings);
        terminal.runs("clear");
        terminal.becomes("an empty screen", |screen| !screen.contains("Processes"));
    }
}

fn a_stopped_job_gives_the_terminal_to_the_shell(on: Backend) {
    let Some(_) = Env::get() else { return };
    let (terminal, mut program) = (Terminal::open(100, 30), program());
    let settings = terminal.settings();
    attach(on, &terminal, &program);
    terminal.key("C-z");
    terminal.is_given_back(&settings);
    // Made smaller while it stands still.
    terminal.resize(80, 24);
    terminal.runs("fg");
    terminal.is_taken();
    terminal.becomes("the page, as wide as the terminal", |screen| {
        screen.contains("1 Processes") && screen.contains("attach, ")
    });
    program.go_on();
    terminal.shows("3 Findings 1E");
    terminal.key("C-c");
    terminal.is_given_back(&settings);
}

/// The program has a session of its own: a shell's job is forkscope alone.
fn a_stopped_job_with_a_program_gives_the_terminal_to_the_shell(on: Backend) {
    let Some(_) = Env::get() else { return };
    let terminal = Terminal::open(100, 30);
    let settings = terminal.settings();
    let program = "echo rea\"\"dy; read line; echo got $line; exit 6";
    terminal.runs(&format!("{} run --ui tui --backend {on} -- sh -c '{program}'", forkscope().display()));
    terminal.is_taken();
    terminal.types("5");
    terminal.shows("ready");
    let stop_by_key = || terminal.key("C-z");
    let stop_by_signal = || kill(Pid::from_raw(terminal.child()), Signal::SIGTSTP).expect("it runs");
    for stop in [&stop_by_key as &dyn Fn(), &stop_by_signal] {
        stop();
        terminal.is_given_back(&settings);
        terminal.runs("clear; jobs");
        terminal.shows("Stopped");
        terminal.runs("fg");
        terminal.is_taken();
        terminal.shows("ready");
    }
    terminal.key("Enter");
    terminal.shows("has the keys");
    terminal.types("this\r");
    terminal.shows("got this");
    terminal.shows("ended with 6");
    terminal.key("C-]");
    terminal.shows("Enter type");
    terminal.types("q");
    terminal.is_given_back(&settings);
}

fn a_recording_begun_in_the_middle_can_be_replayed(on: Backend) {
    let Some(_) = Env::get() else { return };
    let (terminal, mut program) = (Terminal::open(100, 30), program());
    attach(on, &terminal, &program);
    terminal.types("r");
    terminal.shows("recording to forkscope-");
    program.go_on();
    terminal.shows("3 Findings 1E");
    terminal.types("r");
    terminal.shows("recorded to forkscope-");
    terminal.types("q");
    let file = terminal.file("rec");
    assert_eq!(fs::metadata(&file).expect("it is there").mode() & 0o777, 0o600);
    let replayed = Session::replay(&[file]);
    assert_eq!(replayed.status, 0, "{:#?}", replayed.stderr);
    assert!(rules(&replayed.report).contains(&"enotsock"), "{:#}", replayed.report);
}

/// `ESC [` is how each arrow key begins: the rest may come late, or never.
fn half_a_key_holds_nothing_up(on: Backend) {
    let Some(_) = Env::get() else { return };
    let (terminal, mut program) = (Terminal::open(100, 30), program());
    attach(on, &terminal, &program);
    terminal.types("\u{1b}[");
    program.go_on();
    terminal.shows("3 Findings 1E");
    // The rest makes an arrow of it.
    terminal.types("B");
    terminal.types("3");
    terminal.shows("SEVERITY");
    kill(Pid::from_raw(terminal.child()), Signal::SIGTERM).expect("it runs");
}

/// A window that is closed, of a session that hears no SIGHUP: the report is written all the same.
fn a_terminal_that_is_gone_ends_the_session(on: Backend) {
    let Some(_) = Env::get() else { return };
    let (terminal, mut program) = (Terminal::open(100, 30), program());
    let report = terminal.path().join("report.json");
    let attach = format!("{} attach --backend {on} --report {}", forkscope().display(), report.display());
    terminal.runs(&format!("(trap '' HUP; exec {attach} {})", program.pid()));
    // The screen is there before the program is traced.
    terminal.is_taken();
    terminal.shows("tracing");
    program.go_on();
    terminal.shows("3 Findings 1E");
    terminal.close();
    until("the report is written", || report.exists());
    let report: Value = serde_json::from_slice(&fs::read(report).expect("it is there")).expect("JSON");
    assert!(rules(&report).contains(&"enotsock"), "{report:#}");
}

/// The same with a program in its pane: its terminal is closed, too.
fn a_terminal_that_is_gone_takes_the_programs_with_it(on: Backend) {
    let Some(_) = Env::get() else { return };
    let terminal = Terminal::open(100, 30);
    let (report, hung_up) = (terminal.path().join("report.json"), terminal.path().join("hung-up"));
    let program = "trap \"echo >hung-up; exit 3\" HUP; echo rea\"\"dy; while :; do sleep 0.02; done";
    // In a session of its own, which no terminal tells.
    let run = format!("setsid -w {} run --ui tui --backend {on} --report report.json", forkscope().display());
    terminal.runs(&format!("{run} -- sh -c '{program}'"));
    terminal.is_taken();
    terminal.types("5");
    terminal.shows("ready");
    terminal.close();
    until("the program is hung up", || hung_up.exists());
    until("the report is written", || report.exists());
}

on_each_backend! {
    a_terminal_that_is_gone_ends_the_session
    a_terminal_that_is_gone_takes_the_programs_with_it
    half_a_key_holds_nothing_up
    a_recording_begun_in_the_middle_can_be_replayed
    a_signal_leaves_a_sane_terminal
    a_stopped_job_gives_the_terminal_to_the_shell
    a_stopped_job_with_a_program_gives_the_terminal_to_the_shell
    the_founding_bug_is_found_and_followed_with_keys_only
}

#[test]
fn a_replay_is_steered_back_and_forth() {
    let Some(_) = Env::get() else { return };
    let recorded = Session::start(Backend::Ebpf, "demo", &[""; 0], &[]).end();
    let terminal = Terminal::open(100, 30);
    let settings = terminal.settings();
    terminal.runs(&format!("{} replay {}", forkscope().display(), recorded.recording().display()));
    terminal.is_taken();
    terminal.shows("at the end");
    terminal.shows("3 Findings 1E");
    terminal.types("0");
    terminal.becomes("the beginning", |screen| screen.contains("paused 0.0s") && !screen.contains("1E"));
    terminal.types("f");
    // The session may have shown it as the last thing that it did.
    terminal.becomes("the finding", |screen| {
        (screen.contains("paused") || screen.contains("at the end")) && screen.contains("1E")
    });
    terminal.types("3\r");
    terminal.shows("error[enotsock]");
    terminal.types("<");
    terminal.becomes("before the finding", |screen| !screen.contains("1E"));
    terminal.types("$");
    terminal.becomes("the end", |screen| screen.contains("at the end") && screen.contains("error[enotsock]"));
    terminal.types("y");
    terminal.shows("copied finding");
    let copied: Value = serde_json::from_str(&terminal.clipboard()).expect("JSON");
    assert_eq!(copied["rule"], "enotsock", "{copied:#}");
    // It plays as the session went, and steps.
    terminal.types("0.");
    terminal.shows("1 live");
    terminal.types("$");
    terminal.shows("at the end");
    terminal.types("qq");
    // What was found is said on the terminal that the user goes on with.
    terminal.shows("forkscope: 1 error");
    terminal.is_given_back(&settings);
}

#[test]
fn a_panic_is_read_on_a_terminal_that_works() {
    let Some(_) = Env::get() else { return };
    let terminal = Terminal::open(100, 30);
    let settings = terminal.settings();
    terminal.runs(&format!("{} >/dev/tty", example("panics_on_screen").display()));
    terminal.shows("panicked");
    terminal.is_given_back(&settings);
    until("the shell waits", || terminal.screen().contains("ready>"));
}
