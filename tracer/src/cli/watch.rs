//! `forkscope watch`: the whole machine.

use super::args::Watch;
use super::attach::drive;
use super::backend::Scope;
use super::outcome::Outcome;
use super::session::Session;
use super::signals::Signals;
use forkscope::report::Target;
use forkscope::source::proc;

/// Watches every process.
pub(super) fn watch(args: &Watch) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let mut signals = Signals::catch()?;
    let mut session = Session::start(&args.options, Scope::Machine, Target::Watch)?;
    let own = std::process::id();
    for pid in proc::all() {
        // Processes come and go while they are listed; kernel threads have no table worth a look.
        if pid != own
            && let Ok((key, snapshot)) = proc::snapshot(pid)
        {
            session.take_in(key, &snapshot);
        }
    }
    let (count, backend) = (session.analysis.model.living(), session.backend.name());
    session
        .console
        .note(&format!("tracing the whole machine ({count} processes) through {backend}; Ctrl-C to stop"));
    runtime.block_on(drive(&mut session, &mut signals, false))?;
    session.finish(0)
}
