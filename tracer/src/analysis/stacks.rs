//! Of which moments a finding wants to know where in their programs the threads were.

use super::{Analysis, seconds};
use crate::event::{NamedStack, ProcKey, StackOf};
use crate::model::{Model, ProcId};
use crate::report::stack::{self, MOST_STACKS};
use crate::report::{RuleId, Severity, Stack};
use crate::rules::Draft;

/// The most failing calls of one finding whose stacks are wanted: the newest.
const MOST_FAILURES: usize = 2;

impl Analysis {
    /// From here on it is asked for the stacks of findings that are more than information
    /// ([`super::Wanted::stacks`]).
    #[must_use]
    pub fn wanting_stacks(mut self, wants: bool) -> Self {
        self.wants_stacks = wants;
        self
    }

    /// Takes where threads were at moments that a finding is about. What is told
    /// again, replaces what was told.
    pub fn tell_stacks(&mut self, finding: u32, stacks: Vec<NamedStack>) {
        let at = (finding as usize).wrapping_sub(1);
        let start = self.start;
        let Some(finding) = self.findings.get_mut(at) else { return };
        for NamedStack { time, pid, tid, at, mut frames } in stacks {
            stack::bound(&mut frames);
            let stack = Stack { pid, tid, at, time: seconds(start, time), frames };
            finding.stacks.retain(|known| !known.is_like(&stack));
            if finding.stacks.len() < MOST_STACKS {
                finding.stacks.push(stack);
            }
        }
        finding.stacks.sort_by(|one, other| one.time.total_cmp(&other.time));
    }

    /// Asks for the stacks of what a draft tells.
    pub(super) fn want_stacks(&mut self, finding: u32, draft: &Draft) {
        if self.wants_stacks && draft.claim.severity > Severity::Info {
            let wanted = moments(&self.model, draft).into_iter().map(|moment| (finding, moment));
            self.wanted.stacks.extend(wanted);
        }
    }
}

/// The moments of a draft: the connect, the fork, what failed, and what stands still.
fn moments(model: &Model, draft: &Draft) -> Vec<StackOf> {
    let key = |id: ProcId| -> Option<ProcKey> { Some(model.process(id)?.key) };
    let mut moments = Vec::new();
    if let Some(socket) = draft.socket.and_then(|id| model.socket(id))
        && let (Some(process), Some(fd)) = (key(socket.opened.process), draft.fd)
    {
        moments.push(StackOf::Connect { process, fd, since: socket.opened.time });
    }
    let all = std::iter::once(draft.process).chain(draft.others.iter().copied());
    let forked = all.filter_map(|id| model.process(id)).find(|one| one.forked_at.is_some());
    moments.extend(forked.map(|one| StackOf::Fork { child: one.key }));
    let failed = draft.steps.iter().rev().filter(|step| step.ret.is_some_and(|ret| ret < 0));
    let failed = failed.filter_map(|step| {
        let (process, tid, nr, time) = (key(step.process)?, step.tid, step.nr?, step.time);
        Some(StackOf::Failed { process, tid, nr, time })
    });
    moments.extend(failed.take(MOST_FAILURES));
    if draft.claim.rule == RuleId::StalledChild {
        moments.extend(key(draft.process).map(|process| StackOf::Standing { process }));
    }
    moments
}
