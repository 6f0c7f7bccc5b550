//! Signals for forkscope, caught from before anything is traced: one that comes early is not lost.

use anyhow::{Context, Result};
use nix::sys::signal::{self as system, SigHandler};
use std::future::pending;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a session or are passed on. None: it was ignored already (nohup(1), a job of a
/// script), and stays so, for the program too: a handler would be the default in it (execve(2)).
pub(super) struct Signals {
    interrupt: Option<Signal>,
    quit: Option<Signal>,
    terminate: Option<Signal>,
    hangup: Option<Signal>,
}

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caught {
    Interrupt,
    Quit,
    Terminate,
    Hangup,
}

impl Signals {
    /// Catches signals from now on. Needs a runtime to be entered.
    pub(super) fn catch() -> Result<Self> {
        Ok(Self {
            interrupt: catch(system::Signal::SIGINT)?,
            quit: catch(system::Signal::SIGQUIT)?,
            terminate: catch(system::Signal::SIGTERM)?,
            hangup: catch(system::Signal::SIGHUP)?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Caught {
        tokio::select! {
            () = next(&mut self.interrupt) => Caught::Interrupt,
            () = next(&mut self.quit) => Caught::Quit,
            () = next(&mut self.terminate) => Caught::Terminate,
            () = next(&mut self.hangup) => Caught::Hangup,
        }
    }
}

fn catch(number: system::Signal) -> Result<Option<Signal>> {
    // SAFETY: no handler is installed.
    let before = unsafe { system::signal(number, SigHandler::SigDfl) }.context("cannot catch signals")?;
    if matches!(before, SigHandler::SigIgn) {
        // SAFETY: what was there before.
        unsafe { system::signal(number, before) }.context("cannot catch signals")?;
        return Ok(None);
    }
    signal(SignalKind::from_raw(number as i32)).context("cannot catch signals").map(Some)
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => pending().await,
    }
}
