//! Threads that have stopped before the one that made them has told so.
//!
//! The maker tells at once after it has let the new one run (`kernel_clone`, kernel/fork.c), unless it is
//! killed between the two. So that a process is told before what it does, one that is early is held for a
//! moment; then it is taken in by what /proc says.

use super::super::stop::Stop;
use super::process::Task;
use super::{Context, Keeper, Mode, Process};
use crate::source::proc;
use forkscope_proto::process::{CLONE_FILES, CLONE_THREAD, CLONE_VM};
use std::fs::File;
use std::io::Read;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a maker has to tell: it only needs a processor.
const HOLD: Duration = Duration::from_millis(50);
/// How long to wait between two looks while one is held.
const PAUSE: Duration = Duration::from_micros(200);

/// Those that are held: how they stopped, and since when.
#[derive(Debug, Default)]
pub(super) struct Early(Vec<(i32, Stop, Instant)>);

impl Early {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Holds one; what it stops for later (its end) stands for what it stopped for before.
    pub(super) fn hold(&mut self, tid: i32, stop: Stop) {
        match self.0.iter_mut().find(|held| held.0 == tid) {
            Some(held) => held.1 = stop,
            None => self.0.push((tid, stop, Instant::now())),
        }
    }

    /// Waits a little: something that is held must not wait for long.
    pub(super) fn pause(&self) {
        sleep(PAUSE);
    }

    /// The one with this number, which is held no longer.
    pub(super) fn take(&mut self, tid: i32) -> Option<Stop> {
        let at = self.0.iter().position(|held| held.0 == tid)?;
        Some(self.0.swap_remove(at).1)
    }
}

impl Keeper {
    /// Takes in those that were held for long enough.
    pub(super) fn adopt_orphans(&mut self) {
        while let Some(at) = self.early.0.iter().position(|held| held.2.elapsed() >= HOLD) {
            let (tid, stop, _) = self.early.0.swap_remove(at);
            self.adopt_orphan(tid);
            self.stopped(tid, stop);
        }
    }

    /// Takes in a thread whose maker was killed before it could tell.
    fn adopt_orphan(&mut self, tid: i32) {
        let of = |name: &str| status_line(tid, name);
        // One that has ended has no status any more, and nothing to tell.
        let tgid = of("Tgid:").unwrap_or(tid as u32);
        let is_thread = tgid != tid as u32;
        let maker = if is_thread { Some(tgid) } else { of("PPid:") };
        let maker = maker.filter(|maker| self.tasks.contains_key(&(*maker as i32)));
        if let Some(maker) = maker {
            let shares = |what| same(what, tid, maker as i32);
            let flags =
                [(is_thread, CLONE_THREAD), (shares(KCMP_FILES), CLONE_FILES), (shares(KCMP_VM), CLONE_VM)];
            let flags = flags.iter().filter(|(is, _)| *is).map(|(_, flag)| flag).sum();
            let process = self.tasks[&(maker as i32)].tgid;
            Context { keeper: self, tid: maker as i32, tgid: process }.begets(tid, tgid, flags);
        } else {
            let start = proc::key(tgid).map_or(0, |key| key.start);
            let process = self
                .processes
                .entry(tgid)
                .or_insert(Process { threads: 0, ..Process::new(start, Mode::Every) });
            process.threads += 1;
            let leaving = self.quitting && self.may_leave();
            self.tasks.insert(tid, Task { leaving, ..Task::new(tgid) });
        }
    }
}

/// `KCMP_VM` and `KCMP_FILES` (include/uapi/linux/kcmp.h).
const KCMP_VM: i32 = 1;
const KCMP_FILES: i32 = 2;

/// Whether two threads share their memory or their descriptor table (kcmp(2)).
fn same(what: i32, one: i32, other: i32) -> bool {
    // SAFETY: no memory is passed.
    unsafe { libc::syscall(libc::SYS_kcmp, one, other, what, 0, 0) == 0 }
}

/// A number in /proc/PID/status (proc_pid_status(5)).
pub(super) fn status_line(tid: i32, name: &str) -> Option<u32> {
    // What is asked for stands at its beginning.
    let mut text = [0; 1024];
    let length = File::open(format!("/proc/{tid}/status")).ok()?.read(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text[..length]);
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}
