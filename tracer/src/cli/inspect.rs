//! `forkscope inspect`: one look at running processes, and nothing traced.

use super::args::Inspect;
use super::attach::refuse;
use super::console;
use super::outcome::Outcome;
use super::session::host;
use anyhow::{Error, anyhow};
use forkscope::inspect;
use forkscope::report::{Backend, Session, Target};
use forkscope::sinks::{self, json};
use forkscope::source::proc;
use std::io::Write;
use std::time::{Instant, SystemTime};

/// Looks, and prints what it saw.
pub(super) fn inspect(args: &Inspect) -> Outcome {
    let (start, began) = (SystemTime::now(), Instant::now());
    let mut refused: Vec<Error> = Vec::new();
    let mut pids = args.pids.clone();
    pids.retain(|&pid| refuse(pid).map_err(|error| refused.push(error)).is_ok());
    let mut look = proc::walk(&pids);
    look.notes.splice(0..0, refused.iter().map(ToString::to_string));
    if look.processes.iter().all(|process| process.hidden) {
        let why = look.notes.first().cloned().unwrap_or_else(|| "the processes have ended".to_owned());
        return Err(anyhow!("{why}"));
    }
    let session = Session {
        recorded_by: None,
        backend: Backend::Snapshot,
        target: Target::Inspect { pids: args.pids.clone() },
        start: humantime::format_rfc3339_micros(start).to_string(),
        duration: began.elapsed().as_secs_f64(),
        host: host(),
    };
    let report = inspect::report(&look, session);
    for note in &report.notes {
        console::note(note);
    }
    let mut out = anstream::stdout();
    if args.json {
        out.write_all(json::text(&report)?.as_bytes())?;
    } else {
        out.write_all(sinks::inspect::render(&report, console::look_of_stdout()).as_bytes())?;
    }
    out.flush()?;
    Ok(0)
}
