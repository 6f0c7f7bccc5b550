//! The program of `run --ui tui`: its pane, its keys, its end, and what becomes of it
//! when forkscope leaves first.

use crate::env::{Env, forkscope};
use crate::process::until;
use crate::pty_terminal::Terminal;
use crate::run::code;
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::Signal;
use std::path::Path;
use std::process::Command;

/// The key that gives keys back.
const RELEASE: &str = "\x1d";

/// `forkscope run --ui tui -- sh -c SCRIPT DIRECTORY`, at its pane.
fn run(on: Backend, script: &str, directory: &Path) -> Terminal {
    let mut command = Command::new(forkscope());
    command
        .args(["run", "--ui", "tui", "--backend", &on.to_string(), "--", "sh", "-c", script])
        .arg(directory);
    let terminal = Terminal::start(&mut command);
    terminal.shows("5 Program");
    terminal.types("5");
    terminal.shows("Enter type");
    terminal
}

/// Leaves, the program having ended; the exit status.
fn leave(mut terminal: Terminal) -> i32 {
    terminal.types(&format!("{RELEASE}q"));
    code(terminal.wait())
}

fn the_program_has_a_terminal_of_its_own(on: Backend) {
    let Some(_) = Env::get() else { return };
    let script = "trap 'stty size' WINCH; test -t 0 && test -t 1 && test -t 2 && echo all three, $TERM
        stty size
        while read line; do echo \"got <$line>\"; done; exit 9";
    let terminal = run(on, script, Path::new("."));
    terminal.shows("all three, xterm-256color");
    terminal.shows("27 100");
    // Not yet: this is the screen's key for help.
    terminal.types("?");
    terminal.shows("Help: Program");
    terminal.types("?\r");
    terminal.shows("has the keys");
    // What means something to the screen is the program's now; erasing takes a whole character.
    terminal.types("q1?eé\x7f\r");
    terminal.shows("got <q1?e>");
    terminal.resize(80, 24);
    terminal.types("\r");
    terminal.shows("21 80");
    terminal.types("\x04");
    terminal.shows("ended with 9");
    // Nobody types that for the screen.
    terminal.types("q");
    terminal.shows("the program has ended; this key gives the keys back");
    assert_eq!(leave(terminal), 9);
}

fn an_interrupt_is_typed_and_the_exit_status_is_the_programs(on: Backend) {
    let Some(_) = Env::get() else { return };
    for (script, status) in [
        ("trap 'exit 7' INT; echo ready; while :; do read line; done", 7),
        ("echo ready; exec cat", 128 + Signal::SIGINT as i32),
    ] {
        let terminal = run(on, script, Path::new("."));
        terminal.shows("ready");
        terminal.types("\r\x03");
        terminal.shows(&format!("ended with {status}"));
        // Its last screen stays.
        terminal.shows("ready");
        assert_eq!(leave(terminal), status);
    }
}

fn what_acts_on_a_terminal_stays_in_the_pane(on: Backend) {
    let Some(_) = Env::get() else { return };
    // Of command lines the screen shows the text: what is looked for is not in it.
    let script = r"printf 'be\033]0;A-%s\007fo\033]52;c;QUJD\007re\033[8;9;10t\033[?1004h\033[?7777h' TITLE
        printf '\302\2331;31m\342\200\256\033P+qAAAA\033\\ \033[31mred\033[0m after\n'; exit 3";
    let terminal = run(on, script, Path::new("."));
    terminal.shows("before");
    terminal.shows("red after");
    terminal.shows("ended with 3");
    for bytes in [
        &b"A-TITLE"[..],
        b"\x1b]52",
        b"\x1b[8;9;",
        b"\x1b[?1004h",
        b"\x1b[?7777h",
        b"\x1bP",
        b"\xc2\x9b",
        b"\xe2\x80\xae",
    ] {
        assert!(!terminal.had(bytes), "{}", bytes.escape_ascii());
    }
    assert_eq!(leave(terminal), 3);
}

fn a_flood_leaves_the_screen_its_keys(on: Backend) {
    let Some(_) = Env::get() else { return };
    // Plain lines, and the few bytes that ask a terminal for the most work (REP).
    for (script, text) in [
        ("yes flooding", "flooding\nflooding"),
        (r"while printf 'g\033[65535b\033[65535b'; do :; done", "gggggggggg"),
    ] {
        let terminal = run(on, script, Path::new("."));
        terminal.shows(text);
        terminal.types("1");
        terminal.shows("COMMAND");
        terminal.types("5");
        terminal.shows("Enter type");
        terminal.types("\r");
        terminal.shows("has the keys");
        terminal.types("\x03");
        terminal.shows(&format!("ended with {}", 128 + Signal::SIGINT as i32));
        assert_eq!(leave(terminal), 128 + Signal::SIGINT as i32);
    }
}

fn job_control_hangs_nothing(on: Backend) {
    let Some(_) = Env::get() else { return };
    // A session's only process: nobody could let it go on, and the kernel does not stop it.
    let terminal = run(on, "echo ready; exec cat", Path::new("."));
    terminal.shows("ready");
    terminal.types("\r\x1afirst\r");
    until("both the echo and cat show it", || terminal.text().matches("first").count() == 2);
    terminal.types("\x04");
    terminal.shows("ended with 0");
    assert_eq!(leave(terminal), 0);
    // A shell's jobs.
    let terminal = run(on, "exec bash --norc -i", Path::new("."));
    // What is typed before cat has the terminal is echoed in bash's way.
    terminal.types("\recho rea''dy; cat\r");
    terminal.shows("\nready");
    terminal.types("through\r");
    until("both the echo and cat show it", || terminal.text().matches("through").count() == 2);
    terminal.types("\x1a");
    terminal.shows("Stopped");
    terminal.types("fg\r");
    until("cat goes on", || terminal.text().lines().any(|line| line.trim() == "cat"));
    terminal.types("again\r");
    until("both the echo and cat show it", || terminal.text().matches("again").count() == 2);
    terminal.types("\x04exit 5\r");
    terminal.shows("ended with 5");
    assert_eq!(leave(terminal), 5);
}

/// More than a pseudoterminal holds is printed after forkscope's end, and the program is not hung up.
fn a_program_that_is_left_goes_on(on: Backend) {
    let Some(_) = Env::get() else { return };
    let script = "trap 'echo > \"$0\"/hung-up' HUP; echo ready
        until test -e \"$0\"/left; do sleep 0.02; done
        seq 100000; test -e \"$0\"/hung-up || echo > \"$0\"/went-on";
    for ending in ["keys", "SIGTERM", "SIGKILL"] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        let mut terminal = run(on, script, path);
        terminal.shows("ready");
        match ending {
            "keys" => {
                terminal.types("q");
                terminal.shows("the program still runs");
                // Any other key takes that back.
                terminal.types("jq");
                terminal.shows("the program still runs");
                terminal.types("q");
                assert_eq!(code(terminal.wait()), 130);
                terminal.shows("the program goes on as process");
            }
            "SIGTERM" => {
                terminal.signal(Signal::SIGTERM);
                assert_eq!(code(terminal.wait()), 128 + Signal::SIGTERM as i32);
                terminal.shows("the program goes on as process");
            }
            _ => {
                terminal.signal(Signal::SIGKILL);
                assert_eq!(code(terminal.wait()), 128 + Signal::SIGKILL as i32);
            }
        }
        std::fs::write(path.join("left"), "").expect("a file");
        until(&format!("the program goes on after {ending}"), || path.join("went-on").exists());
    }
}

fn closing_the_window_closes_the_programs_too(on: Backend) {
    let Some(_) = Env::get() else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let script = "trap 'echo > \"$0\"/hung-up; exit' HUP; echo ready; while :; do sleep 0.02; done";
    let mut terminal = run(on, script, directory.path());
    terminal.shows("ready");
    terminal.signal(Signal::SIGHUP);
    assert_eq!(code(terminal.wait()), 128 + Signal::SIGHUP as i32);
    until("the program is hung up", || directory.path().join("hung-up").exists());
}

on_each_backend! {
    the_program_has_a_terminal_of_its_own
    an_interrupt_is_typed_and_the_exit_status_is_the_programs
    what_acts_on_a_terminal_stays_in_the_pane
    a_flood_leaves_the_screen_its_keys
    job_control_hangs_nothing
    a_program_that_is_left_goes_on
    closing_the_window_closes_the_programs_too
}
