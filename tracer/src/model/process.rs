//! Processes.

use super::plaintext::Ties;
use crate::event::ProcKey;
use crate::protocol::User;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A process in the model. Never reused in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcId(pub(super) u32);

/// As who reads a connection's bytes knows it.
impl From<ProcId> for User {
    fn from(ProcId(number): ProcId) -> Self {
        Self(number)
    }
}

/// From what was given to who reads the bytes.
impl From<User> for ProcId {
    fn from(User(number): User) -> Self {
        Self(number)
    }
}

/// A descriptor table in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TableId(pub(super) u32);

/// What matters for advice about a process: what /proc shows of it, or the little that its command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Path of its program; in a command line, what stands there for it.
    pub exe: Option<String>,
    /// Libraries that matter: name to version (where known) and path.
    pub libraries: BTreeMap<String, (Option<String>, String)>,
    /// Environment variables that matter.
    pub environment: BTreeMap<String, String>,
}

impl Facts {
    /// Can they have been looked up? A recording may say anything.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        /// The paths of the program and of each library that matters, and the settings, in bytes: none is
        /// longer than 4,096 (`PATH_MAX`), each of which may have become a replacement character.
        const MOST: usize = 16 * 3 * 4096;
        let libraries = self
            .libraries
            .iter()
            .map(|(name, (version, path))| name.len() + version.as_ref().map_or(0, String::len) + path.len());
        let environment = self.environment.iter().map(|(name, value)| name.len() + value.len());
        let exe = self.exe.as_ref().map_or(0, String::len);
        exe + libraries.chain(environment).sum::<usize>() <= MOST
    }
}

/// Where a process lives, as far as that is elsewhere than where forkscope does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its number in its own pid namespace.
    pub ns_pid: Option<u32>,
    /// The container that it is in: the first digits of its id, or its name.
    pub container: Option<String>,
}

impl Place {
    /// As [`Facts::is_possible`].
    #[must_use]
    pub fn is_possible(&self) -> bool {
        // It is part of the name of a cgroup, which is a folder's (`NAME_MAX`, include/uapi/linux/limits.h).
        self.container.as_ref().is_none_or(|name| name.len() <= 255)
    }
}

/// A process.
#[derive(Debug)]
pub struct Process {
    /// Its id.
    pub id: ProcId,
    /// Its number and start.
    pub key: ProcKey,
    /// Its parent, where its fork was seen.
    pub parent: Option<ProcId>,
    /// Its parent's number, as far as known.
    pub ppid: Option<u32>,
    /// Its name.
    pub comm: Rc<str>,
    /// Its command line, NUL-separated, maybe cut.
    pub cmdline: Rc<[u8]>,
    /// When it was forked, where that was seen.
    pub forked_at: Option<u64>,
    /// How many threads its parent had then.
    pub threads_at_fork: Option<u32>,
    /// When it forked a child itself that got a copy of its memory; 0: never.
    pub(super) last_fork: u64,
    /// When it was first seen.
    pub first_seen: u64,
    /// When it executed a program, newest last.
    pub execs: Vec<(u64, Rc<str>)>,
    /// When and how it ended.
    pub ended: Option<(u64, Option<u32>)>,
    /// What /proc showed of it.
    pub facts: Option<Rc<Facts>>,
    /// A connection of its has crossed a fork: what was looked up before that may be old.
    pub(super) crossed: bool,
    /// Where it lives. `None`: nobody has looked, nor at those that it descends from.
    pub place: Option<Place>,
    /// It was made with its parent's memory, not with a copy of it: by vfork(2), posix_spawn(3).
    pub in_place: bool,
    /// Its history before a moment was not seen.
    pub late: bool,
    /// It uses io_uring: some of its I/O may be unseen.
    pub uring: bool,
    /// It made 32-bit calls, which are not read.
    pub compat: bool,
    /// It moved plaintext of TLS of which nobody knows to which connection it belongs.
    pub untied: bool,
    pub(super) ties: Rc<Ties>,
    /// The thread that has just taken a step of a TLS handshake without a socket, and the session: what it
    /// sends next may be that step.
    pub(super) handshake: Option<(u32, u64)>,
    pub(super) table: TableId,
    pub(super) threads: u32,
    /// Threads with a table of their own.
    pub(super) apart: FxHashMap<u32, TableId>,
}

impl Process {
    /// Execs that are remembered.
    pub(super) const EXECS: usize = 8;

    /// A process whose fork was not seen.
    pub(super) fn unseen(id: ProcId, key: ProcKey, table: TableId) -> Self {
        Self {
            id,
            key,
            parent: None,
            ppid: None,
            comm: "".into(),
            cmdline: Rc::new([]),
            forked_at: None,
            last_fork: 0,
            threads_at_fork: None,
            first_seen: 0,
            execs: Vec::new(),
            ended: None,
            facts: None,
            crossed: false,
            place: None,
            in_place: false,
            late: true,
            uring: false,
            compat: false,
            untied: false,
            ties: Rc::default(),
            handshake: None,
            table,
            threads: 1,
            apart: FxHashMap::default(),
        }
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.key.tgid
    }

    /// Remembers where it lives. Says which container that is, where none was known.
    pub(super) fn settle(&mut self, place: Place) -> Option<String> {
        let known = self.place.take().unwrap_or_default();
        let is_new = known.container.is_none();
        let container = place.container.or(known.container);
        self.place = Some(Place { ns_pid: place.ns_pid.or(known.ns_pid), container: container.clone() });
        container.filter(|_| is_new)
    }

    /// The container that it is in, as far as is known.
    #[must_use]
    pub fn container(&self) -> Option<&str> {
        self.place.as_ref()?.container.as_deref()
    }

    /// Whether some of its threads have a descriptor table of their own.
    #[must_use]
    pub fn has_tables_apart(&self) -> bool {
        !self.apart.is_empty()
    }

    /// The table that one of its threads uses.
    pub(super) fn table_of(&self, tid: u32) -> TableId {
        if self.apart.is_empty() { self.table } else { self.apart.get(&tid).copied().unwrap_or(self.table) }
    }

    /// Whether it ran in its parent's memory at a time: before its first program.
    #[must_use]
    pub fn borrowed_memory(&self, time: u64) -> bool {
        self.in_place && self.execs.first().is_none_or(|(executed, _)| time < *executed)
    }

    /// Its command line as words.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let text = self.cmdline.strip_suffix(&[0]).unwrap_or(&self.cmdline);
        if text.is_empty() {
            return Vec::new();
        }
        text.split(|&byte| byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// What its command line says of its program: all that is known of one that ended before /proc was asked.
    #[must_use]
    pub fn facts_in_words(&self) -> Option<Facts> {
        let program = self.words().into_iter().next()?;
        Some(Facts { exe: Some(program), ..Facts::default() })
    }

    /// Exit status or signal of its end (wait(2)).
    #[must_use]
    pub fn status(&self) -> Option<u32> {
        self.ended.and_then(|(_, status)| status)
    }

    pub(super) fn end(&mut self, time: u64, status: Option<u32>) {
        self.ended = Some((time, status));
    }
}
