//! A change by one process that stands while another one waits.

use super::super::{Cause, Draft, Says, Step, confidence};
use super::words::{beginning, data, described, registered};
use crate::model::{Act, EpollUse, Model};
use crate::report::{RuleId, Severity};

/// What became of a change by one process, for another that went on waiting.
pub(super) fn stands(model: &Model, used: &EpollUse) -> Option<Draft> {
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
    steps.push(Step::did(by, did.clone()).on(used.fd));
    let still = format!("{pid} still waits on it, and holds it as fd {}", waiter.fd);
    steps.push(Step::did(waited, still).on(waiter.fd));
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
