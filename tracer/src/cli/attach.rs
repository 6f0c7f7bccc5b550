//! `forkscope attach`: processes that run already, and their descendants.

use super::args::Attach;
use super::backend::Scope;
use super::console::system;
use super::outcome::Outcome;
use super::session::Session;
use super::signals::Signals;
use anyhow::{Error, Result, anyhow};
use forkscope::report::Target;
use forkscope::sinks::words::plural;
use forkscope::source::Known;
use forkscope::source::proc::{self, Rings};
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// Attaches to the processes of the arguments.
pub(super) fn attach(args: &Attach) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let mut signals = Signals::catch()?;
    for &pid in &args.pids {
        refuse(pid)?;
    }
    let target = Target::Attach { pids: args.pids.clone() };
    // While the kernel checks the programs, which takes it long.
    let rings = Rings::of(args.pids.clone());
    let mut session = Session::start(&args.options, Scope::Processes, target)?;
    let rings = rings.found();
    runtime.block_on(async {
        if !follow_all(&mut session, &mut signals, &args.pids, &rings).await? {
            return Ok(());
        }
        let processes = plural(session.analysis.model.living() as u64, "process", "processes");
        let backend = session.backend.name();
        session.console.note(&format!("tracing {processes} through {backend}; Ctrl-C to stop"));
        drive(&mut session, &mut signals, true).await
    })?;
    session.finish(0)
}

/// Follows the processes and their descendants; false: the user or an option ended it meanwhile.
///
/// A child that is forked while this goes on belongs to a process that is followed already: the source
/// follows it. Those that were there before are found by looking until nothing new turns up. `rings`: which
/// of them are known to have set up io_uring, or not.
async fn follow_all(
    session: &mut Session,
    signals: &mut Signals,
    pids: &[u32],
    rings: &HashMap<u32, bool>,
) -> Result<bool> {
    let mut followed: BTreeSet<u32> =
        [Some(std::process::id()), session.source.own()].into_iter().flatten().collect();
    let own = followed.len();
    let mut refused = Vec::new();
    loop {
        let found = pids.iter().flat_map(|&pid| proc::with_descendants(pid));
        let new: Vec<u32> = found.filter(|&pid| !session.saw_fork_of(pid) && followed.insert(pid)).collect();
        if new.is_empty() {
            return say_refused(session, pids, refused).map(|()| true);
        }
        for pid in new {
            let uring = rings.get(&pid).copied().unwrap_or_else(|| proc::uses_uring(pid));
            let known = Known { uring, kin: followed.len() > own + 1, ..Known::default() };
            refused.extend(session.follow(pid, false, known).err());
            session.turn(false);
            tokio::select! {
                biased;
                _ = signals.next() => return Ok(false),
                () = tokio::task::yield_now() => {}
            }
            if session.is_over() {
                return Ok(false);
            }
        }
    }
}

/// Says which processes could not be traced: the others go on. Where none of those that were named is among
/// them, that is a failure.
fn say_refused(session: &Session, pids: &[u32], refused: Vec<Error>) -> Result<()> {
    let others = refused.len().saturating_sub(1) as u64;
    let Some(first) = refused.into_iter().next() else { return Ok(()) };
    if !pids.iter().any(|&pid| session.analysis.model.by_pid(pid).is_some()) {
        return Err(first);
    }
    let more = match others {
        0 => String::new(),
        _ => format!(" (and {} likewise)", plural(others, "other", "others")),
    };
    session.console.note(&format!("{first:#}{more}; going on without"));
    Ok(())
}

/// A process that cannot be traced, in one sentence.
pub(super) fn refuse(pid: u32) -> Result<()> {
    proc::key(pid).map_err(|error| {
        if matches!(error.kind(), std::io::ErrorKind::NotFound) {
            anyhow!("there is no process {pid}: `ps -e` lists those that run")
        } else {
            anyhow!("cannot look at process {pid}: {}", system(&error))
        }
    })?;
    let process = proc::process_of(pid).unwrap_or(pid);
    if process != pid {
        return Err(anyhow!("{pid} is a thread of process {process}: name the process"));
    }
    if proc::is_kernel_thread(pid) {
        return Err(anyhow!("{pid} is a thread of the kernel, which makes no system calls: name a process"));
    }
    if pid == std::process::id() {
        return Err(anyhow!("process {pid} is forkscope itself: name the process to trace"));
    }
    Ok(())
}

/// Traces until the user stops it, or, with `until_alone`, nothing is left.
pub(super) async fn drive(session: &mut Session, signals: &mut Signals, until_alone: bool) -> Result<()> {
    let mut beat = session.beat()?;
    let mut checked = Instant::now();
    loop {
        tokio::select! {
            due = beat.next() => due?,
            _ = signals.next() => return Ok(()),
        }
        session.turn(false);
        beat.follow(session.source.take_drained());
        if session.show().is_some()
            || session.is_over()
            || (until_alone && (session.is_alone() || session.is_alone_by_proc(&mut checked)))
        {
            return Ok(());
        }
    }
}
