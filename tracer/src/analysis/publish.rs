//! From a rule's draft to a finding, or to one more of the same cause.

use super::Analysis;
use super::evidence::{MOST_EVIDENCE, join, shorten};
use super::fingerprint::fingerprint;
use crate::errno;
use crate::inspect::waiting_call;
use crate::model::{Facts, ProcId, Process, Socket};
use crate::protocol::{Protocol, TlsFacts};
use crate::report::{Evidence, Finding, RuleId};
use crate::rules::{Draft, Known, Server, Step, fixes};
use std::rc::Rc;

impl Analysis {
    pub(super) fn publish(&mut self, draft: Draft) {
        let Some(claim) = self.said.at_its_level(draft.claim) else { return };
        let draft = Draft { claim, ..draft };
        if let Some(known) = self.said.take(&claim.cause) {
            let known = self.again(known, &draft);
            self.said.put(known);
            return;
        }
        if !self.said.has_room(claim.severity) {
            return;
        }
        let at = self.findings.len();
        let (told, shown) = (vec![(claim.rule, claim.says)], vec![(claim.rule, claim.says, claim.severity)]);
        self.said.put(Known { at, named: claim, told, shown });
        let finding = self.finding(at as u32 + 1, &draft);
        self.want_stacks(finding.id, &draft);
        self.findings.push(finding);
        self.fresh.push(at);
    }

    /// A finding's cause was seen again.
    pub(super) fn seen_again(&mut self, at: usize, time: u64) {
        let seen = self.seconds(time);
        let finding = &mut self.findings[at];
        finding.count += 1;
        finding.last_seen = finding.last_seen.max(seen);
    }

    /// The same cause was seen again. What should name the finding does from now on; each kind of
    /// draft adds its evidence once.
    fn again(&mut self, mut known: Known, draft: &Draft) -> Known {
        self.seen_again(known.at, draft.time);
        let is_new = known.lacks(&draft.claim);
        if is_new {
            known.told.push((draft.claim.rule, draft.claim.says));
        }
        if known.yields_to(&draft.claim) {
            self.rename(&mut known, draft);
        } else if is_new {
            let drafted = self.finding(0, draft);
            let finding = &mut self.findings[known.at];
            name_others(finding, &drafted);
            join(&mut finding.evidence, drafted.evidence, !tells_turns(draft.claim.rule));
        }
        known
    }

    /// Gives a finding the draft's name, and keeps what was known of it.
    fn rename(&mut self, known: &mut Known, draft: &Draft) {
        let mut renamed = self.finding(self.findings[known.at].id, draft);
        self.want_stacks(renamed.id, draft);
        let finding = &mut self.findings[known.at];
        (renamed.count, renamed.first_seen, renamed.last_seen) =
            (finding.count, finding.first_seen, finding.last_seen);
        renamed.stacks = std::mem::take(&mut finding.stacks);
        name_others(&mut renamed, finding);
        join(&mut renamed.evidence, std::mem::take(&mut finding.evidence), tells_turns(draft.claim.rule));
        self.findings[known.at] = renamed;
        known.named = draft.claim;
        let name = (draft.claim.rule, draft.claim.says, draft.claim.severity);
        if !known.shown.contains(&name) {
            known.shown.push(name);
            if !self.fresh.contains(&known.at) {
                self.fresh.push(known.at);
            }
        }
        self.advise(known.at);
    }

    fn finding(&mut self, id: u32, draft: &Draft) -> Finding {
        let seen = self.seconds(draft.time);
        if let Some(socket) = draft.socket {
            self.model.keep(socket);
        }
        for process in std::iter::once(draft.process).chain(draft.others.iter().copied()) {
            self.wanted.want_facts(&self.model, process);
        }
        let mut evidence: Vec<Evidence> = draft.steps.iter().map(|step| self.evidence(step)).collect();
        shorten(&mut evidence, MOST_EVIDENCE);
        let fingerprint = fingerprint(&self.model, draft);
        Finding {
            id,
            known: self.known.as_ref().is_some_and(|known| known.knows(&fingerprint, draft.claim.severity)),
            fingerprint,
            rule: draft.claim.rule,
            severity: draft.claim.severity,
            confidence: draft.claim.confidence,
            title: draft.title.clone(),
            summary: draft.summary.clone(),
            pid: self.model.pid(draft.process),
            other_pids: draft.others.iter().map(|&other| self.model.pid(other)).collect(),
            fd: draft.fd,
            connection: draft.socket.map(|socket| socket.0),
            syscall: draft.nr.and_then(name).map(str::to_owned),
            errno: draft.errno.and_then(errno::name).map(str::to_owned),
            first_seen: seen,
            last_seen: seen,
            count: 1,
            evidence,
            stacks: Vec::new(),
            fix: Vec::new(),
            docs: format!("forkscope explain {}", draft.claim.rule.name()),
        }
    }

    fn evidence(&self, step: &Step) -> Evidence {
        Evidence {
            time: self.seconds(step.time),
            pid: self.model.pid(step.process),
            tid: step.tid,
            what: step.what.clone(),
            syscall: step.nr.and_then(name).map(str::to_owned),
            fd: step.fd,
            result: step.ret.map(|ret| errno::result(ret).to_string()),
        }
    }

    /// The findings that are new since the last call, with their advice. What the caller has learned from
    /// /proc meanwhile makes the advice specific.
    pub fn take_fresh(&mut self) -> Vec<Finding> {
        let fresh = std::mem::take(&mut self.fresh);
        fresh.iter().for_each(|&at| self.advise(at));
        fresh.into_iter().map(|at| self.findings[at].clone()).collect()
    }

    /// The same, without taking them, as they are by now.
    pub fn fresh(&self) -> impl Iterator<Item = &Finding> {
        self.fresh.iter().map(|&at| &self.findings[at])
    }

    /// Says what to change, as far as is known by now.
    fn advise(&mut self, at: usize) {
        let finding = &self.findings[at];
        let socket = finding.connection.and_then(|id| self.model.socket(crate::model::SockId(id)));
        let protocol = socket.map_or(Protocol::Unknown, Socket::read_protocol);
        let is_http2 = socket.and_then(Socket::tls).is_some_and(TlsFacts::is_http2);
        let pids = std::iter::once(&finding.pid).chain(&finding.other_pids);
        let named: Vec<_> = pids.filter_map(|&pid| self.model.by_pid(pid)).collect();
        let facts = self.facts_for(&named);
        let server = named.iter().find_map(|process| Server::of(&process.words()));
        let has_grpc = facts.as_deref().is_some_and(|facts| facts.libraries.contains_key("grpc"));
        let protocol = if is_http2 && has_grpc { Protocol::Http2 } else { protocol };
        self.findings[at].fix = fixes(finding.rule, protocol, facts.as_deref(), server);
    }

    /// What is known of the program that is to be changed, where a finding names these processes: of none
    /// that another of them has started, as far as there is one.
    fn facts_for(&self, named: &[&Process]) -> Option<Rc<Facts>> {
        let is_started = |process: &Process| {
            let by = |parent| named.iter().any(|other| other.id == parent);
            !process.execs.is_empty() && process.parent.is_some_and(by)
        };
        let (started, own): (Vec<&Process>, _) =
            named.iter().copied().partition(|process| is_started(process));
        [own, started].iter().find_map(|all| {
            let looked_up = all.iter().find_map(|process| self.facts_of(process.pid()));
            looked_up.or_else(|| all.iter().find_map(|process| process.facts_in_words()).map(Rc::new))
        })
    }

    /// What is known of a process, or of the nearest ancestor since whose time it has not executed a program.
    pub(super) fn facts_of(&self, pid: u32) -> Option<Rc<Facts>> {
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

/// Processes that another telling of the cause names are in the finding, too.
fn name_others(finding: &mut Finding, other: &Finding) {
    for &pid in std::iter::once(&other.pid).chain(&other.other_pids) {
        if pid != finding.pid && !finding.other_pids.contains(&pid) {
            finding.other_pids.push(pid);
        }
    }
}

/// Whether a rule's steps only count the bytes that moved: of the same moment, others tell what they were.
fn tells_turns(rule: RuleId) -> bool {
    rule == RuleId::SharedStream
}

/// The name of a call, traced or not.
fn name(nr: u16) -> Option<&'static str> {
    waiting_call(nr.into())
}
