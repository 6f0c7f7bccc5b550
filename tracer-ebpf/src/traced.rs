//! Whether the current process is traced, and what is remembered of it.

use crate::kernel::{Access, Current, Probing, read};
use crate::maps::FILTER;
use crate::settings::{self, offset};
use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use core::marker::PhantomData;
use forkscope_proto::{Config, Header, Kind, Mark};

/// Nanoseconds in a clock tick of /proc (`USER_HZ` is 100 on every architecture that forkscope runs on).
const TICK: u64 = 10_000_000;

/// The current, traced thread; `A` is how its program reads the kernel's structures.
#[derive(Clone, Copy)]
pub struct Me<A: Access = Probing> {
    pub tgid: u32,
    pub tid: u32,
    /// Its `struct task_struct`.
    pub task: u64,
    /// When its process started, in nanoseconds of `CLOCK_BOOTTIME`; `None`: not asked for yet,
    /// since that is two calls.
    started: Option<u64>,
    mark: *mut u8,
    access: PhantomData<A>,
}

impl<A: Access> Me<A> {
    /// The current thread if its process is traced.
    #[inline(always)]
    pub fn if_traced() -> Option<Self> {
        let (current, mark) = current::<A>()?;
        // SAFETY: the byte lies in the map.
        if unsafe { mark.read_volatile() } != 0 {
            return Some(Self::of(current, mark));
        }
        if !settings::everything() {
            return None;
        }
        let me = Self::of(current, mark);
        me.adopt()?;
        Some(me)
    }

    /// As [`Me::if_traced`], if its process has one of these marks.
    #[inline(always)]
    pub fn if_marked(marks: u8) -> Option<Self> {
        let (current, mark) = current::<A>()?;
        // SAFETY: the byte lies in the map.
        (unsafe { mark.read_volatile() } & marks != 0).then(|| Self::of(current, mark))
    }

    /// The current thread, whose process is known to be traced.
    #[inline(always)]
    pub fn known() -> Option<Self> {
        let (current, mark) = current::<A>()?;
        Some(Self::of(current, mark))
    }

    #[inline(always)]
    fn of(Current { tgid, tid, task }: Current, mark: *mut u8) -> Self {
        // What is followed is followed once: at each pointer to a task the verifier looks through all names
        // of the kernel's types (`btf_nested_type_is_trusted`, kernel/bpf/btf.c), for about a millisecond, on
        // each way that leads there.
        let (task, started) = match task {
            Some(task) => (task, Some(started::<A>(task))),
            None => (A::task(), None),
        };
        Self { tgid, tid, task, started, mark, access: PhantomData }
    }

    /// What is remembered of the process: [`Mark`]s.
    #[inline(always)]
    pub fn marks(&self) -> u8 {
        // SAFETY: the byte lies in the map.
        unsafe { self.mark.read_volatile() }
    }

    /// Remembers [`Mark`]s.
    #[inline(always)]
    pub fn add(&self, marks: u8) {
        // Of two that are set on two CPUs at once one may be lost.
        if self.marks() & marks != marks {
            // SAFETY: as above.
            unsafe { self.mark.write_volatile(self.marks() | marks) };
        }
    }

    /// Forgets [`Mark`]s.
    #[inline(always)]
    pub fn remove(&self, marks: u8) {
        // SAFETY: as above.
        unsafe { self.mark.write_volatile(self.marks() & !marks) };
    }

    /// When the process started, in ticks as /proc/PID/stat tells it.
    #[inline(always)]
    pub fn start(&self) -> u64 {
        self.started.unwrap_or_else(|| started::<A>(self.task)) / TICK
    }

    /// A record's head.
    #[inline(always)]
    pub fn header(&self, kind: Kind, nr: u64, payload: u32) -> Header {
        Header {
            time: now(),
            start: self.start(),
            tgid: self.tgid,
            tid: self.tid,
            kind: kind as u16,
            nr: nr as u16,
            payload,
        }
    }

    /// A process that is traced because every process is, seen for the first time.
    #[inline(always)]
    fn adopt(&self) -> Option<()> {
        if self.tgid == settings::own_tgid() || self.tgid == 0 {
            return None;
        }
        let signal: u64 = read(self.task, offset!(task_signal));
        let threads: i32 = read(signal, offset!(signal_nr_threads));
        self.add(Mark::TRACED | Mark::KIN | if threads > 1 { Mark::SHARED } else { 0 });
        Some(())
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
#[inline(always)]
pub fn now() -> u64 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}

/// When a task's process started, as [`Me::start`].
#[inline(always)]
pub fn start_of(task: u64) -> u64 {
    started::<Probing>(task) / TICK
}

/// When a task's process started, in nanoseconds of `CLOCK_BOOTTIME`.
#[inline(always)]
fn started<A: Access>(task: u64) -> u64 {
    A::member(A::member(task, offset!(task_group_leader)), offset!(task_start_boottime))
}

/// Remembers [`Mark`]s of a process, and nothing else of it.
#[inline(always)]
pub fn mark(tgid: u32, marks: u8) {
    if let Some(byte) = slot(tgid) {
        // SAFETY: the byte lies in the map, and is this process' alone.
        unsafe { byte.write_volatile(marks) };
    }
}

/// Who runs, and the process' byte.
#[inline(always)]
fn current<A: Access>() -> Option<(Current, *mut u8)> {
    let current = A::current();
    Some((current, slot(current.tgid)?))
}

#[inline(always)]
fn slot(tgid: u32) -> Option<*mut u8> {
    let row = FILTER.get_ptr_mut((tgid / Config::FILTER_ROW as u32) & (Config::FILTER_ROWS as u32 - 1))?;
    // SAFETY: the index is below the row's length.
    Some(unsafe { row.cast::<u8>().add(tgid as usize & (Config::FILTER_ROW - 1)) })
}
