//! See [`TEXT`].

use super::history::{fork_step, named_made_step};
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence};
use crate::model::{Change, FileId, Model, Origin, ProcId, Taken, Topic, Wakeup};
use crate::report::{RuleId, Severity};
use forkscope_proto::FileKind;

/// What the rule means.
pub(super) const TEXT: &str = "\
Two processes use one eventfd or pipe to wake their own threads, and one of them took a wake-up of the other's.

An event loop that sleeps is woken by a write to an eventfd, or to a pipe to itself. A fork shares it: a byte that one
process writes for its own loop wakes whichever loop reads first. The one that it was meant for sleeps on, until
something else wakes it: calls that hang now and then, or until a time-out.

It is told where a process that woke itself in this way before the fork goes on doing so, and another one, which waits
on it, too, reads what it wrote. A single write by a child, as a library's fork handler makes one, is nothing; neither
are channels that one end writes and the other reads, however many readers there are, nor tokens that are taken and
given back, as by make's job server, nor what was given to an executed program.

How to fix it: make the event loop after the fork, in the process that runs it, or tell the loop that the process has
forked (see `shared-epoll`). For gRPC, see also `enotsock`.";

/// The rule `shared-wakeup`.
pub(super) struct SharedWakeup;

impl Rule for SharedWakeup {
    fn topics(&self) -> &[Topic] {
        &[Topic::Taken]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        if let Change::Taken(taken) = change {
            out.extend(found(model, taken));
        }
    }
}

fn found(model: &Model, taken: &Taken) -> Option<Draft> {
    let wakeup = model.wakeup(taken.wakeup)?;
    let (by, written) = (taken.by, taken.written);
    let (thief, victim) = (wakeup.user(by.process)?, wakeup.user(written.process)?);
    let executed = |id| model.has_executed_since(id, wakeup.opened.time);
    // Who gives back only what it has taken returns a token.
    if !victim.gave || !model.lives(written.process) || executed(by.process) || executed(written.process) {
        return None;
    }
    if model.share_a_table(by.process, written.process) {
        return None;
    }
    let before = used_before(model, wakeup, [by.process, written.process])?;
    let since = [by.process, written.process].into_iter().filter(|id| *id != before.process);
    let forked = since.filter_map(|id| model.process(id)?.forked_at).max()?;
    let [thief_epoll, victim_epoll] =
        [by.process, written.process].map(|id| watches(model, wakeup, id, forked));
    let thief_waits = thief_epoll.is_some() || thief.own.is_some();
    let victim_waits = victim_epoll.is_some() || victim.read.is_some_and(|read| read.time > forked);
    if !thief_waits || !victim_waits {
        return None;
    }
    // An event loop waits for it: it is a wake-up for sure.
    let is_certain = wakeup.opened.nr != 0 && thief_epoll.is_some() && victim_epoll.is_some();
    let cause = match (thief_epoll, victim_epoll) {
        (Some(one), Some(other)) if one == other => Cause::Epoll(one),
        _ => Cause::Wakeup(taken.wakeup),
    };
    let (pid, thief_pid) = (model.pid(written.process), model.pid(by.process));
    let what = if wakeup.kind == FileKind::Pipe { "pipe" } else { "eventfd" };
    Some(Draft {
        claim: Claim {
            rule: RuleId::SharedWakeup,
            severity: Severity::Warning,
            confidence: confidence(model, is_certain, &[by.process, written.process]),
            says: Says::Astray,
            cause,
        },
        title: format!(
            "{thief_pid} took a wake-up that {pid} meant for itself from the {what} that both hold"
        ),
        summary: format!(
            "{pid} and {thief_pid} hold one {what} since a fork, and each wakes its own threads by it. {thief_pid} read \
             what {pid} wrote: whom {pid} meant to wake may sleep on."
        ),
        process: written.process,
        others: vec![by.process],
        fd: Some(taken.fd),
        socket: None,
        nr: Some(by.nr),
        errno: None,
        time: by.time,
        steps: steps(model, wakeup, taken, before, what),
    })
}

/// The first time that a process woke itself by it before the fork, which both
/// remember: the wake-up was in use.
fn used_before(model: &Model, wakeup: &Wakeup, processes: [ProcId; 2]) -> Option<Origin> {
    let firsts = wakeup.users.iter().filter_map(|user| Some(user.own?.0));
    let mut known = firsts.filter(|own| processes.iter().all(|id| model.remembers(*id, own)));
    known.next()
}

/// The epoll instance on which a process has waited for it since the fork.
fn watches(model: &Model, wakeup: &Wakeup, process: ProcId, forked: u64) -> Option<FileId> {
    let watched = wakeup.watched.iter().find(|watched| {
        model.epoll(watched.epoll).is_some_and(|epoll| {
            let user = epoll.users.iter().find(|user| user.process == process);
            user.is_some_and(|user| {
                user.waited.is_some_and(|waited| waited.time > forked)
                    && model.holds_file(process, user.fd, watched.epoll)
                    && epoll.watch(watched.fd, watched.target).is_some()
            })
        })
    });
    watched.map(|watched| watched.epoll)
}

fn steps(model: &Model, wakeup: &Wakeup, taken: &Taken, before: Origin, what: &str) -> Vec<Step> {
    let (opened, by, written) = (wakeup.opened, taken.by, taken.written);
    let pid = |at: Origin| model.pid(at.process);
    let mut steps = vec![
        Step { fd: None, ..named_made_step(model, opened, &format!("the {what}"), taken.fd) },
        Step::did(before, format!("{} read what it had written itself: a wake-up of its own", pid(before))),
    ];
    let children = [by.process, written.process].into_iter().filter(|id| *id != before.process);
    steps.extend(children.filter_map(|id| fork_step(model, id, taken.fd)));
    steps.push(Step::did(written, format!("{} wrote to it, to wake itself", pid(written))));
    steps.push(Step::did(by, format!("{} read that", pid(by))).on(taken.fd).returning(taken.bytes));
    steps.sort_by_key(|step| step.time);
    steps
}
