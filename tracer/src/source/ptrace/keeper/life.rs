//! Threads and processes: made, executing programs, ended.

use super::memory;
use super::process::{Mode, Process, Task};
use super::{Context, Keeper, Say, X86_64};
use crate::source::proc;
use forkscope_proto as proto;
use forkscope_proto::process::{CLONE_THREAD, CLONE_VFORK, CLONE_VM};
use nix::sys::ptrace;
use nix::unistd::Pid;
use proto::{Exec, Exit, Fork, Header, Kind, calls};
use std::fs::File;
use std::io::Read;

/// The exit signal in clone's flags (`CSIGNAL`, clone(2)).
const EXIT_SIGNAL: u64 = 0xff;
/// `clone` among the calls of 32-bit programs (arch/x86/entry/syscalls/syscall_32.tbl).
const CLONE_32: u64 = 120;

impl Context<'_> {
    /// The thread has made another one, or a process.
    pub(super) fn born(&mut self) {
        let Ok(child) = ptrace::getevent(Pid::from_raw(self.tid)) else { return };
        let child_tid = child as i32;
        let flags = self.clone_flags();
        let is_thread = flags & CLONE_THREAD != 0;
        let child_tgid = if is_thread { self.tgid } else { child_tid as u32 };
        let threads = self.keeper.processes.get(&self.tgid).map_or(1, |process| process.threads);
        let header = Header { kind: Kind::Fork as u16, ..self.header(0) };
        let child_start = match is_thread {
            true => header.start,
            false => proc::key(child_tgid).map_or(0, |key| key.start),
        };
        let comm = comm(child_tid);
        let fork = Fork {
            header,
            flags,
            child_start,
            enter: 0,
            child_tgid,
            child_tid: child_tid as u32,
            threads,
            reserved: 0,
            comm,
        };
        self.keeper.out.record(&fork, &[]);
        self.keeper.adopt(self.tid, child_tgid, child_tid, child_start);
    }

    /// The flags of the call that the thread is in.
    fn clone_flags(&self) -> u64 {
        let Ok(registers) = ptrace::getregs(Pid::from_raw(self.tid)) else { return 0 };
        match registers.orig_rax {
            number if number == u64::from(calls::CLONE3) => {
                memory::value(self.tid, registers.rdi).unwrap_or(0)
            }
            number if number == u64::from(calls::CLONE) => registers.rdi & !EXIT_SIGNAL,
            number if number == u64::from(calls::VFORK) => CLONE_VFORK | CLONE_VM,
            CLONE_32 => registers.rbx & !EXIT_SIGNAL & 0xffff_ffff,
            _ => 0,
        }
    }

    /// The process has executed a program; its other threads are gone, and this one is the leader.
    pub(super) fn executed(&mut self) {
        let tgid = self.tgid;
        self.keeper.tasks.retain(|&tid, task| task.tgid != tgid || tid == tgid as i32);
        let task = self.keeper.tasks.entry(tgid as i32).or_insert_with(|| Task::new(tgid));
        task.begun = None;
        if let Some(process) = self.keeper.processes.get_mut(&tgid) {
            process.threads = 1;
            process.compat = false;
            if process.mode == Mode::AwaitsFilter {
                process.mode = Mode::Every;
                self.keeper.out.say(Say::NoFilter, tgid, process.refused as u64);
            }
        }
        let mut cmdline = vec![0; proto::Config::MOST_DETAIL];
        let read = File::open(format!("/proc/{tgid}/cmdline")).and_then(|mut file| file.read(&mut cmdline));
        cmdline.truncate(read.unwrap_or(0));
        let mut header = self.header(0);
        (header.kind, header.payload) = (Kind::Exec as u16, cmdline.len() as u32);
        self.keeper.out.record(&Exec { header, comm: comm(tgid as i32) }, &cmdline);
        // The new program's calls may be 32-bit ones, which the filter lets pass.
        if ptrace::syscall_info(Pid::from_raw(self.tid)).is_ok_and(|info| info.arch != X86_64) {
            self.compat();
        }
    }

    /// The thread has ended.
    pub(super) fn ended(&mut self, status: i32) {
        let last = self.tid as u32 == self.tgid;
        let header = Header { kind: Kind::Exit as u16, ..self.header(0) };
        self.keeper.out.record(&Exit { header, status: status as u32, last: u32::from(last) }, &[]);
        self.keeper.tasks.remove(&self.tid);
        if last {
            // Its threads are gone before their leader is told as ended (`delay_group_leader`, kernel/exit.c).
            let tgid = self.tgid;
            self.keeper.tasks.retain(|_, task| task.tgid != tgid);
            self.keeper.processes.remove(&tgid);
        } else if let Some(process) = self.keeper.processes.get_mut(&self.tgid) {
            process.threads = process.threads.saturating_sub(1).max(1);
        }
        if !self.keeper.early.is_empty() {
            self.keeper.rescue();
        }
    }

    /// The process makes 32-bit calls: said once.
    pub(super) fn compat(&mut self) {
        let Some(process) = self.keeper.processes.get_mut(&self.tgid).filter(|process| !process.compat)
        else {
            return;
        };
        process.compat = true;
        let header = Header { kind: Kind::Compat as u16, ..self.header(0) };
        self.keeper.out.record(&header, &[]);
        self.keeper.out.say(Say::Compat, self.tgid, 0);
    }
}

impl Keeper {
    /// A new thread or process of a traced one; it may have stopped already.
    fn adopt(&mut self, maker: i32, tgid: u32, tid: i32, start: u64) {
        let Some(parent) = self.tasks.get(&maker).cloned() else { return };
        if parent.tgid == tgid {
            if let Some(process) = self.processes.get_mut(&tgid) {
                process.threads += 1;
            }
        } else if let Some(of) = self.processes.get(&parent.tgid) {
            // A filter is inherited, and stays through exec.
            let process = Process { mode: of.mode, filtered: of.filtered, ..Process::new(start) };
            self.processes.insert(tgid, process);
        }
        self.tasks.insert(tid, Task { leaving: parent.leaving, ..Task::new(tgid) });
        if self.early.remove(&tid) {
            self.go_on(tid, 0);
        }
    }

    /// Takes in those that have stopped and whose maker was killed before it could tell of them.
    fn rescue(&mut self) {
        for tid in self.early.drain().collect::<Vec<_>>() {
            let of = |name: &str| status_line(tid, name);
            let Some((tgid, parent)) = of("Tgid:").zip(of("PPid:")) else { continue };
            let maker = if tgid == tid as u32 { parent } else { tgid };
            if self.tasks.values().any(|task| task.tgid == maker) {
                self.early.insert(tid);
                continue;
            }
            if !self.processes.contains_key(&tgid) {
                let filtered = self.processes.values().any(|process| process.filtered);
                let start = proc::key(tgid).map_or(0, |key| key.start);
                self.processes.insert(tgid, Process { filtered, ..Process::new(start) });
            }
            self.tasks.insert(tid, Task { leaving: self.quitting, ..Task::new(tgid) });
            self.go_on(tid, 0);
        }
    }
}

/// A number in /proc/PID/status (proc_pid_status(5)).
fn status_line(tid: i32, name: &str) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

/// The name of a thread, zero-padded.
fn comm(tid: i32) -> [u8; 16] {
    let mut comm = [0; 16];
    let read = File::open(format!("/proc/{tid}/comm")).and_then(|mut file| file.read(&mut comm));
    let length = read.unwrap_or(0);
    if let Some(end) = comm[..length].iter().position(|&byte| byte == b'\n') {
        comm[end] = 0;
    }
    comm
}
