//! Beginning to trace processes that run, and letting them go.

use super::super::link::Say;
use super::Keeper;
use super::process::{Mode, Process, Task};
use crate::source::proc;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::unistd::Pid;
use rustc_hash::FxHashSet;
use std::fs;

/// A process whose threads are being stopped for the first time.
pub(super) struct Following {
    tgid: u32,
    /// Those that have not stopped yet.
    waiting: FxHashSet<i32>,
}

fn options() -> Options {
    Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACESECCOMP
}

impl Keeper {
    /// Traces a process with all its threads. It is told as done when each of them has stopped once: from then on no
    /// call is missed.
    pub(super) fn follow(&mut self, tgid: u32, mode: Mode) {
        if self.processes.contains_key(&tgid) {
            self.out.say(Say::Done, tgid, 0);
            return;
        }
        let start = proc::key(tgid).map_or(0, |key| key.start);
        self.processes.insert(tgid, Process { mode, ..Process::new(start) });
        let mut waiting = FxHashSet::default();
        // A thread that is made meanwhile by one that is traced is traced, too; by another, the next look finds it.
        while let Some(tid) = threads(tgid).into_iter().find(|tid| !self.tasks.contains_key(tid)) {
            match ptrace::seize(Pid::from_raw(tid), options()) {
                Ok(()) => {
                    self.tasks.insert(tid, Task { fresh: true, ..Task::new(tgid) });
                    waiting.insert(tid);
                    let _ = ptrace::interrupt(Pid::from_raw(tid));
                }
                // It has ended meanwhile, or the one that made it has stopped before it could tell.
                Err(Errno::ESRCH | Errno::EPERM) if !waiting.is_empty() => {
                    self.tasks.insert(tid, Task::new(tgid));
                }
                Err(errno) => {
                    self.processes.remove(&tgid);
                    self.out.say(Say::Done, tgid, errno as u64);
                    return;
                }
            }
        }
        if waiting.is_empty() {
            self.processes.remove(&tgid);
            self.out.say(Say::Done, tgid, Errno::ESRCH as u64);
            return;
        }
        if let Some(process) = self.processes.get_mut(&tgid) {
            process.threads = waiting.len() as u32;
        }
        self.following.push(Following { tgid, waiting });
    }

    /// A thread that was seized has stopped for the first time.
    pub(super) fn has_stopped(&mut self, tid: i32) {
        for following in &mut self.following {
            following.waiting.remove(&tid);
        }
        let done = self.following.extract_if(.., |following| following.waiting.is_empty());
        for tgid in done.map(|following| following.tgid).collect::<Vec<_>>() {
            self.out.say(Say::Done, tgid, 0);
        }
    }

    /// Has each thread of these processes stop as soon as it can.
    pub(super) fn interrupt(&self, whose: impl Fn(u32) -> bool) {
        for (&tid, _) in self.tasks.iter().filter(|(_, task)| whose(task.tgid)) {
            let _ = ptrace::interrupt(Pid::from_raw(tid));
        }
    }

    /// Lets these processes go, as far as that can be: with a filter, they need a tracer.
    pub(super) fn release(&mut self, whose: impl Fn(u32) -> bool) {
        let filtered = |tgid| self.processes.get(&tgid).is_some_and(|process| process.filtered);
        let going: FxHashSet<u32> =
            self.processes.keys().copied().filter(|&tgid| whose(tgid) && !filtered(tgid)).collect();
        for task in self.tasks.values_mut().filter(|task| going.contains(&task.tgid)) {
            task.leaving = true;
        }
        self.interrupt(|tgid| going.contains(&tgid));
    }

    /// Lets all go, as far as that can be. What is left is traced without a word.
    pub(super) fn let_go(&mut self) {
        self.quitting = true;
        self.out.close();
        self.release(|_| true);
        // With nobody to tell, only calls that a filter names need to stop.
        for process in self.processes.values_mut().filter(|process| process.filtered) {
            process.mode = Mode::Filtered;
        }
    }
}

/// The threads of a process.
fn threads(tgid: u32) -> Vec<i32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{tgid}/task")) else { return Vec::new() };
    tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}
