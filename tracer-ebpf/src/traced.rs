//! Whether the current process is traced, and what is remembered of it.

use crate::kernel::read;
use crate::maps::{FILTER, PROCS};
use crate::settings::{self, offset};
use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_ktime_get_ns};
use forkscope_proto::{Config, Header, Kind, ProcState};

/// Nanoseconds in a clock tick of /proc (`USER_HZ` is 100 on every architecture that forkscope runs on).
const TICK: u64 = 10_000_000;

/// The current, traced thread.
#[derive(Clone, Copy)]
pub struct Me {
    pub tgid: u32,
    pub tid: u32,
    pub task: u64,
    pub state: *mut ProcState,
}

impl Me {
    /// The current thread if its process is traced.
    #[inline(always)]
    pub fn if_traced() -> Option<Self> {
        let id = bpf_get_current_pid_tgid();
        let (tgid, tid) = ((id >> 32) as u32, id as u32);
        if settings::everything() {
            if tgid == settings::own_tgid() || tgid == 0 {
                return None;
            }
        } else if !is_marked(tgid) {
            return None;
        }
        // SAFETY: the helper has no preconditions.
        let task = unsafe { bpf_get_current_task() };
        let state = match PROCS.get_ptr_mut(tgid) {
            Some(state) => state,
            None => adopt(tgid, task)?,
        };
        Some(Self { tgid, tid, task, state })
    }

    /// What is remembered: [`ProcState`]'s flags.
    #[inline(always)]
    pub fn flags(&self) -> u64 {
        // SAFETY: the map's value stays valid while the program runs.
        unsafe { (*self.state).flags }
    }

    /// Remembers a flag of [`ProcState`].
    #[inline(always)]
    pub fn set_flag(&self, flag: u64) {
        // SAFETY: as above; two CPUs that set flags at once set them from the same few.
        unsafe { (*self.state).flags |= flag };
    }

    /// A record's head.
    #[inline(always)]
    pub fn header(&self, kind: Kind, nr: u64, payload: u32) -> Header {
        Header {
            time: now(),
            // SAFETY: as above.
            start: unsafe { (*self.state).start },
            tgid: self.tgid,
            tid: self.tid,
            kind: kind as u16,
            nr: nr as u16,
            payload,
        }
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}

/// When the task's process started, in ticks as /proc/PID/stat tells it.
#[inline(always)]
pub fn start_of(task: u64) -> u64 {
    let leader: u64 = read(task, offset!(task_group_leader));
    read::<u64>(leader, offset!(task_start_boottime)) / TICK
}

/// Traces a process from now on.
#[inline(always)]
pub fn trace(tgid: u32, state: ProcState) {
    let _ = PROCS.insert(tgid, state, 0);
    mark(tgid, 1);
}

/// Traces a process no more.
#[inline(always)]
pub fn forget(tgid: u32) {
    mark(tgid, 0);
    let _ = PROCS.remove(tgid);
}

/// A process that is traced because every process is, seen for the first time.
#[inline(always)]
fn adopt(tgid: u32, task: u64) -> Option<*mut ProcState> {
    let signal: u64 = read(task, offset!(task_signal));
    let threads: i32 = read(signal, offset!(signal_nr_threads));
    let flags = if threads > 1 { ProcState::SHARED } else { 0 };
    let _ = PROCS.insert(tgid, ProcState { start: start_of(task), flags }, 0);
    PROCS.get_ptr_mut(tgid)
}

#[inline(always)]
fn slot(tgid: u32) -> Option<*mut u8> {
    let row = FILTER.get_ptr_mut((tgid / Config::FILTER_ROW as u32) & (Config::FILTER_ROWS as u32 - 1))?;
    // SAFETY: the index is below the row's length.
    Some(unsafe { row.cast::<u8>().add(tgid as usize & (Config::FILTER_ROW - 1)) })
}

#[inline(always)]
fn is_marked(tgid: u32) -> bool {
    // SAFETY: the byte lies in the map.
    slot(tgid).is_some_and(|byte| unsafe { byte.read_volatile() } != 0)
}

#[inline(always)]
fn mark(tgid: u32, value: u8) {
    if let Some(byte) = slot(tgid) {
        // SAFETY: the byte lies in the map, and is this process' alone.
        unsafe { byte.write_volatile(value) };
    }
}
