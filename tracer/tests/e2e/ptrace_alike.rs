//! What programs do under ptrace is what they do without: output, statuses, signals, job control.

use crate::env::{Env, example, forkscope, program};
use crate::process::{Ended, Process};
use crate::run::{Session, code};
use crate::ways::{Backend, on_each_backend};
use nix::sys::signal::Signal;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// Runs a program without forkscope, and with.
fn both(command: &[&OsStr]) -> [Ended; 2] {
    let mut plain = Command::new(command[0]);
    plain.args(&command[1..]);
    let mut traced = Command::new(forkscope());
    traced.args(["run", "--backend", "ptrace", "--ui", "none", "--"]).args(command);
    [plain, traced].map(|mut command| Process::start(&mut command).end())
}

#[test]
fn eight_threads_that_fork_execute_and_take_signals() {
    let Some(_) = Env::get() else { return };
    for _ in 0..5 {
        let [mut plain, mut traced] = both(&[example("turmoil").as_os_str()]);
        for ended in [&mut plain, &mut traced] {
            assert_eq!(code(ended.status), 42, "{ended:#?}");
            // The first and the last line have the process' number: the same one,
            // through exec by another thread.
            let number = |line: Option<String>| line?.rsplit(' ').next()?.parse::<u32>().ok();
            let (last, first) = (ended.stdout.pop(), ended.stdout.remove(0));
            let numbers = [number(last), number(Some(first))];
            assert!(numbers[0].is_some() && numbers[0] == numbers[1], "{numbers:?}");
        }
        assert_eq!((plain.stdout, plain.stderr), (traced.stdout, traced.stderr));
    }
}

/// Attached to, without a filter: every call stops.
#[test]
fn what_a_shell_starts_that_was_attached_to() {
    let Some(_) = Env::get() else { return };
    let mut shell = Process::start(&mut Command::new("sh"));
    let session = Session::attach(Backend::Ptrace, shell.pid());
    shell.types(&format!("{}; echo ended with $?\n", example("turmoil").display()));
    shell.stdout_says("stopped: 48, continued: 48, exited: 32, killed: 16, executed: 48");
    shell.stdout_says("signals 1920 and 1920");
    shell.stdout_says("ended with 42");
    shell.close_stdin();
    assert!(shell.wait().success());
    assert_eq!(session.end().status, 0);
}

#[test]
fn job_control_of_bash_and_dash() {
    let Some(_) = Env::get() else { return };
    let script = program("jobs.sh");
    for shell in ["bash", "dash"] {
        // dash wants a terminal. Messages with process numbers go to standard error.
        let line = |before: &str| format!("{before} {shell} {} 2>/dev/null", script.display());
        let traced = format!("{} run --backend ptrace --ui none --", forkscope().display());
        let [plain, traced] = ["", &traced].map(|before| {
            let mut command = Command::new("script");
            Process::start(command.args(["-qec", &line(before), "/dev/null"])).end()
        });
        assert!(plain.stdout.iter().any(|line| line == "ended with 137"), "{plain:#?}");
        assert_eq!((plain.stdout, code(plain.status)), (traced.stdout, code(traced.status)), "{shell}");
    }
}

/// What bash says when it reads from the terminal again: what is typed earlier may be lost
/// between the two modes of it.
const PROMPT: &str = "bash awaits a command";

/// A terminal with a bash in it that has this prompt; where a command is named, that runs the bash.
fn bash(by: &str) -> Process {
    let bash = format!("{by} bash --rcfile {} -i", program("prompt.bash").display());
    Process::start(Command::new("script").args(["-qec", &bash, "/dev/null"]))
}

/// An interactive bash in a terminal: Ctrl-Z, fg, Ctrl-C.
#[test]
fn an_interactive_shell_stops_and_continues_its_jobs() {
    let Some(_) = Env::get() else { return };
    let traced = format!("{} run --backend ptrace --ui none --", forkscope().display());
    let mut terminal = bash(&traced);
    // Typed text comes back as an echo: what is waited for is what the echo is not.
    terminal.types("echo re''ady; cat\n");
    terminal.stdout_says("ready");
    // Once from the terminal, once from the cat: it has the terminal now.
    terminal.types("a l''ine\n");
    terminal.stdout_says("a l''ine");
    terminal.stdout_says("a l''ine");
    terminal.types("\x1a");
    terminal.stdout_says("Stopped");
    terminal.stdout_says(PROMPT);
    terminal.types("fg\n");
    terminal.stdout_says("cat");
    terminal.types("through the c''at\n");
    terminal.stdout_says("through the c''at");
    terminal.stdout_says("through the c''at");
    terminal.types("\x03");
    terminal.stdout_says("^C");
    terminal.types("echo stat''us $?.\n");
    terminal.stdout_says("status 130.");
    terminal.types("exit 9\n");
    assert_eq!(code(terminal.wait()), 9);
}

/// forkscope itself as a job: Ctrl-Z stops it and its program, fg continues both.
#[test]
fn forkscope_and_its_program_are_one_job() {
    let Some(_) = Env::get() else { return };
    for option in ["none", "stop"] {
        let mut terminal = bash("");
        // What is typed before the program has the terminal is the shell's.
        let command = "sh -c 'echo rea\"\"dy; exec cat'";
        terminal.types(&format!(
            "{} run --backend ptrace --on-finding {option} --ui none -- {command}\n",
            forkscope().display()
        ));
        terminal.stdout_says("ready");
        terminal.types("one l''ine\n");
        // The echo, and the cat.
        terminal.stdout_says("one l''ine");
        terminal.stdout_says("one l''ine");
        terminal.types("\x1a");
        terminal.stdout_says("Stopped");
        terminal.stdout_says(PROMPT);
        terminal.types("fg\n");
        terminal.stdout_says("run --backend");
        terminal.types("another l''ine\n");
        terminal.stdout_says("another l''ine");
        terminal.stdout_says("another l''ine");
        terminal.types("\x04");
        terminal.types("exit 9\n");
        assert_eq!(code(terminal.wait()), 9);
    }
}

/// Ctrl-Z while the program still has something to do: until it has stopped, the terminal is
/// its own, not the shell's.
fn a_program_that_stops_later(on: Backend) {
    let Some(env) = Env::get() else { return };
    let mut terminal = bash("");
    let (python, program) = (env.python(), program("suspends.py"));
    let command = [forkscope().as_path(), &python, &program].map(|path| path.display().to_string());
    let [forkscope, python, program] = command;
    terminal.types(&format!("{forkscope} run --backend {on} --ui none -- {python} {program}\n"));
    terminal.stdout_says("ready");
    terminal.types("\x1a");
    terminal.stdout_says("asks");
    terminal.types("a line\n");
    terminal.stdout_says("\"got\": \"a line\"");
    terminal.stdout_says("Stopped");
    terminal.stdout_says(PROMPT);
    terminal.types("fg\n");
    terminal.stdout_says("goes_on");
    terminal.types("\x04");
    terminal.types("exit 9\n");
    assert_eq!(code(terminal.wait()), 9);
}

on_each_backend! {
    a_program_that_stops_later
    what_is_ignored_stays_ignored
}

/// As nohup(1) and a shell's background jobs have it: what is ignored is ignored in the program, too.
fn what_is_ignored_stays_ignored(on: Backend) {
    let Some(_) = Env::get() else { return };
    let program = "kill -HUP $$; kill -INT $$; echo lives";
    let command = format!(
        "trap '' HUP INT; exec {} run --backend {on} --ui none -- sh -c '{program}'",
        forkscope().display()
    );
    let ended = Process::start(Command::new("sh").args(["-c", &command])).end();
    assert_eq!((code(ended.status), &*ended.stdout), (0, &["lives".to_owned()][..]), "{ended:#?}");
}

/// A Python that has its own tests.
fn python_with_tests() -> Option<PathBuf> {
    let python = Env::get()?.python();
    let has = Command::new(&python).args(["-c", "import test.test_subprocess"]).output();
    has.is_ok_and(|output| output.status.success()).then_some(python)
}

/// Python's own tests of subprocesses: hundreds of forks, execs, signals, pipes and statuses.
#[test]
fn the_tests_of_python_s_subprocesses_pass() {
    let Some(python) = python_with_tests() else {
        return crate::env::skip("this Python has no tests of its own").unwrap_or(());
    };
    let arguments = ["-m", "test", "-q", "test_subprocess"].map(OsStr::new);
    let command = [&[OsStr::new("--"), python.as_os_str()], &arguments[..]].concat();
    let outcome = Session::start(Backend::Ptrace, "run", &command, &[]).end();
    assert_eq!(outcome.status, 0, "{:#?}", outcome.stderr);
}

#[test]
fn a_signal_that_ends_the_program_is_its_status() {
    let Some(_) = Env::get() else { return };
    let [plain, traced] = both(&["sh", "-c", "kill -ABRT $$"].map(OsStr::new));
    assert_eq!(code(plain.status), 128 + Signal::SIGABRT as i32);
    assert_eq!(code(plain.status), code(traced.status));
}
