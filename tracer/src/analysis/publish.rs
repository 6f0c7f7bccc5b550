//! From a rule's draft to a finding, or to one more of the same cause.

use super::{Analysis, Level, MOST_FINDINGS};
use crate::errno;
use crate::model::{Facts, ProcId, Socket};
use crate::protocol::Protocol;
use crate::report::{Evidence, Finding, Severity};
use crate::rules::{Draft, Step, fixes};
use forkscope_proto::calls;

/// Evidence of one finding: a longer story is told by its beginning and its end.
const MOST_EVIDENCE: usize = 24;

impl Analysis {
    pub(super) fn publish(&mut self, mut draft: Draft) {
        match self.levels.get(&draft.rule) {
            Some(Level::Off) => return,
            Some(Level::At(severity)) => draft.severity = *severity,
            None => {}
        }
        if let Some(&at) = self.causes.get(&draft.cause) {
            self.again(at, &draft);
            return;
        }
        // Information has a budget of its own: it must not crowd out errors.
        let is_info = |severity| severity == Severity::Info;
        let alike = self.findings.iter().filter(|known| is_info(known.severity) == is_info(draft.severity));
        if alike.count() >= MOST_FINDINGS {
            return;
        }
        let at = self.findings.len();
        self.causes.insert(draft.cause, at);
        for process in std::iter::once(draft.process).chain(draft.others.iter().copied()) {
            self.wanted.want_facts(&self.model, process);
        }
        let finding = self.finding(at as u32 + 1, &draft);
        self.findings.push(finding);
        self.fresh.push(at);
    }

    /// The same cause was seen again. Another rule's evidence is added once; a worse severity wins.
    fn again(&mut self, at: usize, draft: &Draft) {
        let seconds = self.seconds(draft.time);
        let known = &self.findings[at];
        let extra: Vec<Evidence> = if known.rule != draft.rule && known.evidence.len() < MOST_EVIDENCE {
            draft.steps.iter().rev().take(1).map(|step| self.evidence(step)).collect()
        } else {
            Vec::new()
        };
        let (id, severity) = (known.id, known.severity);
        let worse = (draft.severity > severity).then(|| self.finding(id, draft));
        let finding = &mut self.findings[at];
        finding.count += 1;
        finding.last_seen = seconds;
        finding.confidence = finding.confidence.max(draft.confidence);
        let told = finding.evidence.iter().any(|step| extra.iter().any(|new| new.what == step.what));
        if !told {
            finding.evidence.extend(extra);
        }
        if let Some(worse) = worse {
            *finding = Finding { count: finding.count, first_seen: finding.first_seen, ..worse };
            self.fresh.push(at);
        }
    }

    fn finding(&mut self, id: u32, draft: &Draft) -> Finding {
        let seen = self.seconds(draft.time);
        if let Some(socket) = draft.socket {
            self.model.keep(socket);
        }
        Finding {
            id,
            rule: draft.rule,
            severity: draft.severity,
            confidence: draft.confidence,
            title: draft.title.clone(),
            summary: draft.summary.clone(),
            pid: self.model.pid(draft.process),
            other_pids: draft.others.iter().map(|&other| self.model.pid(other)).collect(),
            fd: draft.fd,
            connection: draft.socket.map(|socket| socket.0),
            syscall: draft.nr.and_then(calls::name).map(str::to_owned),
            errno: draft.errno.and_then(errno::name).map(str::to_owned),
            first_seen: seen,
            last_seen: seen,
            count: 1,
            evidence: draft.steps.iter().take(MOST_EVIDENCE).map(|step| self.evidence(step)).collect(),
            stacks: Vec::new(),
            fix: Vec::new(),
            docs: format!("forkscope explain {}", draft.rule.name()),
        }
    }

    fn evidence(&self, step: &Step) -> Evidence {
        Evidence {
            time: self.seconds(step.time),
            pid: self.model.pid(step.process),
            tid: step.tid,
            what: step.what.clone(),
            syscall: calls::name(step.nr).filter(|_| step.nr != 0 || step.ret.is_some()).map(str::to_owned),
            fd: step.fd,
            result: step.ret.map(|ret| errno::result(ret).to_string()),
        }
    }

    /// The findings that are new since the last call, with their advice. What the caller has learned from /proc
    /// meanwhile makes the advice specific.
    pub fn take_fresh(&mut self) -> Vec<Finding> {
        let fresh = std::mem::take(&mut self.fresh);
        for &at in &fresh {
            let finding = &self.findings[at];
            let protocol = finding
                .connection
                .and_then(|id| self.model.socket(crate::model::SockId(id)))
                .map_or(Protocol::Unknown, Socket::protocol);
            let pids: Vec<u32> =
                std::iter::once(finding.pid).chain(finding.other_pids.iter().copied()).collect();
            let facts = pids.iter().find_map(|&pid| self.facts_of(pid));
            self.findings[at].fix = fixes(finding.rule, protocol, facts.as_deref());
        }
        fresh.into_iter().map(|at| self.findings[at].clone()).collect()
    }

    /// What is known of a process, or of the nearest ancestor since whose time it has not executed a program.
    fn facts_of(&self, pid: u32) -> Option<std::rc::Rc<Facts>> {
        let mut process = self.model.by_pid(pid)?;
        loop {
            if let Some(facts) = &process.facts {
                return Some(facts.clone());
            }
            let parent: ProcId = process.parent.filter(|_| process.execs.is_empty())?;
            process = self.model.process(parent)?;
        }
    }
}
