//! A tracing session: from the source through the analyser to what the user sees, until it ends.

use super::args::{Options, Showing};
use super::backend::{self, Scope, Started};
use super::baseline;
use super::beat::Beat;
use super::conclude::{conclude, full_buffer};
use super::console::Console;
use super::dashboard::Dashboard;
use super::lookups::Lookups;
use super::outcome::Outcome;
use super::outputs;
use super::record::Recording;
use super::stops::{Seen, Stops};
use anyhow::Result;
use forkscope::analysis::Analysis;
use forkscope::decode::Batch;
use forkscope::recording::Header;
use forkscope::report::{Backend, Host, Session as SessionInfo, Target, Tool};
use forkscope::source::usage::{cpu, now};
use forkscope::source::{Account, SOON, Source};
use forkscope::stacks::Stacks;
use std::time::{Duration, Instant, SystemTime};

/// How often the batch is filled and taken before anything else is looked at.
const MOST_ROUNDS: usize = 8;
/// How long events may be taken before the live screen has its turn.
const SCREEN_WAITS: Duration = Duration::from_millis(20);

/// A session.
pub(super) struct Session {
    pub(super) source: Box<dyn Source>,
    pub(super) analysis: Analysis,
    pub(super) console: Console,
    /// The live screen, where there is one.
    pub(super) dashboard: Option<Dashboard>,
    pub(super) showing: Showing,
    pub(super) backend: Backend,
    pub(super) target: Target,
    pub(super) recording: Recording,
    /// What is inside TLS is looked for.
    plaintext: bool,
    /// MiB between the kernel and forkscope, where there is such a buffer.
    buffer: Option<u32>,
    pub(super) stops: Stops,
    /// Where threads were, if users want to know.
    pub(super) stacks: Option<Stacks>,
    pub(super) batch: Batch,
    pub(super) began: (SystemTime, Instant),
    pub(super) lookups: Lookups,
    pub(super) events: u64,
    /// The exit status of the program that was started, once it has ended.
    pub(super) ended: Option<u8>,
}

impl Session {
    /// Checks what can be checked before anything is touched, and puts the probes on.
    pub(super) fn start(options: &Options, scope: Scope, target: Target) -> Result<Self> {
        let showing = &options.showing;
        outputs::check(options.tracing.record.as_deref(), showing.report.as_deref())?;
        let known = baseline::read(showing, options.tracing.record.as_deref())?;
        let Started { source, backend, note } = backend::start(options, scope)?;
        let (start, began) = (now(), (SystemTime::now(), Instant::now()));
        let mut console = Console::new(showing, start);
        note.into_iter().for_each(|note| console.note(&note));
        let header = Header {
            tool: Tool::this(),
            start: text(began.0),
            clock: start,
            target: target.clone(),
            host: host(),
            backend,
            payload: options.tracing.record_payload.kept(),
            capture: options.tracing.capture_bytes,
        };
        let recording = Recording::start(options.tracing.record.as_deref(), header)?;
        // Last: what fails before is said on a terminal as it was.
        let dashboard = scope.screen(showing).then(|| Dashboard::open(showing, start)).transpose()?;
        dashboard.iter().for_each(|_| console.hand_over());
        Ok(Self {
            source,
            backend,
            target,
            recording,
            plaintext: options.tracing.tls_plaintext && backend == Backend::Ebpf,
            buffer: (backend == Backend::Ebpf).then_some(options.tracing.buffer),
            stops: Stops::new(options.tracing.on_finding, dashboard.is_none()),
            stacks: options.tracing.stacks.then(Stacks::begin).transpose()?,
            analysis: Analysis::new(start, showing.levels())
                .knowing(known)
                .wanting_stacks(options.tracing.stacks),
            console,
            dashboard,
            showing: showing.clone(),
            batch: Batch::default(),
            began,
            lookups: Lookups::default(),
            events: 0,
            ended: None,
        })
    }

    /// When to take a turn: soon where somebody waits for what forkscope does.
    pub(super) fn beat(&self) -> Result<Beat> {
        let is_awaited = self.dashboard.is_some() || self.stops.is_on();
        let every = self.source.beat();
        Beat::new(self.source.wake(), if is_awaited { every.min(SOON) } else { every })
    }

    /// Takes in what waits, and shows what is new. With `all`, also what is held back for its order, and
    /// twice as much as may wait: programs go on meanwhile.
    pub(super) fn turn(&mut self, all: bool) {
        // Bounded, so that signals, limits and keys are looked at however fast events come.
        let began = Instant::now();
        let most = if all { 2 * self.source.room() / Batch::FULL + 1 } else { MOST_ROUNDS };
        for _ in 0..most {
            let drained = Instant::now();
            self.source.drain(&mut self.batch);
            let full = self.batch.is_full();
            if !full {
                self.lookups.ends.emptied(drained);
            }
            self.take(all);
            self.glance();
            self.look_up();
            for note in self.source.take_notes() {
                self.console.note(&note);
            }
            self.stopped_stacks();
            self.recording.turn(&self.console);
            let fresh = self.analysis.take_fresh();
            for finding in &fresh {
                self.console.finding(finding, &self.analysis);
            }
            let (analysis, console, backend) = (&self.analysis, &self.console, self.backend);
            self.stops.decide(&fresh, &mut *self.source, &Seen { analysis, console, backend });
            self.stops.tend(&mut *self.source, &self.console);
            let screen_waits = self.dashboard.is_some() && began.elapsed() >= SCREEN_WAITS;
            if !full || ((self.is_over() || screen_waits) && !all) {
                return;
            }
        }
    }

    /// Lets those go on that were stopped for a finding.
    pub(super) fn let_go_on(&mut self) {
        self.stops.let_go_on(&mut *self.source, &self.console);
    }

    /// Whether an option says that it is enough.
    pub(super) fn is_over(&self) -> bool {
        self.showing.max_events.is_some_and(|most| self.events >= most)
            || self.showing.duration.is_some_and(|most| self.began.1.elapsed() >= most)
    }

    /// The same, as a sentence.
    fn why_over(&self) -> Option<String> {
        let option = if self.showing.max_events.is_some_and(|most| self.events >= most) {
            "--max-events"
        } else {
            "--duration"
        };
        self.is_over().then(|| format!("ended by {option}: what the program does from here on is not seen"))
    }

    /// Whether nothing is left to trace.
    pub(super) fn is_alone(&self) -> bool {
        self.analysis.model.living() == 0
    }

    /// What the report says of the session.
    pub(super) fn info(&self) -> SessionInfo {
        SessionInfo {
            backend: self.backend,
            recorded_by: None,
            target: self.target.clone(),
            start: text(self.began.0),
            duration: self.began.1.elapsed().as_secs_f64(),
            host: host(),
        }
    }

    /// Takes in what is left, writes the report and the summary. `status` is the exit status without
    /// findings.
    pub(super) fn finish(mut self, status: u8) -> Outcome {
        // The terminal is free from here on.
        self.dashboard = None;
        self.console.take_back();
        let mut notes = self.stops.end(&mut *self.source, &self.console);
        // What the source still holds comes with its account.
        let account = self.source.account();
        self.turn(true);
        self.look_up_all();
        if self.plaintext {
            let unread = self.analysis.unread_tls(&self.source.unprobed());
            unread.iter().for_each(|note| self.console.note(note));
            notes.extend(unread);
        }
        let info = self.info();
        let (malformed, lost) = (self.batch.refused(), self.source.lost());
        let mut account = Account { malformed, lost, ..account };
        if let Some(note) = self.why_over().filter(|_| !self.is_alone()) {
            self.console.note(&note);
            notes.push(note);
        }
        if let Some(note) = self.buffer.and_then(|mib| full_buffer(&account, mib)) {
            self.console.note(&note);
            notes.push(note);
        }
        // The keeper's comes with its account.
        account.own_cpu = cpu().map(|own| own.as_secs_f64() + account.own_cpu.unwrap_or(0.0));
        drop(self.source);
        self.recording.end(&self.console, info.duration, status, &account);
        notes.extend(self.recording.notes());
        conclude(&self.analysis, &self.console, &self.showing, info, account, notes, status)
    }
}

/// A moment in RFC 3339.
pub(super) fn text(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

pub(super) fn host() -> Host {
    let uname = nix::sys::utsname::uname();
    let text = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let (kernel, arch) =
        uname.map_or((None, None), |u| (Some(u.release().to_owned()), Some(u.machine().to_owned())));
    Host { kernel: text(kernel.as_deref()), arch: text(arch.as_deref()) }
}
