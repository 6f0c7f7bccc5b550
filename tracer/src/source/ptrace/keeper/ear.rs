//! Hears commands while the keeper waits for its processes: a thread of its own, since
//! waitpid(2) waits for nothing else.

use super::super::link::{Command, hear};
use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::MsgFlags;
use nix::unistd::{getpid, gettid};
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

/// The signal that ends the keeper's waiting: it does nothing else.
const NUDGE: Signal = Signal::SIGUSR1;
/// How long a nudge is given: one that comes just before the waiting begins would be in vain.
const AGAIN: Duration = Duration::from_millis(2);

/// The commands as they come.
pub(super) struct Ear {
    commands: Receiver<Command>,
    taken: SyncSender<()>,
}

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Command(Command),
    /// Nothing yet.
    Nothing,
    /// Nobody is there any more.
    Gone,
}

extern "C" fn nothing(_: libc::c_int) {}

/// Lets a signal end what waits, and do nothing else.
fn handle(signal: Signal) -> std::io::Result<()> {
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(signal, &action) }?;
    Ok(())
}

impl Ear {
    /// Listens on a socket, for the calling thread.
    ///
    /// # Errors
    /// Where the system has no thread to give.
    pub(super) fn on(socket: OwnedFd) -> std::io::Result<Self> {
        handle(NUDGE)?;
        Self::await_stops()?;
        let mut nudge_only = SigSet::empty();
        nudge_only.add(NUDGE);
        nudge_only.thread_unblock()?;
        let (sender, commands) = sync_channel(1);
        let (taken, was_taken) = sync_channel(1);
        let (tgid, tid) = (getpid().as_raw(), gettid().as_raw());
        thread::Builder::new().name("forkscope ear".into()).spawn(move || {
            while let Ok(Some(command)) = hear::<Command>(&socket, MsgFlags::empty()) {
                if sender.send(command).is_err() || !nudge(tgid, tid, &was_taken) {
                    return;
                }
            }
            drop(sender);
            nudge(tgid, tid, &was_taken);
        })?;
        Ok(Self { commands, taken })
    }

    /// Has the kernel say when a traced thread stops, by a signal that stays blocked but where it is waited
    /// for: one that is ignored would end no waiting (signal(7)).
    ///
    /// # Errors
    /// None that is known.
    pub(super) fn await_stops() -> std::io::Result<()> {
        handle(Signal::SIGCHLD)
    }

    /// What has come.
    pub(super) fn listen(&self) -> Heard {
        match self.commands.try_recv() {
            Ok(command) => self.take(command),
            Err(TryRecvError::Empty) => Heard::Nothing,
            Err(TryRecvError::Disconnected) => self.gone(),
        }
    }

    /// What comes next, however long that takes.
    pub(super) fn wait(&self) -> Heard {
        self.commands.recv().map_or_else(|_| self.gone(), |command| self.take(command))
    }

    fn take(&self, command: Command) -> Heard {
        let _ = self.taken.try_send(());
        Heard::Command(command)
    }

    fn gone(&self) -> Heard {
        let _ = self.taken.try_send(());
        Heard::Gone
    }
}

/// Ends the waiting of a thread until it has taken what was sent; false: it is gone.
fn nudge(tgid: i32, tid: i32, taken: &Receiver<()>) -> bool {
    loop {
        // SAFETY: no memory is passed, and the handler does nothing.
        let sent = unsafe { libc::syscall(libc::SYS_tgkill, tgid, tid, NUDGE as libc::c_int) };
        if Errno::result(sent).is_err() {
            return false;
        }
        match taken.recv_timeout(AGAIN) {
            Ok(()) => return true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}
