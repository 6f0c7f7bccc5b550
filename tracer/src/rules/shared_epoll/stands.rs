//! A change by one process that stands while another one waits.

use super::super::{Cause, Claim, Draft, Says, Step, confidence};
use super::words::{beginning, data, described, registered};
use crate::model::{Act, Epoll, EpollUse, EpollUser, Model};
use crate::report::{RuleId, Severity};

/// What became of a change by one process, for another that went on waiting.
pub(super) fn stands(model: &Model, used: &EpollUse) -> Option<Draft> {
    let epoll = model.epoll(used.epoll)?;
    if model.has_executed_since(used.by.process, epoll.opened.time) || !is_so_still(model, epoll, used) {
        return None;
    }
    let waiter = epoll.users.iter().find(|user| is_concerned(model, epoll, used, user))?;
    draft(model, epoll, used, waiter)
}

/// Whether nobody has undone the change.
fn is_so_still(model: &Model, epoll: &Epoll, used: &EpollUse) -> bool {
    let EpollUse { by, watch, act, .. } = *used;
    let now = epoll.watch(watch.fd, watch.target);
    match act {
        Act::Added => {
            now.is_some_and(|now| now.added == by) && model.holds_file(by.process, watch.fd, watch.target)
        }
        Act::Changed => now.is_some_and(|now| now.changed == by),
        Act::Removed => now.is_none(),
        Act::Told => false,
    }
}

/// Whether a user has waited since on what is not as it thinks: of what was added, on another's; of what was
/// changed or removed, on its own.
fn is_concerned(model: &Model, epoll: &Epoll, used: &EpollUse, user: &EpollUser) -> bool {
    let EpollUse { by, watch, act, .. } = *used;
    let its_own = model.remembers(user.process, &watch.given);
    let holds = model.holds_file(user.process, watch.fd, watch.target);
    !model.share_a_table(user.process, by.process)
        && user.waited.is_some_and(|waited| waited.time > by.time)
        && if act == Act::Added { !its_own && !holds } else { its_own && holds }
        && model.holds_file(user.process, user.fd, used.epoll)
        && !model.has_executed_since(user.process, epoll.opened.time)
}

/// The change in words.
struct Words {
    /// What was done.
    did: String,
    title: String,
    /// What comes of it.
    comes: &'static str,
}

fn words(model: &Model, epoll: &Epoll, used: &EpollUse, waiter: &EpollUser) -> Option<Words> {
    let EpollUse { by, watch, act, .. } = *used;
    let (pid, by_pid) = (model.pid(waiter.process), model.pid(by.process));
    let (fd, what) = (watch.fd, described(model, &watch, [by.process, waiter.process]));
    Some(match act {
        Act::Removed => Words {
            did: format!("{by_pid} removed fd {fd}, {what}, from it"),
            title: format!("{by_pid} removed fd {fd} from the epoll instance on which {pid} waits for it"),
            comes: "That is removed for both: its events will not come any more.",
        },
        Act::Changed => {
            let now = data(epoll.watch(fd, watch.target)?);
            Words {
                did: format!(
                    "{by_pid} changed what is registered for fd {fd}, {what}: its data is now {now}"
                ),
                title: format!(
                    "{by_pid} changed what {pid} registered for fd {fd} on the epoll instance that both hold"
                ),
                comes: "That is changed for both.",
            }
        }
        Act::Added | Act::Told => Words {
            did: format!("{by_pid} registered fd {fd}, {what}, on it, with data {}", data(&watch)),
            title: format!("{by_pid} registered fd {fd} on the epoll instance on which {pid} waits"),
            comes: "Its events may be given to either, and mean nothing to the other.",
        },
    })
}

fn draft(model: &Model, epoll: &Epoll, used: &EpollUse, waiter: &EpollUser) -> Option<Draft> {
    let EpollUse { by, watch, act, .. } = *used;
    let both = [by.process, waiter.process];
    let [by_pid, pid] = both.map(|id| model.pid(id));
    let Words { did, title, comes } = words(model, epoll, used, waiter)?;
    let waited = waiter.waited?;
    let mut steps = beginning(model, epoll, both, used.fd);
    if act != Act::Added {
        steps.push(registered(model, used, &watch));
    }
    steps.push(Step::did(by, did.clone()).on(used.fd));
    let still = format!("{pid} still waits on it, and holds it as fd {}", waiter.fd);
    steps.push(Step::did(waited, still).on(waiter.fd));
    let is_known = epoll.opened.nr != 0 && epoll.complete;
    // Of an event that may go to the wrong process none was seen.
    let (severity, says, seen) = match act {
        Act::Added => (Severity::Warning, Says::Possible, false),
        _ => (Severity::Error, Says::Lost, is_known),
    };
    Some(Draft {
        claim: Claim {
            rule: RuleId::SharedEpoll,
            severity,
            confidence: confidence(model, seen, &both),
            says,
            cause: Cause::Epoll(used.epoll),
        },
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
