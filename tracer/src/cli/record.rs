//! `--record`: the session on disk, as long as it can be written.

use super::console::{Console, system};
use anyhow::{Context, Result, anyhow};
use forkscope::event::{Event, NamedStack};
use forkscope::model::{Facts, Place};
use forkscope::protocol::Kept;
use forkscope::recording::{End, Header, Program, Recorder, create};
use forkscope::sinks::escape::escape;
use forkscope::source::Account;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often what has gathered is written: so much is lost when forkscope is killed.
const OFTEN: Duration = Duration::from_secs(1);

/// The recording that was asked for, if one was.
pub(super) struct Recording {
    recorder: Option<Recorder<File>>,
    /// How the session is made.
    header: Header,
    name: String,
    written: Instant,
    /// Why it ended before the session.
    failure: Option<io::Error>,
    /// The same in words, for the report.
    notes: Vec<String>,
    /// It began later than the session.
    later: Option<Later>,
}

/// What a recording that began later than its session must know of that.
struct Later {
    began: Instant,
    /// Processes of which it has nothing yet.
    lacks: BTreeSet<u32>,
    /// What had been lost by then.
    lost: BTreeMap<&'static str, u64>,
}

impl Recording {
    /// Makes the file that is named, if one is, and begins it. `header` says how the session is made.
    pub(super) fn start(path: Option<&Path>, header: Header) -> Result<Self> {
        let (recorder, name) = (None, String::new());
        let mut recording = Self {
            recorder,
            header,
            name,
            written: Instant::now(),
            failure: None,
            notes: Vec::new(),
            later: None,
        };
        if let Some(path) = path {
            recording.begin(path)?;
        }
        Ok(recording)
    }

    /// Makes the file and begins it.
    fn begin(&mut self, path: &Path) -> Result<()> {
        self.name = escape(&path.to_string_lossy()).into_owned();
        let name = &self.name;
        let file = create(path).map_err(|error| anyhow!("cannot record to {name}: {error}"))?;
        let begun = Recorder::begin(file, &self.header).map_err(|error| anyhow!(system(&error)));
        self.recorder = Some(begun.with_context(|| format!("cannot record to {name}"))?);
        Ok(())
    }

    /// Begins one in the middle of a session: at this moment of the events' clock, which RFC 3339 names so.
    /// `living`: the processes that are to be in it; `lost`: what had been lost before.
    pub(super) fn begin_now(
        &mut self,
        path: &Path,
        clock: u64,
        start: String,
        living: BTreeSet<u32>,
        lost: BTreeMap<&'static str, u64>,
    ) -> Result<()> {
        (self.header.clock, self.header.start) = (clock, start);
        self.later = Some(Later { began: Instant::now(), lacks: living, lost });
        self.begin(path)
    }

    /// Whether it began later than this process, and what is known of it is to be written now: once.
    pub(super) fn lacks(&mut self, pid: u32) -> bool {
        self.later.as_mut().is_some_and(|later| later.lacks.remove(&pid))
    }

    /// The name of the file that is written to, if one is.
    pub(super) fn name(&self) -> Option<&str> {
        self.recorder.as_ref().map(|_| &*self.name)
    }

    fn attempt(&mut self, write: impl FnOnce(&mut Recorder<File>) -> io::Result<()>) {
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = write(recorder)
        {
            self.recorder = None;
            self.failure = Some(error);
        }
    }

    /// An event that the analyser was given; of a transfer, which bytes were read.
    pub(super) fn event(&mut self, event: &Event<'_>, kept: &Kept) {
        self.attempt(|recorder| recorder.event(event, kept));
    }

    /// What the analyser learned of a process.
    pub(super) fn facts(&mut self, pid: u32, facts: &Facts) {
        self.attempt(|recorder| recorder.facts(pid, facts));
    }

    /// What the analyser was told of where a process lives.
    pub(super) fn place(&mut self, pid: u32, place: &Place) {
        self.attempt(|recorder| recorder.place(pid, place));
    }

    /// The analyser was told stacks of a finding.
    ///
    /// Not where it began later than the session: its findings have other numbers at the replay.
    pub(super) fn stacks(&mut self, finding: u32, stacks: &[NamedStack]) {
        if self.later.is_some() {
            return;
        }
        self.attempt(|recorder| recorder.stacks(finding, stacks));
    }

    /// The analyser was told that events were lost.
    pub(super) fn losses(&mut self) {
        self.attempt(|recorder| {
            recorder.losses();
            Ok(())
        });
    }

    /// What is new is about to be shown.
    pub(super) fn turn(&mut self, console: &Console) {
        let due = self.written.elapsed() >= OFTEN;
        self.attempt(|recorder| {
            recorder.turn();
            if due { recorder.flush() } else { Ok(()) }
        });
        if due {
            self.written = Instant::now();
        }
        self.say(console);
    }

    /// The session, or only the recording, ended. Why it is not whole, where that shows now.
    /// `duration`: the session's, in seconds.
    pub(super) fn end(
        &mut self,
        console: &Console,
        duration: f64,
        status: u8,
        account: &Account,
    ) -> Option<String> {
        let later = self.later.take();
        let duration = later.as_ref().map_or(duration, |later| later.began.elapsed().as_secs_f64());
        let before = later.map(|later| later.lost).unwrap_or_default();
        let mut end = end(duration, status, account);
        for (kind, lost) in &mut end.lost {
            *lost = lost.saturating_sub(before.get(&**kind).copied().unwrap_or(0));
        }
        if let Some(Err(error)) = self.recorder.take().map(|recorder| recorder.end(&end)) {
            self.failure = Some(error);
        }
        let known = self.notes.len();
        self.say(console);
        self.notes.get(known).cloned()
    }

    /// What the report must say of all recordings of the session.
    pub(super) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Says once that it ended early.
    fn say(&mut self, console: &Console) {
        if let Some(error) = self.failure.take() {
            let failed = format!("cannot write on to {}: {}", self.name, system(&error));
            console.failure(&format!("{failed}; the recording ends here, tracing goes on"));
            self.notes.push(format!("{failed}; the recording ends before the session"));
        }
    }
}

fn end(duration: f64, status: u8, account: &Account) -> End {
    let programs = account.programs.iter().map(|program| Program {
        name: program.name.clone(),
        runs: program.runs,
        time: program.time.as_nanos() as u64,
        missed: program.missed,
    });
    End {
        duration,
        status,
        lost: account.lost.iter().map(|(kind, &lost)| ((*kind).to_owned(), lost)).collect(),
        malformed: account.malformed,
        programs: programs.collect(),
        own_cpu: account.own_cpu,
    }
}
