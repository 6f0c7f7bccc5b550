//! `forkscope run`: a program and all its descendants.

use super::args::{Options, Run};
use super::backend::Scope;
use super::launch::Waiting;
use super::outcome::Outcome;
use super::session::{BEAT, Session};
use super::signals::{Caught, Signals};
use super::suspend::Suspend;
use anyhow::Result;
use forkscope::report::Target;
use forkscope::sinks::words::plural;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

/// Two interrupts within this time are meant for forkscope, which then leaves the program alone.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long after the program's end others of its processes are worth a word.
const LINGERS: Duration = Duration::from_millis(500);

/// Runs the command of the arguments.
pub(super) fn run(args: &Run) -> Outcome {
    trace(&args.options, &args.command)
}

/// Starts a program under trace; its exit status is ours.
pub(super) fn trace(options: &Options, command: &[OsString]) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let mut signals = Signals::catch()?;
    let words = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let report_is_stdout = options.showing.report.as_deref().is_some_and(|path| path == Path::new("-"));
    let mut session = Session::start(options, Scope::Program, Target::Run { command: words })?;
    command.iter().take(1).for_each(|program| session.source.foresee(program));
    let waiting = Waiting::fork(command, session.source.preparation(), report_is_stdout)?;
    session.follow(waiting.pid(), true)?;
    let pid = waiting.release()?;
    let suspend = Suspend::catch()?;
    let status = runtime.block_on(drive(&mut session, &mut signals, suspend, pid))?;
    session.finish(status)
}

/// Traces until the program and its descendants have ended, or the user has had enough.
async fn drive(session: &mut Session, signals: &mut Signals, mut suspend: Suspend, pid: Pid) -> Result<u8> {
    let wake = session.wake()?;
    let mut beat = tokio::time::interval(BEAT);
    let (mut status, mut ended_at) = (None, None::<Instant>);
    let mut interrupted = None;
    let mut leave = false;
    let mut checked = Instant::now();
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            ready = wake.readable() => ready?.clear_ready(),
            caught = signals.next() => match caught {
                Caught::Interrupt => {
                    // The program may live on with any number of them; two at once are meant for forkscope.
                    let again = interrupted.is_some_and(|before: Instant| before.elapsed() < AT_ONCE);
                    interrupted = Some(Instant::now());
                    leave = again || status.is_some();
                    // What stands still would not hear it.
                    session.let_go_on();
                    pass_on(pid, Signal::SIGINT, status.is_none());
                }
                Caught::Quit => {
                    session.let_go_on();
                    pass_on(pid, Signal::SIGQUIT, status.is_none());
                }
                Caught::Terminate => return Ok(128 + Signal::SIGTERM as u8),
                Caught::Hangup => return Ok(128 + Signal::SIGHUP as u8),
            },
        }
        session.turn(false);
        suspend.turn(status.is_none().then_some(pid));
        if status.is_none() {
            status = ended(pid);
            if status.is_some() {
                session.turn(true);
                ended_at = Some(Instant::now());
            }
        }
        // Its last processes may be ending just now, and the news of that be on its way.
        if ended_at.is_some_and(|at| at.elapsed() >= LINGERS) {
            ended_at = None;
            say_who_lives(session);
        }
        if let Some(status) = status
            && (session.is_alone() || session.is_alone_by_proc(&mut checked))
        {
            return Ok(status);
        }
        if leave {
            return Ok(status.unwrap_or(128 + Signal::SIGINT as u8));
        }
        if session.is_over() {
            return Ok(status.unwrap_or(0));
        }
    }
}

fn say_who_lives(session: &Session) {
    let left = session.analysis.model.living() as u64;
    if left > 0 {
        let left = plural(left, "process of it still lives", "processes of it still live");
        session.console.note(&format!("the program has ended; {left}: Ctrl-C to leave"));
    }
}

/// Gives the program a signal that a terminal would have given it as well, unless one did.
fn pass_on(pid: Pid, signal: Signal, lives: bool) {
    let terminal = std::fs::File::open("/dev/tty");
    let from_terminal =
        terminal.is_ok_and(|tty| tcgetpgrp(tty).is_ok_and(|foreground| foreground == getpgrp()));
    if lives && !from_terminal {
        let _ = kill(pid, signal);
    }
}

/// The exit status of the program as a shell gives it, once it has ended.
fn ended(pid: Pid) -> Option<u8> {
    match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, status)) => Some(status as u8),
        Ok(WaitStatus::Signaled(_, signal, _)) => Some(128_u8.saturating_add(signal as u8)),
        Ok(_) => None,
        Err(_) => Some(super::outcome::FAILED),
    }
}
