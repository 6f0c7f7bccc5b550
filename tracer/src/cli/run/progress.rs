//! How far a session with a program is: whether the program lives, what is left of it, and whether
//! the user has had enough.

use super::started::Started;
use crate::cli::session::Session;
use forkscope::sinks::words::plural;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// Two interrupts within this time are meant for forkscope, which then leaves the program alone.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long after the program's end others of its processes are worth a word.
const LINGERS: Duration = Duration::from_millis(500);

/// What became of the program, and of the user's wish to leave.
pub(super) struct Progress {
    /// The program's exit status, once it has ended.
    status: Option<u8>,
    /// When it ended, until it was said who lives on.
    ended: Option<Instant>,
    interrupted: Option<Instant>,
    /// The user has had enough.
    leave: bool,
    /// When /proc was asked last whether anything of it lives.
    checked: Instant,
}

impl Progress {
    /// The program was just started.
    pub(super) fn begin() -> Self {
        Self { status: None, ended: None, interrupted: None, leave: false, checked: Instant::now() }
    }

    pub(super) fn program_lives(&self) -> bool {
        self.status.is_none()
    }

    /// The user has had enough.
    pub(super) fn leave(&mut self) {
        self.leave = true;
    }

    /// An interrupt came. The program may live on with any number of them; two at once
    /// are meant for forkscope.
    pub(super) fn interrupted(&mut self) {
        let again = self.interrupted.is_some_and(|before| before.elapsed() < AT_ONCE);
        self.interrupted = Some(Instant::now());
        self.leave = again || !self.program_lives();
    }

    /// Whether the program has ended meanwhile.
    pub(super) fn look_at(&mut self, started: &Started, session: &mut Session) {
        if self.program_lives() {
            self.status = started.status();
            if !self.program_lives() {
                session.ended = self.status;
                session.turn(true);
                session.draw_soon();
                self.ended = Some(Instant::now());
            }
        }
        // Its last processes may be ending just now, and the news of that be on its way.
        if self.ended.is_some_and(|at| at.elapsed() >= LINGERS) {
            self.ended = None;
            say_who_lives(session);
        }
    }

    /// The session's exit status, where it is over.
    pub(super) fn over(&mut self, session: &mut Session) -> Option<u8> {
        // On the live screen there is something to read.
        if self.status.is_some()
            && session.dashboard.is_none()
            && (session.is_alone() || session.is_alone_by_proc(&mut self.checked))
        {
            return self.status;
        }
        if self.leave {
            return Some(self.status.unwrap_or(128 + Signal::SIGINT as u8));
        }
        session.is_over().then(|| self.status.unwrap_or(0))
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
