//! Stopping processes for the user, who asked for that.

use super::super::link::Command;
use super::{Context, Keeper, Say};
use forkscope_proto::arguments::may_be_stale;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

impl Context<'_> {
    /// A call of this thread has failed: stops its process before it returns from it, if a
    /// finding may come of that.
    pub(super) fn stop_at(&mut self, number: u16, ret: i64) {
        let was_held = self.keeper.held.contains(&self.tgid) || self.keeper.once.contains(&self.tgid);
        let forked = self.keeper.processes.get(&self.tgid).is_some_and(|process| process.forked);
        if !self.keeper.settings.stops
            || !forked
            || was_held
            || self.keeper.out.is_closed()
            || !may_be_stale(number, ret)
        {
            return;
        }
        // One that nobody hears of, nobody would let go on.
        if self.keeper.out.say(Say::Stopped, self.tgid, 0) {
            self.keeper.held.insert(self.tgid);
            // To this thread: another one that takes it would let this one run on for a moment.
            let (tgid, signal) = (self.tgid, Signal::SIGSTOP as libc::c_int);
            // SAFETY: no memory is passed.
            unsafe { libc::syscall(libc::SYS_tgkill, tgid, self.tid, signal) };
        }
    }
}

impl Keeper {
    /// Stops a process, or leaves it stopped.
    pub(super) fn hold(&mut self, command: Command) {
        let answer = match self.processes.contains_key(&command.tgid) {
            true => send(command.tgid, Signal::SIGSTOP),
            false => Err(Errno::ESRCH),
        };
        if answer.is_ok() {
            self.held.insert(command.tgid);
            self.once.insert(command.tgid);
        }
        self.out.done(command.serial, answer.map_or_else(|errno| errno as u64, |()| 0));
    }

    /// A process is to go on, or does so already.
    pub(super) fn unhold(&mut self, command: Command, signal: bool) {
        if self.held.remove(&command.tgid) && signal {
            let _ = send(command.tgid, Signal::SIGCONT);
        }
        self.out.done(command.serial, 0);
    }

    /// Nobody is left who would let them go on.
    pub(super) fn let_held_go_on(&mut self) {
        for tgid in self.held.drain() {
            let _ = send(tgid, Signal::SIGCONT);
        }
    }
}

/// A process that is traced keeps its number until the tracer has seen its end.
fn send(tgid: u32, signal: Signal) -> nix::Result<()> {
    kill(Pid::from_raw(tgid as i32), signal)
}
