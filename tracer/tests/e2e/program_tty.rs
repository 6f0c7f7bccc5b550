//! `run --tty`: the program on another terminal.

use crate::env::{Env, forkscope};
use crate::process::{Ended, Process};
use crate::pty_terminal::Terminal;
use crate::run::code;
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::Signal;
use std::process::Command;

const SCRIPT: &str = "trap 'echo interrupted; exit 7' INT
    test -t 0 && test -t 1 && test -t 2 && tty; read line; echo \"got <$line>\"; while :; do read line; done";

fn command(on: Backend, ui: &str, tty: &std::path::Path, script: &str) -> Command {
    let mut command = Command::new(forkscope());
    command.args(["run", "--ui", ui, "--backend", &on.to_string(), "--tty"]).arg(tty);
    command.args(["--", "sh", "-c", script]);
    command
}

fn the_program_is_on_the_other_terminal(on: Backend) {
    let Some(_) = Env::get() else { return };
    let other = Terminal::new();
    let path = other.path();
    let mut terminal = Terminal::start(&mut command(on, "tui", &path, SCRIPT));
    terminal.shows("4 Events");
    other.shows(&path.display().to_string());
    other.types("hello\r");
    other.shows("got <hello>");
    assert!(!terminal.text().contains("5 Program"), "{}", terminal.text());
    // The other terminal controls it.
    other.types("\x03");
    other.shows("interrupted");
    terminal.shows("ended with 7");
    terminal.types("q");
    assert_eq!(code(terminal.wait()), 7);
}

fn the_log_stays_here_and_an_interrupt_is_passed_on(on: Backend) {
    let Some(_) = Env::get() else { return };
    let other = Terminal::new();
    let mut terminal = Terminal::start(&mut command(on, "log", &other.path(), SCRIPT));
    other.types("hello\r");
    other.shows("got <hello>");
    terminal.types("\x03");
    other.shows("interrupted");
    assert_eq!(code(terminal.wait()), 7);
    terminal.shows("no findings");
    assert!(!other.text().contains("findings") && !terminal.text().contains("got"));
}

fn a_terminal_of_another_session_is_lent(on: Backend) {
    let Some(_) = Env::get() else { return };
    let other = Terminal::start(Command::new("sh").args(["-c", "echo mine; exec sleep 1000"]));
    other.shows("mine");
    let script = "test -t 0 && test -t 1 && test -t 2 && echo all three; exit 4";
    let mut terminal = Terminal::start(&mut command(on, "log", &other.path(), script));
    other.shows("all three");
    assert_eq!(code(terminal.wait()), 4);
    terminal.shows("that terminal is another session's");
}

on_each_backend! {
    the_program_is_on_the_other_terminal
    the_log_stays_here_and_an_interrupt_is_passed_on
    a_terminal_of_another_session_is_lent
}

#[test]
fn one_sentence_says_why_a_terminal_cannot_be_had() {
    let Some(_) = Env::get() else { return };
    for (path, why) in
        [("/dev/pts/99999", "No such file"), ("/dev/null", "it is no terminal"), ("/", "Is a directory")]
    {
        let mut forkscope = command(Backend::Ptrace, "log", path.as_ref(), "echo started");
        let Ended { status, stdout, stderr } = Process::start(&mut forkscope).end();
        assert_eq!((code(status), stdout.len()), (1, 0), "{stderr:#?}");
        let [line] = &stderr[..] else { panic!("{stderr:#?}") };
        assert!(
            line.starts_with(&format!("error: cannot give the program the terminal `{path}`: ")),
            "{line}"
        );
        assert!(line.contains(why) && line.contains("`tty`, typed in a terminal"), "{line}");
    }
}

#[test]
fn the_live_screen_and_the_program_are_not_on_one_terminal() {
    let Some(_) = Env::get() else { return };
    let mut terminal =
        Terminal::start(&mut command(Backend::Ptrace, "tui", "/dev/tty".as_ref(), "echo started"));
    assert_eq!(code(terminal.wait()), 1);
    terminal.shows("the live screen has it");
    assert!(!terminal.had(b"started") && !terminal.had(b"\x1b[?1049h"));
}

#[test]
fn an_unknown_program_leaves_a_sane_terminal() {
    let Some(_) = Env::get() else { return };
    let mut forkscope = Command::new(forkscope());
    forkscope.args(["run", "--ui", "tui", "--backend", "ptrace", "--", "no-such-program"]);
    let mut terminal = Terminal::start(&mut forkscope);
    assert_eq!(code(terminal.wait()), 1);
    terminal.shows("error: cannot run `no-such-program`");
    assert!(terminal.had(b"\x1b[?1049l"));
    let other = Terminal::new();
    let mut lent = command(Backend::Ptrace, "log", &other.path(), "kill -TERM $$");
    assert_eq!(code(Terminal::start(&mut lent).wait()), 128 + Signal::SIGTERM as i32);
}
