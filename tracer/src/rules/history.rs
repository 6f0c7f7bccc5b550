//! The history of a descriptor as evidence: opened, inherited, closed, replaced, failed.

use super::{Cause, Claim, Says, Step, confidence};
use crate::model::{Failure, Model, Origin, Past, ProcId, SockId, Socket};
use crate::protocol::Protocol;
use crate::report::{RuleId, Severity};
use forkscope_proto::{FileKind, calls};

/// The newest earlier generation of a number that another process had opened: it came through a fork. A
/// generation that another process ended (they share one table) counts as well. Of the number as the
/// thread of a call has it.
///
/// What was put under the number before a program was executed was given to that program, which knows
/// nothing of what was there before. Else it may have been told the number, and miss what a close before its
/// start, or its exec, has taken.
pub(super) fn inherited_past(
    model: &Model,
    Origin { process, tid, .. }: Origin,
    fd: i32,
    wanted: impl Fn(FileKind) -> bool,
) -> Option<&Past> {
    let born = model.process(process)?.forked_at.unwrap_or(0);
    let slot = model.slot(process, tid, fd)?;
    let put = slot.open.as_ref().map(|now| now.origin().time);
    slot.past().iter().find(|past| {
        let came_through_fork = past.origin.process != process && past.end.by.time >= born;
        let was_given = put.is_some_and(|put| model.has_forgotten(process, put.max(past.end.by.time)));
        wanted(past.file.kind)
            && !was_given
            && (came_through_fork || past.end.by.process != past.origin.process)
    })
}

/// What a rule claims of a number whose earlier generation a process still means.
pub(super) fn claim(
    model: &Model,
    rule: RuleId,
    says: Says,
    (process, fd): (ProcId, i32),
    past: &Past,
) -> Claim {
    Claim {
        rule,
        severity: Severity::Error,
        confidence: confidence(model, past.end.by.nr != 0, &[process, past.file.opened.process]),
        says,
        cause: Cause::Number { process, fd },
    }
}

/// The opening of an open file, or that it was there before forkscope looked.
pub(super) fn made_step(opened: Origin, what: &str, fd: i32) -> Step {
    let came = match opened.nr {
        0 => "already held",
        calls::ACCEPT | calls::ACCEPT4 => "accepted",
        _ => "opened",
    };
    Step::of(opened, format!("{came} {what}")).on(fd)
}

/// As [`made_step`], with the process that opened it: for what several processes do things to.
pub(super) fn named_made_step(model: &Model, opened: Origin, what: &str, fd: i32) -> Step {
    let made = made_step(opened, what, fd);
    Step { what: format!("{} {}", model.pid(opened.process), made.what), ..made }
}

/// The steps from the opening of an inherited descriptor to what holds its number now,
/// for the thread of a call.
pub(super) fn steps(model: &Model, by: Origin, fd: i32, past: &Past) -> Vec<Step> {
    let Origin { process, tid, .. } = by;
    let opened = past.file.opened;
    let what =
        past.file.socket.and_then(|id| model.socket(id)).map_or_else(|| past.file.describe(), connection);
    let mut steps = vec![made_step(opened, &what, fd)];
    steps.extend(fork_step(model, process, fd));
    let end = &past.end;
    let whose = if end.by.process == process { "in the child" } else { "for both: they share one table" };
    let executed = executed_since(model, process, end.by);
    let gone = match (end.by.nr, executed) {
        (0, Some((time, program))) if time == end.by.time => {
            format!("executed {program}: fd {fd} was marked close-on-exec")
        }
        (0, _) => format!("fd {fd} was gone, closed unseen"),
        (calls::CLOSE | calls::CLOSE_RANGE, _) => format!("closed the inherited fd {fd} {whose}"),
        _ => format!("put something else under fd {fd}"),
    };
    let ret = (end.by.nr == calls::CLOSE).then_some(end.result);
    steps.push(Step { ret, ..Step::of(end.by, gone).on(fd) });
    if let Some((time, program)) = executed.filter(|&(time, _)| time > end.by.time) {
        steps.push(Step::of(Origin { time, nr: 0, ..end.by }, format!("executed {program}")));
    }
    if let Some(now) = model.slot(process, tid, fd).and_then(|slot| slot.open.as_ref()) {
        let what =
            now.file.socket.and_then(|id| model.socket(id)).map_or_else(|| now.file.describe(), connection);
        steps
            .push(Step::of(now.origin(), format!("{what} took the number {fd}")).on(fd).returning(fd.into()));
    }
    steps
}

/// The first program that a process executed in or after what it did, and when. What another did, it did for
/// a process that shares its table, and executes for itself.
fn executed_since(model: &Model, process: ProcId, by: Origin) -> Option<(u64, &str)> {
    let execs = &model.process(process).filter(|_| by.process == process)?.execs;
    execs.iter().find(|&&(time, _)| time >= by.time).map(|(time, comm)| (*time, &**comm))
}

/// The opening of a connection, where it was seen.
pub(super) fn opened_step(socket: &Socket, fd: i32) -> Option<Step> {
    (socket.opened.nr != 0).then(|| made_step(socket.opened, &connection(socket), fd))
}

/// The fork through which a process got what it did not open.
pub(super) fn fork_step(model: &Model, process: ProcId, fd: i32) -> Option<Step> {
    let child = model.process(process)?;
    let parent = child.parent?;
    let by = Origin { time: child.forked_at?, process: parent, tid: model.pid(parent), nr: 0 };
    Some(Step::of(by, format!("forked {}, which inherited fd {fd}", child.pid())))
}

/// How both came to hold it: opened, and inherited.
pub(super) fn beginning(model: &Model, socket: &Socket, fd: i32) -> Vec<Step> {
    let mut steps: Vec<Step> = opened_step(socket, fd).into_iter().collect();
    if let Some(crossing) = socket.crossed {
        steps.extend(fork_step(model, crossing.child, fd));
    }
    steps
}

/// The failing call itself.
pub(super) fn failure(failure: &Failure) -> Step {
    let Failure { by, fd, errno, .. } = *failure;
    let what = match errno {
        libc::ENOTSOCK => format!("fd {fd} is no socket any more"),
        _ => format!("nothing is behind fd {fd} any more"),
    };
    Step::did(by, what).on(fd).returning(-i64::from(errno))
}

/// Who closed a generation of a number of `process`, as a clause.
pub(super) fn closed_by(model: &Model, process: ProcId, past: &Past) -> String {
    let by = past.end.by;
    let closer = model.pid(by.process);
    let executed = executed_since(model, process, by);
    if let Some((_, program)) = executed.filter(|&(time, _)| by.nr == 0 && time == by.time) {
        format!("It was closed when {closer} executed {program}, being marked close-on-exec")
    } else if by.nr == 0 {
        "It was closed there unseen".into()
    } else if let Some((_, program)) = executed {
        format!("{closer} closed it, and executed {program}")
    } else if past.end.by.process == process {
        format!("{closer} itself closed it, as a library's fork handler does")
    } else {
        format!("{closer}, which shares the descriptor table, closed it")
    }
}

/// A connection in words: `the HTTP/2 connection 127.0.0.1:1 -> 127.0.0.1:2`.
pub(super) fn connection(socket: &Socket) -> String {
    let speaks = match (socket.protocol_inside(), socket.protocol()) {
        (Some(inside), outside) => format!("{} over {} ", inside.name(), outside.name()),
        (None, Protocol::Unknown) => String::new(),
        (None, protocol) => format!("{} ", protocol.name()),
    };
    if !socket.is_connection() {
        return format!("a {speaks}socket");
    }
    format!("the {speaks}connection {}", ends(socket))
}

/// The connection of an id in words.
pub(super) fn connection_of(model: &Model, id: Option<SockId>) -> String {
    id.and_then(|id| model.socket(id)).map_or_else(|| "an open file".into(), connection)
}

/// What a session's parts are called: the streams of HTTP/2, the channels of AMQP.
pub(super) fn part(socket: &Socket) -> &'static str {
    if socket.read_protocol() == Protocol::Amqp { "AMQP channel" } else { "HTTP/2 stream" }
}

/// Both addresses.
fn ends(socket: &Socket) -> String {
    if socket.accepted {
        format!("{} <- {}", socket.local(), socket.remote())
    } else {
        format!("{} -> {}", socket.local(), socket.remote())
    }
}

/// A call's name.
pub(super) fn call(nr: u16) -> &'static str {
    calls::name(nr).unwrap_or("a call")
}
