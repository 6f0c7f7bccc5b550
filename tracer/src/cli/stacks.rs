//! `--stacks`: what a session does so that findings say where in their programs threads were.

use super::session::Session;
use forkscope::event::{NamedStack, ProcKey, StackOf};
use forkscope::report::Moment;
use forkscope::source::proc;
use std::time::{Duration, Instant};

/// How long a process may take to come to a stop before its stacks are not waited for.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often it is looked at meanwhile.
const OFTEN: Duration = Duration::from_millis(1);

impl Session {
    /// Says where the threads were that findings are about.
    pub(super) fn wanted_stacks(&mut self, wanted: &[(u32, StackOf)]) {
        for (finding, moment) in wanted {
            let named = self.stacks.as_mut().map(|stacks| stacks.of(moment)).unwrap_or_default();
            self.tell_stacks(*finding, named);
        }
    }

    /// Says where the processes stand that are stopped for findings which are about to be shown: they are
    /// held a moment earlier than it is said of them.
    pub(super) fn stopped_stacks(&mut self) {
        if self.stacks.is_none() {
            return;
        }
        let due = self.analysis.fresh().filter(|finding| self.stops.will_hold(finding));
        let living = |pid| self.analysis.model.by_pid(pid).filter(|process| process.ended.is_none());
        let due: Vec<(u32, ProcKey)> =
            due.filter_map(|finding| Some((finding.id, living(finding.pid)?.key))).collect();
        for (finding, process) in due {
            if self.source.hold(process).is_ok() && has_stopped(process) {
                let stacks = self.stacks.as_mut().map(|stacks| stacks.standing(process, Moment::Stopped));
                self.tell_stacks(finding, stacks.unwrap_or_default());
            }
        }
    }

    /// Tells the analyser, and the recording.
    fn tell_stacks(&mut self, finding: u32, stacks: Vec<NamedStack>) {
        if !stacks.is_empty() {
            self.recording.stacks(finding, &stacks);
            self.analysis.tell_stacks(finding, stacks);
        }
    }
}

/// Waits until a process that was told to stop has done so; false where it has not in time, or is gone.
fn has_stopped(process: ProcKey) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        match proc::is_stopped(process) {
            Some(false) if Instant::now() < end => std::thread::sleep(OFTEN),
            other => return other == Some(true),
        }
    }
}
