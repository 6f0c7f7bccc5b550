//! Where events come from.

pub mod diag;
pub mod ebpf;
pub mod proc;
pub mod ptrace;
pub mod usage;

use crate::decode::Batch;
use crate::event::ProcKey;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How often to look whether something has arrived that users should soon see.
pub const SOON: Duration = Duration::from_millis(5);

/// What is known of a process when tracing it begins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Its threads; 0: not counted.
    pub threads: u32,
    /// It has set up io_uring.
    pub uring: bool,
    /// It may share files with another traced process.
    pub kin: bool,
}

/// Something that sees what traced processes do. One thread drives it; nothing in it blocks.
pub trait Source {
    /// Becomes readable when events wait that should not wait longer.
    fn wake(&self) -> BorrowedFd<'_>;

    /// How often to look where nothing wakes.
    fn beat(&self) -> Duration {
        SOON
    }

    /// What was drained since this was asked last, where that says when to look again.
    fn take_drained(&mut self) -> Drained {
        Drained::default()
    }

    /// Traces a process, and from now on every child of it.
    ///
    /// # Errors
    /// Where the process cannot be added to the traced ones.
    fn follow(&mut self, process: ProcKey, known: Known) -> io::Result<()>;

    /// A traced process has an io_uring, of which no record may have come.
    fn meet_ring(&mut self) {}

    /// Traces a process no more: it ended before it could be traced, and its number may be another's soon.
    fn leave(&mut self, tgid: u32);

    /// What a program that forkscope starts must do before its exec; asked once, before it is followed.
    fn preparation(&self) -> Option<&ptrace::Preparation> {
        None
    }

    /// Prepares for a program that forkscope is about to start: what takes long is done before that runs.
    fn foresee(&mut self, _program: &OsStr) {}

    /// Stops a process (`SIGSTOP`) until it is released, or forkscope ends. One that was stopped at a failing
    /// call, as users may ask for ([`may_be_stale`](forkscope_proto::arguments::may_be_stale)), stays so.
    ///
    /// # Errors
    /// Where it is gone.
    fn hold(&mut self, process: ProcKey) -> io::Result<()>;

    /// Lets a process go on that was stopped here; to another nothing is done.
    fn release(&mut self, process: ProcKey);

    /// Others have let a held process go on.
    fn forget(&mut self, process: ProcKey);

    /// Moves what has arrived to `batch`, until nothing is left or the batch is full.
    fn drain(&mut self, batch: &mut Batch);

    /// The most bytes of records that may wait in it.
    fn room(&self) -> usize;

    /// A process beside forkscope's own that does its work, and is not to be traced.
    fn own(&self) -> Option<u32> {
        None
    }

    /// Libraries that were to be probed and are not: their paths, as processes see them.
    fn unprobed(&self) -> Vec<String> {
        Vec::new()
    }

    /// Takes what users should know about how it traces.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Records lost because nobody made room in time, by kind.
    fn lost(&self) -> BTreeMap<&'static str, u64>;

    /// What it costs and what it lost, so far.
    fn account(&self) -> Account;
}

/// What was drained of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// How much it was.
    pub bytes: u64,
    /// There was news, or may be behind what is being written: it is held back for its order at first, and
    /// what follows it does not wake at once.
    pub news: bool,
}

/// What a source costs and what it lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// Records lost because nobody made room in time, by kind.
    pub lost: BTreeMap<&'static str, u64>,
    /// Records that were no records.
    pub malformed: u64,
    /// Each program's runs, where the kernel counts them.
    pub programs: Vec<ProgramCost>,
    /// Processor seconds that forkscope itself has used, where that was measured.
    pub own_cpu: Option<f64>,
}

/// What one program of a source has cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramCost {
    /// Its name.
    pub name: String,
    /// How often it ran.
    pub runs: u64,
    /// How long it ran in all.
    pub time: Duration,
    /// How often the kernel did not run it, because it was already running on that CPU.
    pub missed: u64,
}
