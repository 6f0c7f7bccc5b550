//! An event that went to a process which never registered it, and that process' end.

use super::super::{Cause, Claim, Draft, Says, Step, confidence};
use super::words::{beginning, data, is_number, registered};
use crate::model::{EpollUse, Model, Origin};
use crate::report::{Confidence, RuleId, Severity};

/// How long after an event that was not its own a process' end by a signal is told with it, in nanoseconds.
const SOON: u64 = 5_000_000_000;

/// An event went to a process that never registered it.
pub(super) fn told(model: &Model, used: &EpollUse) -> Option<Draft> {
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
    let told = format!("{pid} was told of it: the event's data is {data}, which {pid} never registered");
    steps.push(Step::did(by, told).on(used.fd));
    Some(Draft {
        claim: Claim {
            rule: RuleId::SharedEpoll,
            severity: Severity::Error,
            confidence: how,
            says: Says::Astray,
            cause: Cause::Epoll(used.epoll),
        },
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
pub(super) fn ended(model: &Model, draft: Draft) -> Option<Draft> {
    let (time, status) = model.process(draft.process)?.ended?;
    let signal = fault(status?)?;
    if time.saturating_sub(draft.time) > SOON {
        return None;
    }
    let pid = model.pid(draft.process);
    let mut steps = draft.steps;
    let what = format!("{pid} died of {signal}");
    steps.push(Step::of(Origin { time, process: draft.process, tid: pid, nr: 0 }, what));
    Some(Draft {
        claim: Claim { says: Says::Broken, ..draft.claim },
        title: format!("{}, and died of {signal}", draft.title),
        summary: format!("{} {pid} died of {signal} right after it.", draft.summary),
        time,
        steps,
        ..draft
    })
}

/// The signal with which the kernel, or abort(3), ends a process whose memory is not as it should
/// be (wait(2), signal(7)).
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
