//! The keeper: a process of forkscope's own that traces others through ptrace(2) and outlives
//! forkscope where it must.
//!
//! ```text
//!   forkscope --commands--> ear --> Keeper <--waitpid-- traced threads
//!       ^---replies----------------' |  ^--process_vm_readv, /proc, pidfd_getfd
//!       ^---records, by the pipe-----'
//! ```
//!
//! It is a process because a filter makes calls fail when nobody traces any more: when forkscope ends, even
//! when it is killed, the keeper goes on and only lets calls pass, until the last filtered process has ended.
//! Without filter it lets all go at once.

mod calls;
mod ear;
mod early;
mod entry;
mod inject;
mod leave;
mod life;
mod memory;
mod out;
mod process;
mod seize;
mod sockets;
mod stack;
mod stopping;

use super::filter::X86_64;
use super::link::{Ask, Command, Say};
use super::request::{Resume, look, resume, wait};
use super::stop::Stop;
use crate::source::proc::Looker;
use crate::source::usage::{cpu, now};
use ear::{Ear, Heard};
use early::Early;
use forkscope_proto::Header;
use nix::errno::Errno;
use out::Out;
use process::{Filter, Mode, Process, Task};
use rustc_hash::{FxHashMap, FxHashSet};
use seize::Following;
use std::os::fd::OwnedFd;

/// Everything that is traced, and where it is told.
pub(super) struct Keeper {
    tasks: FxHashMap<i32, Task>,
    processes: FxHashMap<u32, Process>,
    early: Early,
    following: Vec<Following>,
    out: Out,
    sockets: sockets::Known,
    looker: Looker,
    /// What has stopped and was not looked at yet, oldest first.
    stops: Vec<(i32, Stop)>,
    filter: Filter,
    settings: Settings,
    /// Processes that forkscope has stopped.
    held: FxHashSet<u32>,
    /// Those that it has held for a finding: their calls stop them no more.
    once: FxHashSet<u32>,
    payload: Vec<u8>,
    quitting: bool,
}

/// What forkscope asks for when it starts the keeper.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// Payload bytes to take of each transfer.
    pub(super) capture: u32,
    /// Stop processes at failing calls that may be a finding.
    pub(super) stops: bool,
    /// Take user stacks at forks, connects and failing calls.
    pub(super) stacks: bool,
}

/// One thread that has stopped, and the keeper that looks at it.
struct Context<'a> {
    keeper: &'a mut Keeper,
    tid: i32,
    tgid: u32,
}

/// Is the keeper: until forkscope has gone and nothing is left that needs a tracer.
///
/// # Errors
/// Where the system has no thread to give.
pub(super) fn keep(commands: OwnedFd, records: OwnedFd, settings: Settings) -> std::io::Result<()> {
    let ear = Ear::on(commands.try_clone()?)?;
    let mut keeper = Keeper::new(Out::new(records, commands), settings);
    loop {
        match ear.listen() {
            Heard::Command(command) => keeper.obey(command),
            Heard::Gone if !keeper.quitting => keeper.let_go(),
            Heard::Gone | Heard::Nothing => {}
        }
        keeper.out.flush();
        match keeper.gather() {
            Ok(()) => keeper.round(),
            Err(Errno::ECHILD) if keeper.quitting => return Ok(()),
            Err(Errno::ECHILD) if keeper.out.is_waiting() => keeper.out.pause(),
            Err(Errno::ECHILD) => match ear.wait() {
                Heard::Command(command) => keeper.obey(command),
                Heard::Gone | Heard::Nothing => return Ok(()),
            },
            Err(_) => {}
        }
    }
}

impl Keeper {
    fn new(out: Out, settings: Settings) -> Self {
        Self {
            tasks: FxHashMap::default(),
            processes: FxHashMap::default(),
            early: Early::default(),
            following: Vec::new(),
            out,
            sockets: sockets::Known::default(),
            looker: Looker::default(),
            stops: Vec::new(),
            filter: Filter::None,
            settings,
            held: FxHashSet::default(),
            once: FxHashSet::default(),
            payload: Vec::new(),
            quitting: false,
        }
    }

    /// Waits until something has stopped, and takes all that has: the kernel tells of the newest thread
    /// first, and one that stops again and again would keep the others waiting for ever.
    fn gather(&mut self) -> nix::Result<()> {
        let idle = self.early.is_empty() && !self.out.is_waiting();
        match if idle { Some(wait()?) } else { look()? } {
            Some((tid, status)) => self.stops.push((tid, Stop::read(status))),
            None if self.out.is_waiting() => self.out.pause(),
            None => self.early.pause(),
        }
        while let Ok(Some((tid, status))) = look() {
            self.stops.push((tid, Stop::read(status)));
        }
        Ok(())
    }

    /// Looks at all that has stopped.
    fn round(&mut self) {
        // What stops while one makes calls for the keeper stands behind the others.
        while !self.stops.is_empty() {
            for (tid, stop) in std::mem::take(&mut self.stops) {
                self.stopped(tid, stop);
            }
        }
        self.adopt_orphans();
    }

    fn obey(&mut self, command: Command) {
        match command.ask {
            Ask::Follow => self.follow(command, Mode::Every),
            Ask::FollowFiltered => {
                self.filter = Filter::Awaited;
                self.follow(command, Mode::AwaitsFilter);
            }
            Ask::Leave => {
                self.release(|tgid| tgid == command.tgid);
                self.out.done(command.serial, 0);
            }
            Ask::Account => {
                self.out.flush_all();
                self.out.tell_losses();
                self.out.done(command.serial, cpu().map_or(0, |time| time.as_micros() as u64));
            }
            Ask::Quit => self.let_go(),
            Ask::Hold => self.hold(command),
            Ask::Release => self.unhold(command, true),
            Ask::Forget => self.unhold(command, false),
        }
    }

    /// A thread has stopped, or ended.
    fn stopped(&mut self, tid: i32, stop: Stop) {
        let Some(task) = self.tasks.get_mut(&tid) else { return self.early.hold(tid, stop) };
        let (tgid, was_fresh, leaving) = (task.tgid, std::mem::take(&mut task.fresh), task.leaving);
        if was_fresh {
            self.has_stopped(tid);
        }
        let mut context = Context { keeper: self, tid, tgid };
        let signal = match stop {
            Stop::Ended(status) => return context.ended(status),
            Stop::Group(_) if !leaving => {
                let _ = resume(tid, Resume::Listen, 0);
                return;
            }
            Stop::Call | Stop::Filter => match context.called(stop == Stop::Filter) {
                // Others may have ended before that.
                Some(next) => return self.stops.push((tid, next)),
                None => 0,
            },
            Stop::Born => context.born(),
            Stop::Executed => context.executed(),
            Stop::Signal(signal) => signal,
            Stop::Group(_) | Stop::Trap => 0,
        };
        self.go_on(tid, signal);
    }

    /// Lets a stopped thread go on as its process' mode and its call want it.
    fn go_on(&mut self, tid: i32, signal: i32) {
        let Some(task) = self.tasks.get(&tid) else { return };
        // It may have been killed meanwhile: its end is told by itself.
        if task.leaving {
            let _ = resume(tid, Resume::Detach, signal);
            self.forget(tid);
            return;
        }
        let filtered = self.processes.get(&task.tgid).is_some_and(|process| process.mode == Mode::Filtered);
        let how =
            if filtered && task.begun.is_none() && !task.filtering { Resume::Go } else { Resume::ToCall };
        let _ = resume(tid, how, signal);
    }

    /// A thread is traced no more; whether it was the last of its process.
    fn forget(&mut self, tid: i32) -> bool {
        self.looker.forget(tid as u32);
        let Some(task) = self.tasks.remove(&tid) else { return false };
        let Some(process) = self.processes.get_mut(&task.tgid) else { return true };
        process.threads = process.threads.saturating_sub(1);
        let last = process.threads == 0;
        if last {
            self.processes.remove(&task.tgid);
            self.held.remove(&task.tgid);
            self.once.remove(&task.tgid);
        }
        last
    }
}

impl Context<'_> {
    /// Which calls of the process stop it.
    fn mode(&self) -> Option<Mode> {
        self.keeper.processes.get(&self.tgid).map(|process| process.mode)
    }

    /// A record's head; kind and payload are the caller's to set.
    fn header(&self, nr: u16) -> Header {
        let start = self.keeper.processes.get(&self.tgid).map_or(0, |process| process.start);
        Header { time: now(), start, tgid: self.tgid, tid: self.tid as u32, kind: 0, nr, payload: 0 }
    }
}
