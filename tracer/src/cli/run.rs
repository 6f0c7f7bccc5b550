//! `forkscope run`: a program and all its descendants.

mod progress;
mod started;

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
use forkscope::source::Known;
use nix::sys::signal::Signal;
use progress::Progress;
use started::Started;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;
use tokio::io::unix::AsyncFd;

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
    let started = Started::new(waiting.pid(), streams.has_session());
    drop(streams);
    session.follow(waiting.pid(), true, Known::default())?;
    waiting.release()?;
    let suspend = Suspend::catch()?;
    let status = runtime.block_on(drive(&mut session, &mut signals, suspend, &started))?;
    say_who_is_left(&mut session, &started);
    session.finish(status)
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

/// Traces until the program and its descendants have ended, or the user has had enough. The exit status.
async fn drive(
    session: &mut Session,
    signals: &mut Signals,
    mut suspend: Suspend,
    started: &Started,
) -> Result<u8> {
    let mut printed = output(session)?;
    let mut beat = session.beat()?;
    let mut progress = Progress::begin();
    loop {
        tokio::select! {
            due = beat.next() => due?,
            ended = take_output(printed.as_ref(), session) => if ended? {
                printed = None;
            },
            caught = signals.next() => match caught {
                Caught::Interrupt => {
                    progress.interrupted();
                    // What stands still would not hear it.
                    session.let_go_on();
                    started.pass_on(Signal::SIGINT, progress.program_lives());
                }
                Caught::Quit => {
                    session.let_go_on();
                    started.pass_on(Signal::SIGQUIT, progress.program_lives());
                }
                Caught::Terminate => return Ok(128 + Signal::SIGTERM as u8),
                Caught::Hangup => {
                    return Ok(started.hang_up(printed.is_some() && progress.program_lives()));
                }
            },
        }
        session.turn(false);
        beat.follow(session.source.take_drained());
        let mut left = session.show();
        if left.is_none() && suspend.is_due(started.in_the_job(progress.program_lives())) {
            left = session.suspend();
        }
        match left {
            Some(Leave::Terminal) => {
                return Ok(started.hang_up(printed.is_some() && progress.program_lives()));
            }
            Some(Leave::Screen) => progress.leave(),
            None => {}
        }
        progress.look_at(started, session);
        if let Some(status) = progress.over(session) {
            return Ok(status);
        }
    }
}

/// Says that the program goes on without anybody at its terminal.
fn say_who_is_left(session: &mut Session, started: &Started) {
    let has_pane = session.dashboard.as_mut().is_some_and(|dashboard| dashboard.program().is_some());
    if has_pane && session.ended.is_none() {
        session.console.note(&format!(
            "the program goes on as process {pid}: nobody sees what it prints, and nothing can be typed; `kill -HUP {pid}` \
             hangs it up",
            pid = started.pid()
        ));
    }
}
