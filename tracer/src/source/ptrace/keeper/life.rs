//! Threads and processes: made, executing programs, ended.

use super::super::stage::clone_flags;
use super::early::status_line;
use super::memory;
use super::process::{Filter, Mode, Process, Task};
use super::{Context, Say, X86_64};
use crate::source::proc;
use forkscope_proto as proto;
use forkscope_proto::process::CLONE_THREAD;
use nix::sys::ptrace;
use nix::unistd::Pid;
use proto::{Exec, Exit, Fork, Header, Kind};
use std::fs::File;
use std::io::Read;

impl Context<'_> {
    /// The thread has made another one, or a process. Returns no signal, as its like do.
    pub(super) fn born(&mut self) -> i32 {
        let Ok(child) = ptrace::getevent(Pid::from_raw(self.tid)) else { return 0 };
        let child_tid = child as i32;
        let flags = self.clone_flags(child_tid);
        let child_tgid = if flags & CLONE_THREAD != 0 { self.tgid } else { child_tid as u32 };
        let early = self.keeper.early.take(child_tid);
        if self.keeper.tasks.contains_key(&child_tid) {
            // It was taken in already, without its maker's word: now it is known how it is traced.
            self.inherit(child_tgid);
            return 0;
        }
        self.begets(child_tid, child_tgid, flags);
        if let Some(stop) = early {
            self.keeper.stopped(child_tid, stop);
        }
        0
    }

    /// Tells of a new thread or process of this one's, and takes it in.
    pub(super) fn begets(&mut self, child_tid: i32, child_tgid: u32, flags: u64) {
        let is_thread = child_tgid == self.tgid;
        let threads = self.keeper.processes.get(&self.tgid).map_or(1, |process| process.threads);
        if !is_thread {
            self.stack_at_fork();
        }
        let header = Header { kind: Kind::Fork as u16, ..self.header(0) };
        let child_start = match is_thread {
            true => header.start,
            false => proc::key(child_tgid).map_or(0, |key| key.start),
        };
        let maker = self.keeper.tasks.get(&self.tid).map(|task| (task.entered, task.leaving));
        let (enter, leaving) = maker.unwrap_or((0, false));
        let fork = Fork {
            header,
            flags,
            child_start,
            enter,
            child_tgid,
            child_tid: child_tid as u32,
            threads,
            reserved: 0,
            comm: comm(child_tid),
        };
        self.keeper.out.record(&fork, &[]);
        let process = Process { threads: 0, ..Process::new(child_start, Mode::Every) };
        self.keeper.processes.entry(child_tgid).or_insert(process).threads += 1;
        if !is_thread {
            self.inherit(child_tgid);
        }
        self.keeper.tasks.insert(child_tid, Task { leaving, ..Task::new(child_tgid) });
    }

    /// A process is traced as the one that made it: a filter is inherited, and stays through exec.
    fn inherit(&mut self, child: u32) {
        let mode = self.keeper.processes.get(&self.tgid).map(|process| process.mode);
        if let Some((process, mode)) = self.keeper.processes.get_mut(&child).zip(mode) {
            process.mode = mode;
            process.forked |= child != self.tgid;
        }
    }

    /// The flags of the call that the thread is in.
    fn clone_flags(&self, child: i32) -> u64 {
        if self.keeper.processes.get(&self.tgid).is_some_and(|process| process.compat) {
            // Its arguments are elsewhere; what the child is, /proc says.
            let is_thread = status_line(child, "Tgid:").is_some_and(|tgid| tgid != child as u32);
            return if is_thread { CLONE_THREAD } else { 0 };
        }
        let Ok(registers) = ptrace::getregs(Pid::from_raw(self.tid)) else { return 0 };
        self.asked_flags(registers.orig_rax, registers.rdi).unwrap_or(0)
    }

    /// The flags of a call that the thread makes, where that makes a thread or a process.
    pub(super) fn asked_flags(&self, number: u64, first: u64) -> Option<u64> {
        clone_flags(number, first, || memory::value(self.tid, first))
    }

    /// The process has executed a program; its other threads are gone, and this one is the leader.
    pub(super) fn executed(&mut self) -> i32 {
        let (tgid, leader) = (self.tgid, self.tgid as i32);
        self.keeper.tasks.retain(|&tid, task| task.tgid != tgid || tid == leader);
        for following in self.keeper.following.iter_mut().filter(|following| following.tgid == tgid) {
            following.waiting.retain(|&tid| tid == leader);
        }
        let task = self.keeper.tasks.entry(leader).or_insert_with(|| Task::new(tgid));
        (task.begun, task.page) = (None, 0);
        if let Some(process) = self.keeper.processes.get_mut(&tgid) {
            process.threads = 1;
            (process.compat, process.forked, process.hidden) = (false, false, false);
            if process.mode == Mode::AwaitsFilter {
                process.mode = Mode::Every;
                self.keeper.filter = Filter::None;
                self.keeper.out.say(Say::NoFilter, tgid, process.refused as u64);
            }
        }
        let cmdline = cmdline(tgid);
        let mut header = self.header(0);
        (header.kind, header.payload) = (Kind::Exec as u16, cmdline.len() as u32);
        self.keeper.out.record(&Exec { header, comm: comm(leader) }, &cmdline);
        // The new program's calls may be 32-bit ones, which the filter lets pass.
        if ptrace::syscall_info(Pid::from_raw(self.tid)).is_ok_and(|info| info.arch != X86_64) {
            self.compat();
        }
        0
    }

    /// The thread has ended. A leader is told as ended after its last thread (`delay_group_leader`,
    /// kernel/exit.c); one that had ended before its process was attached to is never told.
    pub(super) fn ended(&mut self, status: i32) {
        let header = Header { kind: Kind::Exit as u16, ..self.header(0) };
        let last = self.keeper.forget(self.tid);
        self.keeper.out.record(&Exit { header, status: status as u32, last: u32::from(last) }, &[]);
    }

    /// The process makes 32-bit calls: said once.
    pub(super) fn compat(&mut self) {
        let process = self.keeper.processes.get_mut(&self.tgid).filter(|process| !process.compat);
        let Some(process) = process else { return };
        process.compat = true;
        let header = Header { kind: Kind::Compat as u16, ..self.header(0) };
        self.keeper.out.record(&header, &[]);
        self.keeper.out.say(Say::Compat, self.tgid, 0);
    }
}

/// The start of a process' command line, NUL-separated.
pub(super) fn cmdline(tgid: u32) -> Vec<u8> {
    let mut cmdline = vec![0; proto::Config::MOST_DETAIL];
    let read = File::open(format!("/proc/{tgid}/cmdline")).and_then(|mut file| file.read(&mut cmdline));
    cmdline.truncate(read.unwrap_or(0));
    cmdline
}

/// The name of a thread, zero-padded.
pub(super) fn comm(tid: i32) -> [u8; 16] {
    let mut comm = [0; 16];
    let read = File::open(format!("/proc/{tid}/comm")).and_then(|mut file| file.read(&mut comm));
    let length = read.unwrap_or(0);
    if let Some(end) = comm[..length].iter().position(|&byte| byte == b'\n') {
        comm[end] = 0;
    }
    comm
}
