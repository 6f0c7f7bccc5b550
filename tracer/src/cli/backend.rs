//! Which backend traces.

use super::args::Options;
use anyhow::Result;
use forkscope::report::Backend;
use forkscope::source::Source;
use forkscope::source::ebpf::{EbpfSource, Settings};

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

/// Starts the backend of the options. Nothing is traced yet, unless everything is.
pub(super) fn start(options: &Options, scope: Scope) -> Result<(Box<dyn Source>, Backend)> {
    let settings = Settings {
        everything: scope == Scope::Machine,
        capture: options.tracing.capture_bytes,
        ring: options.tracing.buffer << 20,
        count_cost: options.showing.report.is_some(),
    };
    Ok((Box::new(EbpfSource::start(&settings)?), Backend::Ebpf))
}
