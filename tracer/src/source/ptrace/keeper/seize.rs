//! Beginning to trace processes that run, and letting them go.

use super::super::link::{Ask, Command};
use super::Keeper;
use super::process::{Filter, Mode, Process, Task};
use crate::source::proc;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::unistd::Pid;
use rustc_hash::FxHashSet;
use std::fs;

/// A process whose threads are being stopped for the first time.
pub(super) struct Following {
    pub(super) tgid: u32,
    /// The command that asked for it.
    serial: u32,
    /// Those that have not stopped yet.
    pub(super) waiting: FxHashSet<i32>,
}

fn options(ask: Ask) -> Options {
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC;
    // Without a filter of ours, what a filter asks a tracer is not for us.
    if ask == Ask::FollowFiltered { options | Options::PTRACE_O_TRACESECCOMP } else { options }
}

impl Keeper {
    /// Traces a process with all its threads. It is told as done when each of them has stopped once: from
    /// then on no call is missed.
    pub(super) fn follow(&mut self, command: Command, mode: Mode) {
        let Command { tgid, serial, ask } = command;
        if self.processes.contains_key(&tgid) {
            return self.out.done(serial, 0);
        }
        let start = proc::key(tgid).map_or(0, |key| key.start);
        let (mut waiting, mut tried, mut failure) =
            (FxHashSet::default(), FxHashSet::default(), Errno::ESRCH);
        // A thread that is made meanwhile by one that is traced is traced, too; by
        // another, the next look finds it.
        loop {
            let new: Vec<i32> = threads(tgid).into_iter().filter(|&tid| tried.insert(tid)).collect();
            if new.is_empty() {
                break;
            }
            for tid in new {
                if self.tasks.contains_key(&tid) {
                    continue;
                }
                match ptrace::seize(Pid::from_raw(tid), options(ask)) {
                    Ok(()) => {
                        self.tasks.insert(tid, Task { fresh: true, ..Task::new(tgid) });
                        waiting.insert(tid);
                        let _ = ptrace::interrupt(Pid::from_raw(tid));
                    }
                    // A leader that has ended while others go on, or one that was traced when it was made.
                    Err(errno) => failure = if waiting.is_empty() { errno } else { failure },
                }
            }
        }
        if waiting.is_empty() {
            return self.out.done(serial, failure as u64);
        }
        let threads = waiting.len() as u32;
        self.processes.insert(tgid, Process { threads, ..Process::new(start, mode) });
        self.following.push(Following { tgid, serial, waiting });
    }

    /// A thread that was seized has stopped for the first time.
    pub(super) fn has_stopped(&mut self, tid: i32) {
        for following in &mut self.following {
            following.waiting.remove(&tid);
        }
        let done = self.following.extract_if(.., |following| following.waiting.is_empty());
        for serial in done.map(|following| following.serial).collect::<Vec<_>>() {
            self.out.done(serial, 0);
        }
    }

    /// Has each thread of these processes stop as soon as it can.
    pub(super) fn interrupt(&self, whose: impl Fn(u32) -> bool) {
        for (&tid, _) in self.tasks.iter().filter(|(_, task)| whose(task.tgid)) {
            let _ = ptrace::interrupt(Pid::from_raw(tid));
        }
    }

    /// Whether what is traced can do without a tracer.
    pub(super) fn may_leave(&self) -> bool {
        self.filter == Filter::None
    }

    /// Lets these processes go, as far as that can be.
    pub(super) fn release(&mut self, whose: impl Fn(u32) -> bool) {
        if !self.may_leave() {
            return;
        }
        for task in self.tasks.values_mut().filter(|task| whose(task.tgid)) {
            task.leaving = true;
        }
        self.interrupt(whose);
    }

    /// Lets all go, as far as that can be. What is left is traced without a word.
    pub(super) fn let_go(&mut self) {
        self.quitting = true;
        self.out.close();
        self.release(|_| true);
        self.let_held_go_on();
        if self.filter == Filter::Installed {
            // With nobody to tell, only calls that the filter names need to stop.
            self.processes.values_mut().for_each(|process| process.mode = Mode::Filtered);
        }
    }
}

/// The threads of a process.
fn threads(tgid: u32) -> Vec<i32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{tgid}/task")) else { return Vec::new() };
    tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}
