//! Tracing through eBPF.

mod abridged;
pub mod btf;
mod btf_bytes;
mod casts;
mod error;
mod filter;
mod library;
mod load;
mod mapping;
mod offsets;
mod openssl;
mod ring;
mod stopped;
mod uring;
mod wheels;

pub use error::EbpfError;
pub use load::{Access, Settings};
pub use offsets::offsets;
pub use stopped::be_guardian;

use super::{Account, Drained, Known, ProgramCost, Source};
use crate::decode::Batch;
use crate::event::ProcKey;
use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray};
use filter::Filter;
use forkscope_proto::{Kind, LOST_SLOTS, Mark};
use openssl::{Openssl, Word};
use ring::Ring;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::time::Duration;
use stopped::Stopped;
use uring::Uring;

/// How often the ring is emptied where nothing wakes forkscope and little comes. Each look takes a processor
/// from the programs, and begins with its code gone from the caches: looking a third as often as each 20
/// milliseconds takes a quarter less of it, a twelfth as often a seventh less than that. What is no news is
/// heard so late.
pub const BEAT: Duration = Duration::from_millis(125);

/// The loaded programs, and the ring that they write to. Dropping it removes all of them from the kernel,
/// as the end of the process does, however it ends.
pub struct EbpfSource {
    events: Ring,
    filter: Filter,
    lost: PerCpuArray<MapData, Lost>,
    /// `None`: removed again.
    programs: Option<Ebpf>,
    stopped: Stopped,
    uring: Uring,
    /// What users should know, and was not asked for yet.
    notes: Vec<String>,
    /// `None`: the plaintext of TLS was not asked for.
    openssl: Option<Openssl>,
    /// Keeps the kernel counting the programs' run time.
    _counting: Option<OwnedFd>,
}

/// Lost records by kind, as a map's value.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Lost([u64; LOST_SLOTS]);
// SAFETY: plain numbers without padding.
unsafe impl aya::Pod for Lost {}

impl EbpfSource {
    /// Loads and attaches the programs. Nothing is traced yet, unless the settings say everything is.
    ///
    /// # Errors
    /// Where the kernel or the privileges do not allow it; the message says what to do.
    pub fn start(settings: &Settings) -> Result<Self, EbpfError> {
        load::start(settings)
    }

    /// Has a process let go on what is stopped when forkscope is killed: `command` calls [`be_guardian`].
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn guard(&mut self, command: Command) -> io::Result<()> {
        self.stopped.guard(command)
    }

    /// Puts probes on the files of OpenSSL that a process has mapped, or may map soon,
    /// where that was asked for.
    fn probe_openssl(&mut self, word: &Word) {
        let (Some(openssl), Some(programs)) = (&mut self.openssl, &mut self.programs) else { return };
        match word {
            Word::None => {}
            Word::Mapped(pid) => openssl.look_at(programs, *pid),
            Word::Executed(pid, words) => openssl.look_beside(programs, *pid, words),
        }
    }

    /// A traced process has an io_uring.
    fn watch_uring(&mut self) {
        if let Some(programs) = &mut self.programs {
            self.notes.extend(self.uring.watch(programs));
        }
    }

    /// Whether probes can be put on a library's functions; says what the kernel answered where not.
    ///
    /// # Errors
    /// Where the plaintext of TLS was not asked for, or the kernel refuses.
    pub fn try_library_probe(&mut self) -> Result<(), EbpfError> {
        match (&self.openssl, &mut self.programs) {
            (Some(_), Some(programs)) => openssl::try_probe(programs),
            _ => Err(EbpfError::refused("probe", io::Error::from(io::ErrorKind::Unsupported))),
        }
    }

    /// Whether transfers that io_uring makes are seen: the kernel has tracepoints for them (Linux 6.3).
    #[must_use]
    pub fn sees_uring(&self) -> bool {
        self.uring.can_be_seen()
    }
}

impl Source for EbpfSource {
    fn wake(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }

    fn room(&self) -> usize {
        self.events.size()
    }

    /// Seldom: what should not be heard late wakes forkscope (`tracer-ebpf/src/ring.rs`).
    fn beat(&self) -> Duration {
        BEAT
    }

    fn take_drained(&mut self) -> Drained {
        self.events.take_drained()
    }

    fn follow(&mut self, process: ProcKey, known: Known) -> io::Result<()> {
        let shared = if known.threads > 1 { Mark::SHARED } else { 0 };
        let uring = if known.uring { Mark::URING } else { 0 };
        let kin = if known.kin { Mark::KIN } else { 0 };
        if uring != 0 {
            self.watch_uring();
        }
        self.filter.add(process.tgid, Mark::TRACED | kin | shared | uring)?;
        self.probe_openssl(&Word::Mapped(process.tgid));
        Ok(())
    }

    fn meet_ring(&mut self) {
        self.watch_uring();
    }

    fn foresee(&mut self, program: &OsStr) {
        if let (Some(openssl), Some(programs)) = (&mut self.openssl, &mut self.programs) {
            openssl.foresee(programs, program);
        }
    }

    fn leave(&mut self, tgid: u32) {
        // Without memory for that it stays marked, which costs a look-up at its calls and nothing more.
        let _ = self.filter.clear(tgid);
    }

    fn hold(&mut self, process: ProcKey) -> io::Result<()> {
        self.stopped.hold(process)
    }

    fn release(&mut self, process: ProcKey) {
        self.stopped.release(process);
    }

    fn forget(&mut self, process: ProcKey) {
        self.stopped.forget(process);
    }

    fn own(&self) -> Option<u32> {
        self.stopped.guardian()
    }

    fn drain(&mut self, batch: &mut Batch) {
        self.stopped.tend();
        while !batch.is_full() {
            let reads_tls = self.openssl.is_some();
            let awaits_ring = self.uring.is_awaited();
            let heard = self.events.next(|record| {
                let word = if reads_tls { openssl::word(record) } else { Word::None };
                if !matches!(word, Word::Mapped(_)) {
                    batch.push(record);
                }
                (word, awaits_ring && uring::is_made(record))
            });
            let Some((word, has_ring)) = heard else { return };
            if has_ring {
                self.watch_uring();
            }
            self.probe_openssl(&word);
        }
    }

    fn unprobed(&self) -> Vec<String> {
        self.openssl.as_ref().map(Openssl::unprobed).unwrap_or_default()
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.notes.extend(self.openssl.iter_mut().flat_map(Openssl::take_notes));
        std::mem::take(&mut self.notes)
    }

    fn lost(&self) -> BTreeMap<&'static str, u64> {
        let Ok(by_cpu) = self.lost.get(&0, 0) else { return BTreeMap::new() };
        let count = |kind: Kind| by_cpu.iter().map(|cpu| cpu.0[kind as usize]).sum();
        Kind::ALL.into_iter().map(|kind| (kind.name(), count(kind))).filter(|&(_, lost)| lost > 0).collect()
    }

    fn account(&self) -> Account {
        let programs = self.programs.iter().flat_map(Ebpf::programs);
        let programs = programs.filter_map(|(name, program)| cost(name, program)).collect();
        Account { lost: self.lost(), programs, ..Account::default() }
    }
}

impl Drop for EbpfSource {
    fn drop(&mut self) {
        // First of all: from here on nobody else is stopped.
        self.programs = None;
        self.stopped.end();
    }
}

/// What a program has cost, from the kernel's own count.
fn cost(name: &str, program: &aya::programs::Program) -> Option<ProgramCost> {
    use std::os::fd::AsRawFd;
    let info = program.info().ok()?;
    let fd = program.fd().ok()?.as_fd().as_raw_fd();
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
    let missed = text
        .lines()
        .find_map(|line| line.strip_prefix("recursion_misses:"))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0);
    Some(ProgramCost { name: name.to_owned(), runs: info.run_count(), time: info.run_time(), missed })
}
