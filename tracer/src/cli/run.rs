//! `forkscope run`: a program and all its descendants.

use super::args::{Options, Run};
use super::backend::Scope;
use super::dashboard::Dashboard;
use super::launch::Waiting;
use super::live::Leave;
use super::outcome::Outcome;
use super::pty::{Pty, Taken};
use super::session::Session;
use super::signals::{Caught, Signals};
use super::streams::Streams;
use super::suspend::Suspend;
use anyhow::{Context, Result};
use forkscope::report::Target;
use forkscope::sinks::words::plural;
use forkscope::source::Known;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;

/// Two interrupts within this time are meant for forkscope, which then leaves the program alone.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long after the program's end others of its processes are worth a word.
const LINGERS: Duration = Duration::from_millis(500);

/// Runs the command of the arguments.
pub(super) fn run(args: &Run) -> Outcome {
    trace(&args.options, &args.command, args.tty.as_deref())
}

/// Starts a program under trace, on the terminal `tty` if one is named; its exit status is ours.
pub(super) fn trace(options: &Options, command: &[OsString], tty: Option<&Path>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let mut signals = Signals::catch()?;
    let words = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let screen = Scope::Program.screen(&options.showing);
    let named = tty.map(|path| Streams::named(path, screen)).transpose()?;
    let mut session = Session::start(options, Scope::Program, Target::Run { command: words })?;
    command.iter().take(1).for_each(|program| session.source.foresee(program));
    let streams = match named {
        Some(streams) => streams,
        None => streams(&mut session)?,
    };
    let waiting = Waiting::fork(command, session.source.preparation(), &streams)?;
    if waiting.lacks_control {
        session
            .console
            .note("that terminal is another session's: its Ctrl-C and its size reach those programs only");
    }
    let started = Started { pid: Pid::from_raw(waiting.pid() as i32), has_session: streams.has_session() };
    drop(streams);
    session.follow(waiting.pid(), true, Known::default())?;
    waiting.release()?;
    let suspend = Suspend::catch()?;
    let status = runtime.block_on(drive(&mut session, &mut signals, suspend, &started))?;
    say_who_is_left(&mut session, &started);
    session.finish(status)
}

/// A program that was started.
struct Started {
    pid: Pid,
    /// It is in a session of its own: no terminal sends it what it sends forkscope.
    has_session: bool,
}

/// Where the program's streams go, where the user has not said so.
fn streams(session: &mut Session) -> Result<Streams> {
    let report_is_stdout = session.showing.report.as_deref().is_some_and(|path| path == Path::new("-"));
    Ok(match &mut session.dashboard {
        Some(dashboard) => Streams::pane(dashboard.add_program()?),
        None if report_is_stdout => Streams::WithoutStdout,
        None => Streams::Inherited,
    })
}

/// Becomes readable when the program prints something on the live screen, if it does so there.
fn output(session: &mut Session) -> Result<Option<AsyncFd<OwnedFd>>> {
    let Some(program) = session.dashboard.as_mut().and_then(Dashboard::program) else { return Ok(None) };
    let end = program.own_end()?;
    // SAFETY: the descriptor is owned by what is returned, and nobody else closes it.
    unsafe { AsyncFd::register(end) }.map(Some).context("cannot wait for what the program prints")
}

/// Waits until the program has printed something on the live screen, and takes it. True: that was the last.
async fn take_output(output: Option<&AsyncFd<OwnedFd>>, session: &mut Session) -> Result<bool> {
    let Some(output) = output else { return std::future::pending().await };
    let mut ready = output.readable().await?;
    let program = session.dashboard.as_mut().and_then(Dashboard::program);
    let taken = program.map_or(Taken::End, Pty::take_output);
    if taken == Taken::All {
        ready.clear_ready();
    }
    Ok(taken == Taken::End)
}

/// Traces until the program and its descendants have ended, or the user has had enough.
async fn drive(
    session: &mut Session,
    signals: &mut Signals,
    mut suspend: Suspend,
    started: &Started,
) -> Result<u8> {
    let mut printed = output(session)?;
    let mut beat = session.beat()?;
    let (mut status, mut ended_at) = (None, None::<Instant>);
    let mut interrupted = None;
    let mut leave = false;
    let mut checked = Instant::now();
    loop {
        tokio::select! {
            due = beat.next() => due?,
            ended = take_output(printed.as_ref(), session) => if ended? {
                printed = None;
            },
            caught = signals.next() => match caught {
                Caught::Interrupt => {
                    // The program may live on with any number of them; two at once are meant for forkscope.
                    let again = interrupted.is_some_and(|before: Instant| before.elapsed() < AT_ONCE);
                    interrupted = Some(Instant::now());
                    leave = again || status.is_some();
                    // What stands still would not hear it.
                    session.let_go_on();
                    started.pass_on(Signal::SIGINT, status.is_none());
                }
                Caught::Quit => {
                    session.let_go_on();
                    started.pass_on(Signal::SIGQUIT, status.is_none());
                }
                Caught::Terminate => return Ok(128 + Signal::SIGTERM as u8),
                Caught::Hangup => return Ok(started.hang_up(printed.is_some() && status.is_none())),
            },
        }
        session.turn(false);
        beat.follow(session.source.take_drained());
        let mut left = session.show();
        if left.is_none() && suspend.is_due(started.in_the_job(status)) {
            left = session.suspend();
        }
        match left {
            Some(Leave::Terminal) => return Ok(started.hang_up(printed.is_some() && status.is_none())),
            Some(Leave::Screen) => leave = true,
            None => {}
        }
        if status.is_none() {
            status = ended(started.pid);
            if status.is_some() {
                session.ended = status;
                session.turn(true);
                session.draw_soon();
                ended_at = Some(Instant::now());
            }
        }
        // Its last processes may be ending just now, and the news of that be on its way.
        if ended_at.is_some_and(|at| at.elapsed() >= LINGERS) {
            ended_at = None;
            say_who_lives(session);
        }
        // On the live screen there is something to read.
        if let Some(status) = status
            && session.dashboard.is_none()
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

/// Shown also where nothing else is: nobody would know what is waited for.
fn say_who_lives(session: &Session) {
    let living = session.analysis.model.living_processes();
    let Some(oldest) = living.min_by_key(|process| process.id) else { return };
    let left = plural(
        session.analysis.model.living() as u64,
        "process of it still lives",
        "processes of it still live",
    );
    session.console.failure(&format!(
        "the program has ended; {left}, the oldest is {} ({}): Ctrl-C to leave",
        oldest.pid(),
        oldest.comm
    ));
}

/// Says that the program goes on without anybody at its terminal.
fn say_who_is_left(session: &mut Session, started: &Started) {
    let has_pane = session.dashboard.as_mut().is_some_and(|dashboard| dashboard.program().is_some());
    if has_pane && session.ended.is_none() {
        session.console.note(&format!(
            "the program goes on as process {pid}: nobody sees what it prints, and nothing can be typed; `kill -HUP {pid}` \
             hangs it up",
            pid = started.pid
        ));
    }
}

impl Started {
    /// The program, if it lives and is in one job of the user's shell with forkscope. `status`: its exit status.
    fn in_the_job(&self, status: Option<u8>) -> Option<Pid> {
        (status.is_none() && !self.has_session).then_some(self.pid)
    }

    /// The terminal was closed: who closes the window that has the program's in it, closes that, too. The exit status.
    fn hang_up(&self, has_pane: bool) -> u8 {
        if has_pane {
            self.pass_on(Signal::SIGHUP, true);
        }
        128 + Signal::SIGHUP as u8
    }

    /// Gives the program a signal that a terminal would have given it as well, unless one did.
    fn pass_on(&self, signal: Signal, lives: bool) {
        let terminal = std::fs::File::open("/dev/tty");
        let from_terminal = !self.has_session
            && terminal.is_ok_and(|tty| tcgetpgrp(tty).is_ok_and(|foreground| foreground == getpgrp()));
        if lives && !from_terminal {
            let _ = kill(self.pid, signal);
        }
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
