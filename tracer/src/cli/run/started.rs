//! The program that forkscope has started.

use crate::cli::outcome::FAILED;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};

/// A program that was started.
pub(super) struct Started {
    pid: Pid,
    /// It is in a session of its own: no terminal sends it what it sends forkscope.
    has_session: bool,
}

impl Started {
    /// That process.
    pub(super) fn new(pid: u32, has_session: bool) -> Self {
        Self { pid: Pid::from_raw(pid as i32), has_session }
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// The program, if it lives and is in one job of the user's shell with forkscope.
    pub(super) fn in_the_job(&self, lives: bool) -> Option<Pid> {
        (lives && !self.has_session).then_some(self.pid)
    }

    /// The terminal was closed: who closes the window that has the program's in it, closes
    /// that, too. The exit status.
    pub(super) fn hang_up(&self, has_pane: bool) -> u8 {
        if has_pane {
            self.pass_on(Signal::SIGHUP, true);
        }
        128 + Signal::SIGHUP as u8
    }

    /// Gives the program a signal that a terminal would have given it as well, unless one did.
    pub(super) fn pass_on(&self, signal: Signal, lives: bool) {
        let terminal = std::fs::File::open("/dev/tty");
        let from_terminal = !self.has_session
            && terminal.is_ok_and(|tty| tcgetpgrp(tty).is_ok_and(|foreground| foreground == getpgrp()));
        if lives && !from_terminal {
            let _ = kill(self.pid, signal);
        }
    }

    /// Its exit status as a shell gives it, once it has ended.
    pub(super) fn status(&self) -> Option<u8> {
        match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => Some(status as u8),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(128_u8.saturating_add(signal as u8)),
            Ok(_) => None,
            Err(_) => Some(FAILED),
        }
    }
}
