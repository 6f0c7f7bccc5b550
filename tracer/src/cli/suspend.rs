//! Ctrl-Z: forkscope and its program are one job of the user's shell, and forkscope
//! stops when the program has.
//!
//! A shell knows of the job what it knows of its own child: when forkscope has stopped, the shell reads the
//! terminal again. A program that had its signal but not yet a processor would then take the next line, typed
//! for the shell: a read hands out what is there before it looks for signals (`n_tty_read`,
//! drivers/tty/n_tty.c, 6.18).

use anyhow::{Context, Result};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, raise, sigaction, signal};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::task::{Context as Task, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::signal::unix::{self, SignalKind};

/// How long after the signal a program that stops does so because of it. One that has not stopped by then
/// takes the signal for something else: without forkscope, the shell would not see it stop either.
const BECAUSE: Duration = Duration::from_secs(10);

/// Waits with the terminal's stop signal (`SIGTSTP`) until the program has stopped.
pub(super) struct Suspend {
    /// None where it was ignored already: then it stays so.
    signal: Option<unix::Signal>,
    asked: Option<Instant>,
}

impl Suspend {
    /// Catches the signal from now on. Called when the program was started: it must not inherit the handler.
    /// Needs a runtime to be entered.
    pub(super) fn catch() -> Result<Self> {
        // SAFETY: no handler is installed.
        let before =
            unsafe { signal(Signal::SIGTSTP, SigHandler::SigDfl) }.context("cannot catch signals")?;
        let signal = match before {
            SigHandler::SigIgn => {
                // SAFETY: what was there before.
                unsafe { signal(Signal::SIGTSTP, before) }.context("cannot catch signals")?;
                None
            }
            _ => Some(unix::signal(SignalKind::from_raw(libc::SIGTSTP)).context("cannot catch signals")?),
        };
        Ok(Self { signal, asked: None })
    }

    /// Whether this process was asked to stop, and its program has stopped. `None`: it has
    /// ended, or is in another job.
    pub(super) fn is_due(&mut self, program: Option<Pid>) -> bool {
        let Some(signal) = &mut self.signal else { return false };
        // What came is kept until it is looked at: nobody need be woken for it between two turns.
        if signal.poll_recv(&mut Task::from_waker(Waker::noop())) == Poll::Ready(Some(())) {
            self.asked = Some(Instant::now());
        }
        let Some(asked) = self.asked else { return false };
        let due = program.is_none_or(has_stopped);
        if due || asked.elapsed() > BECAUSE {
            self.asked = None;
        }
        due
    }
}

/// Whether a child of this process is stopped, all of it. Another may trace it: of its stops for
/// that one nothing is told.
fn has_stopped(child: Pid) -> bool {
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    matches!(waitid(Id::Pid(child), flags), Ok(WaitStatus::Stopped(..)))
}

/// Stops the whole job as its terminal would, where the terminal sends no signals (raw mode);
/// returns when it is continued.
pub(super) fn stop_job() -> nix::Result<()> {
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // The others first, and then this process, by its own thread: it stands still at once.
    // SAFETY: no handler is installed.
    let before = unsafe { sigaction(Signal::SIGTSTP, &ignore) }?;
    let others = kill(Pid::from_raw(0), Signal::SIGTSTP);
    // SAFETY: what was there before.
    unsafe { sigaction(Signal::SIGTSTP, &before) }?;
    if !matches!(before.handler(), SigHandler::SigIgn) {
        stop();
    }
    others
}

/// Stops this process by the signal that it may have caught, so that a shell tells of it as of any other job;
/// returns when it is continued.
pub(super) fn stop() {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // Neither call fails for a signal that exists and may be caught (sigaction(2), raise(3)).
    // SAFETY: no handler is installed.
    let Ok(caught) = (unsafe { sigaction(Signal::SIGTSTP, &default) }) else { return };
    // Here it stands still.
    let _ = raise(Signal::SIGTSTP);
    // SAFETY: what was there before.
    let _ = unsafe { sigaction(Signal::SIGTSTP, &caught) };
}
