//! See [`TEXT`].

use super::history::{connection, fork_step, made_step};
use super::{Cause, Draft, Rule, Says, Step, confidence};
use crate::model::{Act, Change, Epoll, EpollUse, FileId, Model, ProcId, Watch};
use crate::report::{Confidence, RuleId, Severity};
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

/// What the rule means.
pub(super) const TEXT: &str = "\
One process changed an epoll instance on which another one waits.

A fork shares an epoll instance as it shares any open file: what the child registers is registered for the parent, and
what it removes is removed for the parent. An event carries what its maker gave as data, mostly a pointer into the
maker's memory. Given to the other process, that is an address at which something else lies, or nothing: the process
crashes, or treats one descriptor as another. A registration that is removed is an event that never comes: the process
hangs.

It is an error where that was seen: an event given to a process that never registered it, or a registration changed or
removed by another process than its own while that goes on waiting for it. It is a warning where a process waits on an
instance on which another has registered something of its own, and no such event was seen yet.

A process that uses an inherited instance alone is healthy, and so is one that only closes it.

How to fix it: make the event loop after the fork, in the process that runs it, or tell the loop that the process has
forked: uv_loop_fork(), ev_loop_fork(), event_reinit(). With Python's asyncio the child makes its own loop with
asyncio.run(), and neither uses nor closes the one that it inherited. For gRPC, see also `enotsock`.";

/// How long a change stands before it is worth a word, in nanoseconds: a process that inherited something closes it
/// in a moment, and its parent closes what it has handed over.
const GRACE: u64 = 1_000_000_000;
/// How long after an event that was not its own a process' end by a signal is told with it, in nanoseconds.
const SOON: u64 = 5_000_000_000;
/// How often the same is worth counting, in nanoseconds: a loop that does not know what it is told of is told at once
/// again.
const OFTEN: u64 = 100_000_000;
/// The most changes that are watched at once, and the most findings that wait for an end.
const MOST: usize = 256;
const MOST_TOLD: usize = 64;
/// Data up to this may be a descriptor's number, and the same by chance.
const MOST_NUMBER: u64 = i32::MAX as u64;

/// The rule `shared-epoll`.
#[derive(Default)]
pub(super) struct SharedEpoll {
    /// Changes of late, oldest first.
    changes: VecDeque<EpollUse>,
    /// Instances of which there is a finding.
    found: FxHashSet<FileId>,
    /// What was found of events that went to the wrong process, oldest first: it may end of it.
    told: VecDeque<Draft>,
}

impl Rule for SharedEpoll {
    fn check(&mut self, model: &Model, change: &Change, out: &mut Vec<Draft>) {
        match *change {
            Change::Epoll(used) => match used.act {
                Act::Told => {
                    if let Some(last) = self.last_told(&used)
                        && used.by.time.saturating_sub(last.time) < OFTEN
                    {
                        return;
                    }
                    let Some(draft) = told(model, &used) else { return };
                    self.note(used.epoll);
                    self.told.retain(|old| old.cause != draft.cause || old.process != draft.process);
                    if self.told.len() == MOST_TOLD {
                        self.told.pop_front();
                    }
                    self.told.push_back(draft.clone());
                    out.push(draft);
                }
                Act::Added | Act::Changed | Act::Removed => {
                    if self.changes.len() < MOST
                        && !self.found.contains(&used.epoll)
                        && somebody_else_lives(model, &used)
                    {
                        self.changes.push_back(used);
                    }
                }
            },
            Change::Ended { process } => {
                let place = self.told.iter().position(|draft| draft.process == process);
                let draft = place.and_then(|place| self.told.remove(place));
                out.extend(draft.and_then(|draft| ended(model, draft)));
            }
            _ => {}
        }
    }

    fn tick(&mut self, model: &Model, out: &mut Vec<Draft>) {
        while let Some(&oldest) = self.changes.front()
            && model.now().saturating_sub(oldest.by.time) >= GRACE
        {
            self.changes.pop_front();
            if let Some(draft) = stands(model, &oldest) {
                self.note(oldest.epoll);
                out.push(draft);
            }
        }
    }
}

impl SharedEpoll {
    /// What was found last of events of this instance that went to this process.
    fn last_told(&self, used: &EpollUse) -> Option<&Draft> {
        let cause = Cause::Epoll(used.epoll);
        self.told.iter().find(|draft| draft.cause == cause && draft.process == used.by.process)
    }

    fn note(&mut self, epoll: FileId) {
        if self.found.len() < MOST {
            self.found.insert(epoll);
        }
    }
}

/// Whether another process that made or uses the instance is there.
fn somebody_else_lives(model: &Model, used: &EpollUse) -> bool {
    let Some(epoll) = model.epoll(used.epoll) else { return false };
    let users = epoll.users.iter().map(|user| user.process);
    let lives = |id: ProcId| model.process(id).is_some_and(|process| process.ended.is_none());
    users.chain([epoll.opened.process]).any(|id| id != used.by.process && lives(id))
}

/// An event went to a process that never registered it.
fn told(model: &Model, used: &EpollUse) -> Option<Draft> {
    let epoll = model.epoll(used.epoll)?;
    let EpollUse { by, watch, .. } = *used;
    let maker = watch.given.process;
    // Who holds the very file under the number that the data is can do with it what its maker would.
    if watch.data as u32 == watch.fd as u32 && model.holds_file(by.process, watch.fd, watch.target) {
        return None;
    }
    let is_known = epoll.opened.nr != 0 && epoll.complete;
    let how = match confidence(model, is_known, &[by.process, maker]) {
        Confidence::Likely if epoll.opened.nr == 0 && is_number(&watch) => Confidence::Inconclusive,
        how => how,
    };
    let (pid, maker_pid) = (model.pid(by.process), model.pid(maker));
    let data = data(&watch);
    let mut steps = beginning(model, epoll, [by.process, maker], used.fd);
    steps.push(registered(model, used, &watch));
    steps.push(Step {
        time: by.time,
        process: by.process,
        tid: by.tid,
        what: format!("{pid} was told of it: the event's data is {data}, which {pid} never registered"),
        nr: by.nr,
        fd: Some(used.fd),
        ret: None,
    });
    Some(Draft {
        rule: RuleId::SharedEpoll,
        severity: Severity::Error,
        confidence: how,
        says: Says::Astray,
        cause: Cause::Epoll(used.epoll),
        title: format!("{pid} got an event that {maker_pid} registered on the epoll instance that both hold"),
        summary: format!(
            "{pid} and {maker_pid} hold one epoll instance since a fork. {maker_pid} registered fd {} there with data \
             {data}, and {pid}'s wait returned that: to {pid} it means something else, or nothing.",
            watch.fd
        ),
        process: by.process,
        others: vec![maker],
        fd: Some(used.fd),
        socket: None,
        nr: Some(by.nr),
        errno: None,
        time: by.time,
        steps,
    })
}

/// A process ended by a fault soon after it was told of what was not its own.
fn ended(model: &Model, draft: Draft) -> Option<Draft> {
    let (time, status) = model.process(draft.process)?.ended?;
    let signal = fault(status?)?;
    if time.saturating_sub(draft.time) > SOON {
        return None;
    }
    let pid = model.pid(draft.process);
    let mut steps = draft.steps;
    let what = format!("{pid} died of {signal}");
    steps.push(Step { time, process: draft.process, tid: pid, what, nr: 0, fd: None, ret: None });
    Some(Draft {
        says: Says::Broken,
        title: format!("{}, and died of {signal}", draft.title),
        summary: format!("{} {pid} died of {signal} right after it.", draft.summary),
        time,
        steps,
        ..draft
    })
}

/// The signal with which the kernel, or abort(3), ends a process whose memory is not as it should be (wait(2), signal(7)).
fn fault(status: u32) -> Option<&'static str> {
    match (status & 0x7f) as i32 {
        libc::SIGSEGV => Some("SIGSEGV"),
        libc::SIGABRT => Some("SIGABRT"),
        libc::SIGBUS => Some("SIGBUS"),
        libc::SIGILL => Some("SIGILL"),
        libc::SIGFPE => Some("SIGFPE"),
        libc::SIGTRAP => Some("SIGTRAP"),
        _ => None,
    }
}

/// What became of a change by one process, for another that went on waiting.
fn stands(model: &Model, used: &EpollUse) -> Option<Draft> {
    let epoll = model.epoll(used.epoll)?;
    let EpollUse { by, watch, act, .. } = *used;
    if model.has_executed_since(by.process, epoll.opened.time) {
        return None;
    }
    let now = epoll.watch(watch.fd, watch.target);
    let still = match act {
        Act::Added => {
            now.is_some_and(|now| now.added == by) && model.holds_file(by.process, watch.fd, watch.target)
        }
        Act::Changed => now.is_some_and(|now| now.changed == by),
        Act::Removed => now.is_none(),
        Act::Told => false,
    };
    let waiter = epoll.users.iter().find(|user| {
        let its_own = model.remembers(user.process, &watch.given);
        let holds = model.holds_file(user.process, watch.fd, watch.target);
        // Of what was added, another's; of what was changed or removed, its own.
        let concerned = if act == Act::Added { !its_own && !holds } else { its_own && holds };
        !model.share_a_table(user.process, by.process)
            && user.waited.is_some_and(|waited| waited.time > by.time)
            && concerned
            && model.holds_file(user.process, user.fd, used.epoll)
            && !model.has_executed_since(user.process, epoll.opened.time)
    });
    let waiter = waiter.filter(|_| still)?;
    let waited = waiter.waited?;
    let (pid, by_pid) = (model.pid(waiter.process), model.pid(by.process));
    let (fd, what) = (watch.fd, described(model, &watch, [by.process, waiter.process]));
    let (did, title, comes) = match act {
        Act::Removed => (
            format!("{by_pid} removed fd {fd}, {what}, from it"),
            format!("{by_pid} removed fd {fd} from the epoll instance on which {pid} waits for it"),
            "That is removed for both: its events will not come any more.",
        ),
        Act::Changed => (
            format!(
                "{by_pid} changed what is registered for fd {fd}, {what}: its data is now {}",
                data(now?)
            ),
            format!(
                "{by_pid} changed what {pid} registered for fd {fd} on the epoll instance that both hold"
            ),
            "That is changed for both.",
        ),
        Act::Added | Act::Told => (
            format!("{by_pid} registered fd {fd}, {what}, on it, with data {}", data(&watch)),
            format!("{by_pid} registered fd {fd} on the epoll instance on which {pid} waits"),
            "Its events may be given to either, and mean nothing to the other.",
        ),
    };
    let is_known = epoll.opened.nr != 0 && epoll.complete;
    let severity = if act == Act::Added { Severity::Warning } else { Severity::Error };
    let mut steps = beginning(model, epoll, [by.process, waiter.process], used.fd);
    if act != Act::Added {
        steps.push(registered(model, used, &watch));
    }
    let (time, process, tid, nr) = (by.time, by.process, by.tid, by.nr);
    steps.push(Step { time, process, tid, what: did.clone(), nr, fd: Some(used.fd), ret: None });
    steps.push(Step {
        time: waited.time,
        process: waiter.process,
        tid: waited.tid,
        what: format!("{pid} still waits on it, and holds it as fd {}", waiter.fd),
        nr: waited.nr,
        fd: Some(waiter.fd),
        ret: None,
    });
    Some(Draft {
        rule: RuleId::SharedEpoll,
        severity,
        // Of an event that may go to the wrong process none was seen.
        confidence: confidence(model, is_known && act != Act::Added, &[by.process, waiter.process]),
        says: if act == Act::Added { Says::Possible } else { Says::Lost },
        cause: Cause::Epoll(used.epoll),
        title,
        summary: format!(
            "{by_pid} and {pid} hold one epoll instance since a fork. {did}, while {pid} waits on it. {comes}"
        ),
        process: waiter.process,
        others: vec![by.process],
        fd: Some(waiter.fd),
        socket: None,
        nr: Some(by.nr),
        errno: None,
        time: waited.time,
        steps,
    })
}

/// How both came to hold the instance: made, and inherited.
fn beginning(model: &Model, epoll: &Epoll, processes: [ProcId; 2], fd: i32) -> Vec<Step> {
    let opened = epoll.opened;
    let made = made_step(opened, "an epoll instance", fd);
    let mut steps = vec![Step { what: format!("{} {}", model.pid(opened.process), made.what), ..made }];
    let forked = processes.into_iter().filter(|id| *id != opened.process);
    steps.extend(forked.filter_map(|id| fork_step(model, id, fd)).filter(|step| step.time >= opened.time));
    steps.sort_by_key(|step| step.time);
    steps
}

/// The making of a registration, or the change that gave it its data.
fn registered(model: &Model, used: &EpollUse, watch: &Watch) -> Step {
    let given = watch.given;
    let pid = model.pid(given.process);
    let what = described(model, watch, [given.process, used.by.process]);
    Step {
        time: given.time,
        process: given.process,
        tid: given.tid,
        what: format!("{pid} registered fd {}, {what}, on it, with data {}", watch.fd, data(watch)),
        nr: given.nr,
        fd: Some(used.fd),
        ret: None,
    }
}

/// What is watched, as far as one of the processes still holds it.
fn described(model: &Model, watch: &Watch, processes: [ProcId; 2]) -> String {
    let held = processes.into_iter().find_map(|id| {
        let holding = model.table(id)?.holding(watch.fd)?;
        (holding.file.id == watch.target).then_some(&holding.file)
    });
    let Some(file) = held else { return "closed since".into() };
    file.socket.and_then(|id| model.socket(id)).map_or_else(|| file.describe(), connection)
}

/// The data as a number where it may be one, else as the pointer that it looks like.
fn data(watch: &Watch) -> String {
    if is_number(watch) { (watch.data as u32).to_string() } else { format!("{:#x}", watch.data) }
}

/// Whether the data may be a number, of which others may have the same by chance: a small one, or the descriptor's in
/// the lower half, whatever lies in the upper (`epoll_data_t` is a union, and `fd` half of it: epoll_ctl(2)).
fn is_number(watch: &Watch) -> bool {
    watch.data <= MOST_NUMBER || watch.data as u32 == watch.fd as u32
}
