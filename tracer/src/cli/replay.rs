//! `forkscope replay`: a recording, analysed as the session was.

use super::args::{Replay, Showing};
use super::baseline;
use super::conclude::conclude;
use super::console::{Console, system};
use super::outcome::Outcome;
use super::outputs::{self, STREAM};
use anyhow::{anyhow, bail};
use forkscope::analysis::Analysis;
use forkscope::event::{Event, What};
use forkscope::recording::{Broken, End, Entry, Header, Payload, Reader};
use forkscope::report::{Backend, Baseline, Session as SessionInfo};
use forkscope::sinks::escape::escape;
use forkscope::sinks::json;
use forkscope::source::{Account, ProgramCost};
use forkscope_proto::Kind;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// What a recording without payloads lacks.
const NO_PAYLOAD: &str =
    "the recording has no bytes of transfers (--record-payload none): findings that need them are not made";

/// Replays the recording of the arguments.
pub(super) fn replay(args: &Replay) -> Outcome {
    let showing = &args.showing;
    if let Some(report) = &showing.report {
        outputs::not_over_recording(Some(&args.file), report)?;
        json::check_writable(report)?;
    }
    let known = baseline::read(showing, Some(&args.file))?;
    let name = escape(&args.file.to_string_lossy()).into_owned();
    if args.file.is_dir() {
        bail!("cannot replay {name}: it is a directory; name the file in it that `--record` wrote");
    }
    let input = open(&args.file).map_err(|error| anyhow!("cannot open {name}: {}", system(&error)))?;
    let mut reader = Reader::open(input).map_err(|error| anyhow!("cannot replay {name}: {error}"))?;
    let mut replaying = Replaying::new(reader.header(), showing, known);
    let end = loop {
        match reader.next_entry() {
            Ok(Some(Entry::End(end))) => break Some(end),
            Ok(Some(entry)) => replaying.take(entry),
            Ok(None) => break None,
            Err(broken) => {
                replaying.broken(&name, broken);
                break None;
            }
        }
        if replaying.is_over(showing) {
            break None;
        }
    };
    let header = reader.header().clone();
    replaying.finish(header, end, showing)
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new(STREAM) { Ok(Box::new(io::stdin().lock())) } else { Ok(Box::new(File::open(path)?)) }
}

/// A replay that goes on.
struct Replaying {
    analysis: Analysis,
    console: Console,
    start: u64,
    now: u64,
    events: u64,
    /// Why less is found than happened.
    notes: Vec<String>,
}

impl Replaying {
    fn new(header: &Header, showing: &Showing, known: Option<Baseline>) -> Self {
        let start = header.clock;
        let console = Console::new(showing, start);
        let mut notes = Vec::new();
        if header.payload == Payload::None {
            console.note(NO_PAYLOAD);
            notes.push(NO_PAYLOAD.to_owned());
        }
        Self {
            analysis: Analysis::new(start, showing.levels()).knowing(known),
            console,
            start,
            now: start,
            events: 0,
            notes,
        }
    }

    /// Does with an entry what the session did.
    fn take(&mut self, entry: Entry<'_>) {
        match entry {
            Entry::Event(event) => self.event(&event),
            Entry::Facts(pid, facts) => self.analysis.learn(pid, facts),
            Entry::Place(pid, place) => self.analysis.settle(pid, place),
            Entry::Losses => self.analysis.model.note_losses(),
            Entry::Turn => self.show(),
            Entry::End(_) => {}
        }
        // What the session looked up stands in the recording.
        drop(self.analysis.take_wanted());
    }

    fn event(&mut self, event: &Event<'_>) {
        self.now = self.now.max(event.time);
        // What was looked up is no event that came.
        self.events += u64::from(!matches!(event.what, What::Snapshot(_) | What::Glance(_)));
        self.analysis.apply(event);
        self.console.event(event, &self.analysis);
    }

    fn show(&mut self) {
        for finding in self.analysis.take_fresh() {
            self.console.finding(&finding, &self.analysis);
        }
    }

    /// How much of the session was replayed.
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now.saturating_sub(self.start))
    }

    /// Whether an option says that it is enough.
    fn is_over(&self, showing: &Showing) -> bool {
        showing.max_events.is_some_and(|most| self.events >= most)
            || showing.duration.is_some_and(|most| self.elapsed() >= most)
    }

    /// The events end here, although the session went on.
    fn broken(&mut self, name: &str, broken: Broken) {
        let seconds = self.elapsed().as_secs_f64();
        let why = match broken {
            Broken::Cut => {
                format!("{name} ends before the session did (forkscope was killed, or the disk was full)")
            }
            Broken::Damaged => format!("{name} is damaged"),
            Broken::Io(answer) => format!("cannot read {name} to its end: {}", system(&answer.into())),
        };
        let text = format!("{why}: replayed up to {seconds:.3}s, what came later is not in it");
        self.console.failure(&text);
        self.notes.push(text);
        self.analysis.model.note_cut();
    }

    /// Without an end, what was not yet shown is shown now, and what the session cost is not known.
    fn finish(mut self, header: Header, end: Option<End>, showing: &Showing) -> Outcome {
        if end.is_none() {
            self.show();
        }
        let duration = end.as_ref().map_or(self.elapsed().as_secs_f64(), |end| end.duration);
        let session = SessionInfo {
            backend: Backend::Replay,
            recorded_by: Some(header.backend),
            target: header.target,
            start: header.start,
            duration,
            host: header.host,
        };
        let account = end.map(account).unwrap_or_default();
        conclude(&self.analysis, &self.console, showing, session, account, self.notes, 0)
    }
}

/// What the session cost, as its backend said it.
fn account(end: End) -> Account {
    let kinds = Kind::ALL.into_iter().map(Kind::name);
    let programs = end.programs.into_iter().map(|program| ProgramCost {
        name: program.name,
        runs: program.runs,
        time: Duration::from_nanos(program.time),
        missed: program.missed,
    });
    Account {
        lost: kinds.filter_map(|kind| Some((kind, *end.lost.get(kind)?))).collect(),
        malformed: end.malformed,
        programs: programs.collect(),
        own_cpu: end.own_cpu,
    }
}
