//! See [`TEXT`].

mod waits;

use super::history::opened_step;
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence};
use crate::inspect::waiting_call;
use crate::model::{Change, Model, Origin, ProcId, SockId, Standing, Topic};
use crate::report::{RuleId, Severity};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use waits::Waits;

/// What the rule means.
pub(super) const TEXT: &str = "\
A child of a process with several threads makes no progress: all that its threads do is wait, at once or in short turns,
for something that only a thread which did not cross the fork would have done.

A fork copies one thread: the one that called fork. The others are gone in the child, but what they were in the middle of
is copied as it was: a lock that one of them held stays locked for ever, since its owner is not there to unlock it; a
library that leaves its work to threads of its own finds none, and waits for them. The child hangs, often long after the
fork, with no message.

Three kinds of waits are told apart. The lock itself says that a thread of the parent holds it: that is certain. All
threads of the child wait, without a time-out, on memory that no other process can wake; or they wait in turns on the
parent's own epoll instance, on which the child watches nothing of its own; or for an answer that a thread of the parent
reads: those are likely. A child that may only be idle is not reported: one that sleeps, reads a pipe, accepts, waits for its own
children, for a signal that it handles, on connections of its own, or on a semaphore that it shares with its parent.

How to fix it: start such children with spawn, forkserver or posix_spawn instead of fork; or fork before the first thread
is started. Where it is a library's, see what it offers for forks (gRPC: GRPC_ENABLE_FORK_SUPPORT=1, and no call that is
running at the fork). Where it is a lock of your own, take it before the fork and release it on both sides after it:
os.register_at_fork in Python, pthread_atfork(3) in C.";

/// How long nothing new must be seen of a child before it counts as standing still, in nanoseconds.
const LEAST: u64 = 3_000_000_000;
/// In how many looks.
const LOOKS: u32 = 8;
/// The most names of threads in a sentence.
const NAMES: usize = 6;

/// The rule `stalled-child`.
#[derive(Default)]
pub(super) struct StalledChild {
    /// Living children whose standing still is evidence of another finding: it is said there once.
    joined: FxHashSet<ProcId>,
}

impl Rule for StalledChild {
    fn topics(&self) -> &[Topic] {
        &[Topic::Glanced, Topic::Ended]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        match *change {
            Change::Glanced { process } => out.extend(self.looked(model, process)),
            Change::Ended { process } => {
                self.joined.remove(&process);
            }
            _ => {}
        }
    }
}

impl StalledChild {
    fn looked(&mut self, model: &Model, child: ProcId) -> Option<Draft> {
        let standing = model.standing(child)?;
        if standing.watched() < LEAST || standing.looks < LOOKS {
            return None;
        }
        let draft = found(model, child, standing)?;
        let joins = draft.claim.cause != Cause::Stalling(child);
        (!joins || self.joined.insert(child)).then_some(draft)
    }
}

fn found(model: &Model, child: ProcId, standing: &Standing) -> Option<Draft> {
    let glance = standing.last().filter(|glance| !glance.more)?;
    let mut waits = Vec::new();
    for thread in &glance.threads {
        waits.push((thread.tid, thread.call?.nr, waits::of(model, child, standing, thread)?));
    }
    // What says most first.
    waits.sort_by_key(|(_, _, waits)| waits.rank());
    draft(model, child, standing, &waits)
}

fn draft(model: &Model, child: ProcId, standing: &Standing, waits: &[(u32, u64, Waits)]) -> Option<Draft> {
    let (_, nr, first) = waits.first()?;
    let (pid, parent) = (model.pid(child), model.pid(standing.parent));
    let certain = matches!(first, Waits::ForOwner { .. });
    let (fd, socket) = (first.fd(), first.socket());
    let threads = match model.process(child)?.forked_at {
        Some(_) => format!("had {} threads when it forked {pid}", standing.threads),
        None => format!("has {} threads that are older than {pid}, its copy", standing.threads),
    };
    let unanswered = waits::unanswered(model, child, standing.parent);
    let cause = match socket.or(unanswered) {
        // That its answer went to another is told already, or will be: it hangs for that.
        Some(socket) if !certain => Cause::Sharing(socket),
        _ => Cause::Stalling(child),
    };
    let has = match waits.len() {
        1 => "It has one thread, which waits".to_owned(),
        count => format!("All of its {count} threads wait"),
    };
    let seconds = standing.watched() as f64 / 1e9;
    Some(Draft {
        claim: Claim {
            rule: RuleId::StalledChild,
            severity: Severity::Error,
            confidence: confidence(model, certain, &[child, standing.parent]),
            says: Says::Failed,
            cause,
        },
        title: first.title(model, pid, parent),
        summary: format!(
            "{parent} {threads}, and only the one that forked is in the child. {has}: in {seconds:.1}s of looking it sent, \
             received and opened nothing. {}",
            first.why(model, pid, parent),
        ),
        process: child,
        others: vec![standing.parent],
        fd,
        socket,
        nr: u16::try_from(*nr).ok(),
        errno: None,
        time: model.now(),
        steps: steps(model, child, standing, waits, socket),
    })
}

/// What led to it: what was opened, the fork and the threads that it left behind, the waits.
fn steps(
    model: &Model,
    child: ProcId,
    standing: &Standing,
    waits: &[(u32, u64, Waits)],
    socket: Option<SockId>,
) -> Vec<Step> {
    let pid = model.pid(child);
    let mut steps: Vec<Step> = Vec::new();
    for (_, _, one) in waits {
        steps.extend(one.opened(model, child));
    }
    if let Some(socket) = socket.and_then(|id| model.socket(id)) {
        let fd = socket.usage(child).map_or(-1, |usage| usage.fd);
        steps.extend(opened_step(socket, fd).filter(|_| fd >= 0));
    }
    let forked_at = model.process(child).and_then(|process| process.forked_at);
    let step = |time, process, tid, what| Step::of(Origin { time, process, tid, nr: 0 }, what);
    let (when, threads) = match forked_at {
        Some(_) => ("forked", "threads"),
        None => ("had forked", "threads that are older"),
    };
    let what = format!("{when} {pid} with {} {threads}{}", standing.threads, lost(standing));
    steps.push(step(forked_at.unwrap_or(standing.since), standing.parent, standing.forker, what));
    if forked_at.is_some_and(|time| standing.since > time) {
        steps.push(step(standing.since, child, pid, "did the last thing that was seen of it".to_owned()));
    }
    for (tid, nr, one) in waits {
        let call = waiting_call(*nr).unwrap_or("a call");
        let looks = standing.looks + 1;
        let what = format!("in each of {looks} looks it waited in {call} {}", one.on());
        let (nr, fd) = (u16::try_from(*nr).ok(), one.fd());
        steps.push(Step { nr, fd, ..step(model.now(), child, *tid, what) });
    }
    steps.sort_by_key(|step| step.time);
    steps
}

/// The parent's threads that did not cross, by name, as far as they could be seen.
fn lost(standing: &Standing) -> String {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for thread in standing.parent_threads.iter().filter(|thread| thread.tid != standing.forker) {
        *names.entry(&thread.comm).or_default() += 1;
    }
    if names.is_empty() {
        return String::new();
    }
    let more = if names.len() > NAMES { ", ..." } else { "" };
    let name = |(name, count): (&str, usize)| match count {
        1 => name.to_owned(),
        _ => format!("{name} ({count})"),
    };
    let names: Vec<String> = names.into_iter().take(NAMES).map(name).collect();
    format!("; these did not cross: {}{more}", names.join(", "))
}
