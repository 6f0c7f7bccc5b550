//! The keeper: a process of forkscope's own that traces others through ptrace(2) and outlives forkscope where it must.
//!
//! ```text
//!   forkscope --commands--> ear --> Keeper <--waitpid-- traced threads
//!       ^---replies----------------' |  ^--process_vm_readv, /proc, pidfd_getfd
//!       ^---records, by the pipe-----'
//! ```
//!
//! It is a process because a filter makes calls fail when nobody traces any more: when forkscope ends, even when it is
//! killed, the keeper goes on and only lets calls pass, until the last filtered process has ended. Without filter it
//! lets all go at once.

mod calls;
mod ear;
mod life;
mod memory;
mod out;
mod process;
mod seize;
mod sockets;

use super::filter::{X32, X86_64};
use super::link::{Ask, Command, Say};
use super::request::{Resume, resume, wait};
use super::stop::Stop;
use crate::source::proc::Looker;
use ear::{Ear, Heard};
use forkscope_proto::Header;
use nix::errno::Errno;
use nix::sys::ptrace;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use out::Out;
use process::{Mode, Process, Task};
use rustc_hash::{FxHashMap, FxHashSet};
use seize::Following;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Everything that is traced, and where it is told.
pub(super) struct Keeper {
    tasks: FxHashMap<i32, Task>,
    processes: FxHashMap<u32, Process>,
    /// Threads that have stopped before the one that made them has told so.
    early: FxHashSet<i32>,
    following: Vec<Following>,
    out: Out,
    sockets: sockets::Known,
    looker: Looker,
    /// Payload bytes to take of each transfer.
    capture: u32,
    payload: Vec<u8>,
    quitting: bool,
}

/// One thread that has stopped, and the keeper that looks at it.
struct Context<'a> {
    keeper: &'a mut Keeper,
    tid: i32,
    tgid: u32,
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| Duration::from(time).as_nanos() as u64)
}

/// Is the keeper: until forkscope has gone and nothing is left that needs a tracer.
///
/// # Errors
/// Where the system has no thread to give.
pub(super) fn keep(commands: OwnedFd, records: OwnedFd, capture: u32) -> std::io::Result<()> {
    let ear = Ear::on(commands.try_clone()?)?;
    let mut keeper = Keeper {
        tasks: FxHashMap::default(),
        processes: FxHashMap::default(),
        early: FxHashSet::default(),
        following: Vec::new(),
        out: Out::new(records, commands),
        sockets: sockets::Known::default(),
        looker: Looker::default(),
        capture,
        payload: Vec::new(),
        quitting: false,
    };
    loop {
        match ear.listen() {
            Heard::Command(command) => keeper.obey(command),
            Heard::Gone if !keeper.quitting => keeper.let_go(),
            Heard::Gone | Heard::Nothing => {}
        }
        keeper.out.flush();
        match wait() {
            Ok((tid, status)) => keeper.stopped(tid, Stop::read(status)),
            Err(Errno::ECHILD) if keeper.quitting => return Ok(()),
            Err(Errno::ECHILD) => match ear.wait() {
                Heard::Command(command) => keeper.obey(command),
                Heard::Gone | Heard::Nothing => return Ok(()),
            },
            Err(_) => {}
        }
    }
}

impl Keeper {
    fn obey(&mut self, command: Command) {
        match command.ask {
            Ask::Follow => self.follow(command.tgid, Mode::Every),
            Ask::FollowFiltered => self.follow(command.tgid, Mode::AwaitsFilter),
            Ask::Leave => {
                self.release(|tgid| tgid == command.tgid);
                self.out.say(Say::Done, command.tgid, 0);
            }
            Ask::Account => {
                self.out.flush();
                self.out.say(Say::Done, 0, cost());
            }
            Ask::Quit => self.let_go(),
        }
    }

    /// A thread has stopped, or ended.
    fn stopped(&mut self, tid: i32, stop: Stop) {
        let Some(task) = self.tasks.get_mut(&tid) else { return self.stranger(tid, stop) };
        let (tgid, was_fresh) = (task.tgid, std::mem::take(&mut task.fresh));
        if was_fresh {
            self.has_stopped(tid);
        }
        let mut context = Context { keeper: self, tid, tgid };
        let signal = match stop {
            Stop::Ended(status) => return context.ended(status),
            Stop::Call | Stop::Filter => {
                context.called();
                0
            }
            Stop::Born => {
                context.born();
                0
            }
            Stop::Executed => {
                context.executed();
                0
            }
            Stop::Signal(signal) => signal,
            Stop::Group(_) if !self.is_leaving(tid) => {
                let _ = resume(tid, Resume::Listen, 0);
                return;
            }
            Stop::Group(_) | Stop::Trap => 0,
        };
        self.go_on(tid, signal);
    }

    /// A thread that is not known: it was just made, and has stopped before its maker has told.
    fn stranger(&mut self, tid: i32, stop: Stop) {
        match stop {
            Stop::Ended(_) => {
                self.early.remove(&tid);
            }
            _ => {
                self.early.insert(tid);
            }
        }
    }

    fn is_leaving(&self, tid: i32) -> bool {
        self.tasks.get(&tid).is_none_or(|task| task.leaving)
    }

    /// Lets a stopped thread go on as its process' mode and its call want it.
    fn go_on(&mut self, tid: i32, signal: i32) {
        let Some(task) = self.tasks.get(&tid) else { return };
        if task.leaving {
            let _ = resume(tid, Resume::Detach, signal);
            self.tasks.remove(&tid);
            return;
        }
        let filtered = self.processes.get(&task.tgid).is_some_and(|process| process.mode == Mode::Filtered);
        let how =
            if filtered && task.begun.is_none() && !task.filtering { Resume::Go } else { Resume::ToCall };
        // It may have been killed meanwhile: its end is told by itself.
        let _ = resume(tid, how, signal);
    }
}

impl Context<'_> {
    /// A record's head; kind and payload are the caller's to set.
    fn header(&self, nr: u16) -> Header {
        let start = self.keeper.processes.get(&self.tgid).map_or(0, |process| process.start);
        Header { time: now(), start, tgid: self.tgid, tid: self.tid as u32, kind: 0, nr, payload: 0 }
    }

    /// The thread enters or leaves a call.
    fn called(&mut self) {
        if self.keeper.out.is_closed() {
            self.forget_call();
            return;
        }
        let Ok(info) = ptrace::syscall_info(Pid::from_raw(self.tid)) else { return };
        let (number, args) = match info.op {
            // SAFETY: `op` says which of the three is there, and all are plain numbers.
            libc::PTRACE_SYSCALL_INFO_ENTRY => unsafe { (info.u.entry.nr, info.u.entry.args) },
            // SAFETY: likewise.
            libc::PTRACE_SYSCALL_INFO_SECCOMP => unsafe { (info.u.seccomp.nr, info.u.seccomp.args) },
            // SAFETY: likewise.
            libc::PTRACE_SYSCALL_INFO_EXIT => return self.returned(unsafe { info.u.exit.sval }),
            _ => return,
        };
        if info.arch != X86_64 || number & u64::from(X32) != 0 {
            return self.compat();
        }
        // Where every call stops, one that the filter names stops twice at its entry.
        if self.keeper.tasks.get(&self.tid).is_some_and(|task| task.begun.is_some()) {
            return;
        }
        let begun = self.begin(number, args);
        let filtering = installs_filter(number, &args);
        if filtering {
            self.installs();
        }
        if let Some(task) = self.keeper.tasks.get_mut(&self.tid) {
            (task.begun, task.filtering) = (begun, filtering);
        }
    }

    fn forget_call(&mut self) {
        if let Some(task) = self.keeper.tasks.get_mut(&self.tid) {
            (task.begun, task.filtering) = (None, false);
        }
    }

    /// The call that the thread is in has ended.
    fn returned(&mut self, ret: i64) {
        let Some(task) = self.keeper.tasks.get_mut(&self.tid) else { return };
        let filtering = std::mem::take(&mut task.filtering);
        if let Some(begun) = task.begun.take() {
            self.end(&begun, ret);
        }
        if let Some(process) = self.keeper.processes.get_mut(&self.tgid)
            && filtering
            && process.mode == Mode::AwaitsFilter
        {
            match ret {
                0.. => (process.mode, process.filtered) = (Mode::Filtered, true),
                _ => process.refused = -ret as i32,
            }
        }
    }

    /// A filtered process installs a filter of its own, which may answer calls before ours sees them.
    fn installs(&mut self) {
        let Some(process) = self.keeper.processes.get_mut(&self.tgid) else { return };
        if process.mode == Mode::Filtered {
            process.mode = Mode::Every;
            self.keeper.out.say(Say::OwnFilter, self.tgid, 0);
            let own = self.tgid;
            self.keeper.interrupt(|tgid| tgid == own);
        }
    }
}

/// Whether a call is one that installs a seccomp filter (seccomp(2), prctl(2)).
fn installs_filter(number: u64, args: &[u64; 6]) -> bool {
    match number as i64 {
        libc::SYS_seccomp => args[0] <= u64::from(libc::SECCOMP_SET_MODE_FILTER),
        libc::SYS_prctl => args[0] == libc::PR_SET_SECCOMP as u64,
        _ => false,
    }
}

/// Processor time that this process has used, in microseconds.
fn cost() -> u64 {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let used = |usage: nix::sys::resource::Usage| {
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
    };
    getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| used(usage) as u64)
}
