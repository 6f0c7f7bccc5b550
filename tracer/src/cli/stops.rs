//! `--on-finding stop`: a process stands still where an error was found in it, until the user lets it go on.

use super::args::OnFinding;
use super::console::{Console, system};
use forkscope::analysis::Analysis;
use forkscope::event::{Event, ProcKey, What};
use forkscope::report::{Backend, Finding, Severity};
use forkscope::sinks::log::view;
use forkscope::source::{Source, proc};
use forkscope_proto::arguments::may_be_stale;
use nix::unistd::{getpgrp, tcgetpgrp};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// How often a process that stands still is looked at: others may let it go on.
const OFTEN: Duration = Duration::from_millis(100);

/// Who stands still, and who may.
pub(super) struct Stops {
    on: bool,
    /// Processes that the source may have stopped at a call which has been analysed since.
    candidates: Vec<ProcKey>,
    held: Vec<ProcKey>,
    /// Findings for which a process was stopped: for each once.
    told: BTreeSet<u32>,
    looked: Instant,
    /// For the report: what forkscope has done to whom.
    notes: Vec<String>,
    /// The terminal, while somebody waits for a key on it.
    terminal: Option<File>,
    /// Whether a key on the terminal lets them go on; else the live screen has the keys.
    keys: bool,
}

impl Stops {
    pub(super) fn new(on_finding: OnFinding, keys: bool) -> Self {
        Self {
            on: on_finding == OnFinding::Stop,
            candidates: Vec::new(),
            held: Vec::new(),
            told: BTreeSet::new(),
            looked: Instant::now(),
            notes: Vec::new(),
            terminal: None,
            keys,
        }
    }

    /// Whether processes are to be stopped.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Notes the process of an event at which the source stops processes.
    pub(super) fn event(&mut self, event: &Event<'_>) {
        if !self.on {
            return;
        }
        let (nr, ret) = match event.what {
            What::Io(io, _) => (io.header.nr, io.ret),
            What::Call(call, _) => (call.header.nr, call.ret),
            _ => return,
        };
        if may_be_stale(nr, ret) && !self.candidates.contains(&event.process) {
            self.candidates.push(event.process);
        }
    }

    /// Whether the process of a finding is to be held when it is shown.
    pub(super) fn will_hold(&self, finding: &Finding) -> bool {
        self.on && finding.severity == Severity::Error && !finding.known && !self.told.contains(&finding.id)
    }

    /// Holds the process of each new error, and lets the others go on.
    pub(super) fn decide(&mut self, fresh: &[Finding], source: &mut dyn Source, seen: &Seen<'_>) {
        if !self.on {
            return;
        }
        for finding in fresh {
            if !self.will_hold(finding) {
                continue;
            }
            self.told.insert(finding.id);
            let process = seen.analysis.model.by_pid(finding.pid).filter(|process| process.ended.is_none());
            let gone = || io::Error::from_raw_os_error(libc::ESRCH);
            let key = process.map(|process| process.key).ok_or_else(gone);
            let key = match key.and_then(|key| source.hold(key).map(|()| key)) {
                Ok(key) => key,
                Err(error) => {
                    let (pid, why) = (finding.pid, system(&error));
                    seen.console.note(&format!("process {pid} could not be stopped: {why}"));
                    continue;
                }
            };
            if self.held.contains(&key) {
                continue;
            }
            let at_call = self.candidates.contains(&key);
            self.held.push(key);
            self.notes.push(format!("process {} was stopped for finding {}", key.tgid, finding.id));
            self.look_for_a_terminal();
            self.tell(key.tgid, at_call, seen);
        }
        for candidate in self.candidates.drain(..).filter(|candidate| !self.held.contains(candidate)) {
            source.release(candidate);
        }
    }

    /// Says who stands still, how to look at it, and how it goes on.
    fn tell(&self, pid: u32, at_call: bool, seen: &Seen<'_>) {
        let process = seen.analysis.process_told(pid);
        let is_python =
            process.as_ref().is_some_and(|told| told.libraries.iter().any(|one| one.name == "python"));
        let name = view::process(pid, process.map(|told| told.command()).as_deref());
        let place = if at_call { "at the failing call" } else { "a moment after what was found" };
        // py-spy would stop it for itself, and does not expect it to be stopped already.
        let python =
            if is_python { format!("`py-spy dump --nonblocking --pid {pid}`, ") } else { String::new() };
        let look = match seen.backend {
            // A process has one tracer (ptrace(2)).
            Backend::Ptrace => {
                format!(
                    "{python}`forkscope inspect {pid}`; for gdb, which cannot trace it too, use --backend ebpf"
                )
            }
            _ => format!("`gdb -p {pid}`, {python}`forkscope inspect {pid}`"),
        };
        let key = if self.terminal.is_some() { "press Enter here, or " } else { "" };
        seen.console.failure(&format!("stopped process {name} {place}; look at it with {look}"));
        seen.console.failure(&format!(
            "to let it go on, {key}`kill -CONT {pid}`; it does so when forkscope ends, too"
        ));
    }

    /// Looks whether somebody wants those that stand still to go on.
    pub(super) fn tend(&mut self, source: &mut dyn Source, console: &Console) {
        if self.held.is_empty() {
            return;
        }
        if self.is_key_pressed() {
            return self.let_go_on(source, console);
        }
        if self.looked.elapsed() >= OFTEN {
            self.looked = Instant::now();
            self.held.retain(|&process| {
                let now = match proc::is_stopped(process) {
                    Some(true) => return true,
                    Some(false) => "goes on",
                    None => "has ended",
                };
                source.forget(process);
                console.note(&format!("process {} {now}", process.tgid));
                false
            });
        }
        if self.held.is_empty() {
            self.terminal = None;
        }
    }

    /// How many stand still.
    pub(super) fn count(&self) -> usize {
        self.held.len()
    }

    /// Lets all go on.
    pub(super) fn let_go_on(&mut self, source: &mut dyn Source, console: &Console) {
        for process in self.held.drain(..) {
            source.release(process);
            console.note(&format!("process {} goes on", process.tgid));
        }
        self.terminal = None;
    }

    /// Nobody is stopped any more: the session ends. What the report must say.
    pub(super) fn end(&mut self, source: &mut dyn Source, console: &Console) -> Vec<String> {
        self.on = false;
        self.let_go_on(source, console);
        self.candidates.drain(..).for_each(|candidate| source.release(candidate));
        std::mem::take(&mut self.notes)
    }

    fn look_for_a_terminal(&mut self) {
        if self.keys && self.terminal.is_none() {
            let open = OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
                .open("/dev/tty");
            self.terminal = open.ok().filter(is_ours);
        }
    }

    /// Reads what was typed, as long as the terminal is forkscope's job's: from another it
    /// would be stopped itself.
    fn is_key_pressed(&mut self) -> bool {
        let Some(terminal) = self.terminal.as_mut().filter(|terminal| is_ours(terminal)) else {
            return false;
        };
        matches!(terminal.read(&mut [0; 256]), Ok(1..))
    }
}

/// What is known when a process is stopped.
pub(super) struct Seen<'a> {
    pub(super) analysis: &'a Analysis,
    pub(super) console: &'a Console,
    pub(super) backend: Backend,
}

/// Whether a terminal's keys go to the job that forkscope is of.
fn is_ours(terminal: &File) -> bool {
    tcgetpgrp(terminal).is_ok_and(|foreground| foreground == getpgrp())
}
