//! Processes that were stopped: by the kernel side at a failing call, or from here. A map has them, so that
//! nobody stays stopped when forkscope is killed: its guardian reads the map then.

use crate::event::ProcKey;
use crate::source::proc::{is_stopped, signal};
use aya::maps::{HashMap, Map, MapData, MapError};
use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the map is looked through for processes of which nobody has said a word:
/// the call's record was lost.
const OFTEN: Duration = Duration::from_millis(100);
/// How often the guardian looks through it, and how long it waits in between: the kernel side may stop one
/// more while it is being removed.
const LAST: (u32, Duration) = (10, Duration::from_millis(50));

/// In a start, which is far less: the process was held for a finding and has been let go since. What stops it
/// from here on is not ours; the kernel side does so once only.
const PASSED: u64 = 1 << 63;

/// A map of process numbers to starts.
type Starts = HashMap<MapData, u32, u64>;

/// The map, and what is known of those in it.
pub(super) struct Stopped {
    map: Starts,
    /// The map once more, for the guardian.
    shared: OwnedFd,
    held: BTreeSet<u32>,
    /// Nobody had said a word of these the last time.
    doubted: BTreeSet<u32>,
    looked: Instant,
    guardian: Option<Child>,
}

impl Stopped {
    pub(super) fn of(map: MapData) -> Result<Self, MapError> {
        let shared = map.fd().as_fd().try_clone_to_owned()?;
        let (held, doubted) = Default::default();
        let map = starts(map)?;
        Ok(Self { map, shared, held, doubted, looked: Instant::now(), guardian: None })
    }

    /// Starts the guardian: `command` calls [`be_guardian`]. It waits for the other end of its
    /// standard input to close.
    pub(super) fn guard(&mut self, mut command: Command) -> io::Result<()> {
        // What a terminal sends to the whole job is not for it.
        command.process_group(0).stdin(Stdio::piped()).stdout(self.shared.try_clone()?).stderr(Stdio::null());
        self.guardian = Some(command.spawn()?);
        Ok(())
    }

    /// Its process.
    pub(super) fn guardian(&self) -> Option<u32> {
        self.guardian.as_ref().map(Child::id)
    }

    /// Stops a process, if the kernel side has not done so.
    pub(super) fn hold(&mut self, process: ProcKey) -> io::Result<()> {
        self.map.insert(process.tgid, process.start, 0).map_err(io::Error::other)?;
        self.held.insert(process.tgid);
        signal(process, SIGSTOP).inspect_err(|_| self.forget(process))
    }

    /// Lets a process go on, if it was stopped here. That it was stopped at a call only, the map keeps until
    /// it is seen to run: it may not have come to a stop yet.
    pub(super) fn release(&mut self, process: ProcKey) {
        if self.map.get(&process.tgid, 0).is_ok_and(|start| start == process.start) {
            let _ = signal(process, SIGCONT);
        }
        self.forget(process);
    }

    /// Others have let it go on.
    pub(super) fn forget(&mut self, process: ProcKey) {
        if self.held.remove(&process.tgid) {
            let _ = self.map.insert(process.tgid, process.start | PASSED, 0);
        }
    }

    /// Now and then: takes out what runs, and lets go on of what nobody has said a word.
    pub(super) fn tend(&mut self) {
        if self.guardian.is_none() || self.looked.elapsed() < OFTEN {
            return;
        }
        self.looked = Instant::now();
        let mut doubted = BTreeSet::new();
        for (process, passed) in all(&self.map) {
            if self.held.contains(&process.tgid) {
                continue;
            }
            match is_stopped(process) {
                Some(_) if passed => {}
                Some(true) if self.doubted.contains(&process.tgid) => {
                    let _ = signal(process, SIGCONT);
                }
                Some(true) => drop(doubted.insert(process.tgid)),
                Some(false) | None => drop(self.map.remove(&process.tgid)),
            }
        }
        self.doubted = doubted;
    }

    /// Lets all go on. The kernel side is gone.
    pub(super) fn end(&mut self) {
        let_all_go_on(&self.map);
        if let Some(mut guardian) = self.guardian.take() {
            drop(guardian.stdin.take());
            // It ends by itself, and is init's if it does so later.
            let _ = guardian.try_wait();
        }
    }
}

fn starts(map: MapData) -> Result<Starts, MapError> {
    HashMap::try_from(Map::HashMap(map))
}

/// The processes in the map, and whether each has been let go.
fn all(map: &Starts) -> Vec<(ProcKey, bool)> {
    let entry = |(tgid, start): (u32, u64)| (ProcKey { tgid, start: start & !PASSED }, start & PASSED != 0);
    map.iter().flatten().map(entry).collect()
}

fn let_all_go_on(map: &Starts) {
    for (process, passed) in all(map) {
        if !passed && is_stopped(process) == Some(true) {
            let _ = signal(process, SIGCONT);
        }
    }
}

/// Is the guardian: standard input ends when forkscope does, however that is; standard output is the map of
/// stopped processes, which go on then.
///
/// # Errors
/// Where standard output is no such map.
pub fn be_guardian() -> io::Result<()> {
    let map = MapData::from_fd(io::stdout().as_fd().try_clone_to_owned()?).and_then(starts);
    let map = map.map_err(io::Error::other)?;
    // It outlives forkscope, and must keep no folder in use.
    std::env::set_current_dir("/")?;
    let _ = io::stdin().read(&mut [0]);
    let (times, pause) = LAST;
    for _ in 0..times {
        let_all_go_on(&map);
        sleep(pause);
    }
    Ok(())
}
