//! Which backend traces.

use super::args::{self, OnFinding, Options, Showing, Ui};
use anyhow::{Context, Result, anyhow};
use forkscope::report::Backend;
use forkscope::source::Source;
use forkscope::source::ebpf::{self, EbpfError, EbpfSource};
use forkscope::source::ptrace::PtraceSource;
use std::process::Command;

/// What is to be traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// A program that forkscope starts.
    Program,
    /// Processes that run already.
    Processes,
    /// The whole machine.
    Machine,
}

impl Scope {
    /// Whether the session is shown on the live screen.
    pub(super) fn screen(self, showing: &Showing) -> bool {
        match showing.ui {
            Ui::Tui => true,
            Ui::Log | Ui::None => false,
            // The program that is run has the terminal.
            Ui::Auto => self != Self::Program && showing.has_screen(),
        }
    }
}

/// A backend that has started. Nothing is traced yet, unless everything is.
pub(super) struct Started {
    pub(super) source: Box<dyn Source>,
    pub(super) backend: Backend,
    /// Why it is this one, where the user has not said so.
    pub(super) note: Option<String>,
}

/// Starts the backend of the options, or the best that works here.
pub(super) fn start(options: &Options, scope: Scope) -> Result<Started> {
    match options.tracing.backend {
        args::Backend::Ebpf => Ok(through_ebpf(options, scope)?),
        args::Backend::Ptrace if options.tracing.tls_plaintext => Err(anyhow!(
            "what is inside TLS can be read through eBPF only: leave out --tls-plaintext, or use --backend ebpf"
        )),
        args::Backend::Ptrace => through_ptrace(options, scope),
        args::Backend::Auto => match through_ebpf(options, scope) {
            Err(error) if scope != Scope::Machine => {
                let started = through_ptrace(options, scope)?;
                let mut note = format!("tracing through ptrace: {}", error.in_short());
                if options.tracing.tls_plaintext {
                    note += "; what is inside TLS is not read, which takes eBPF";
                }
                Ok(Started { note: Some(note), ..started })
            }
            other => Ok(other?),
        },
    }
}

fn through_ebpf(options: &Options, scope: Scope) -> Result<Started, EbpfError> {
    let stops = options.tracing.on_finding == OnFinding::Stop;
    let settings = ebpf::Settings {
        everything: scope == Scope::Machine,
        capture: options.tracing.capture_bytes,
        ring: options.tracing.buffer << 20,
        stops,
        plaintext: options.tracing.tls_plaintext,
        stacks: options.tracing.stacks,
        every_call: wants_every_call(options, scope),
        count_cost: options.showing.report.is_some(),
        access: ebpf::Access::default(),
    };
    let mut source = EbpfSource::start(&settings)?;
    if stops {
        let mut guardian = Command::new(std::env::current_exe()?);
        guardian.arg("guardian");
        source.guard(guardian)?;
    }
    Ok(Started { source: Box::new(source), backend: Backend::Ebpf, note: None })
}

/// Whether users look at each call: the live screen lists them, `-vv` prints them.
fn wants_every_call(options: &Options, scope: Scope) -> bool {
    options.showing.verbose > 1 || scope.screen(&options.showing)
}

fn through_ptrace(options: &Options, scope: Scope) -> Result<Started> {
    if scope == Scope::Machine {
        return Err(anyhow!(
            "the whole machine can be watched through eBPF only: name processes with `forkscope attach PID...`, or use --backend ebpf"
        ));
    }
    let stops = options.tracing.on_finding == OnFinding::Stop;
    let (capture, stacks) = (options.tracing.capture_bytes, options.tracing.stacks);
    let source = keeper(capture, scope == Scope::Program, stops, stacks)?;
    Ok(Started { source: Box::new(source), backend: Backend::Ptrace, note: None })
}

/// Starts the process that traces through ptrace. `program`: what it is to trace, forkscope starts; `stops`:
/// processes are stopped at failing calls; `stacks`: user stacks are taken.
pub(super) fn keeper(capture: u32, program: bool, stops: bool, stacks: bool) -> Result<PtraceSource> {
    let mut keeper = Command::new(std::env::current_exe().context("cannot find forkscope's own program")?);
    keeper
        .args(["keeper", &capture.to_string()])
        .args(stops.then_some("--stops"))
        .args(stacks.then_some("--stacks"));
    Ok(PtraceSource::start(program, keeper)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Words {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn who_looks_at_calls_has_every_one() {
        for (words, wanted) in [
            (&["--ui", "log", "-v"][..], false),
            (&["--ui", "log", "-vv"], true),
            (&["--ui", "tui"], true),
            (&["--ui", "none", "--record", "a.rec"], false),
        ] {
            let words = Words::parse_from(["forkscope"].iter().chain(words));
            assert_eq!(
                wants_every_call(&words.options, Scope::Program),
                wanted,
                "{:?}",
                words.options.showing.ui
            );
        }
    }
}
