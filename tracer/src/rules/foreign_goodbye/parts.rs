//! A part of a session that another process has ended: a stream of HTTP/2, a channel of AMQP.

use crate::model::{Model, Origin, ProcId, SockId};
use crate::protocol::User;
use crate::report::{RuleId, Severity};
use crate::rules::history::{beginning, call, connection, part};
use crate::rules::turns::on_purpose;
use crate::rules::{Cause, Claim, Draft, Says, Step, confidence, stream};

/// A channel was closed by one process, and is used by the other, which had opened it.
pub(super) fn used_after_end(
    model: &Model,
    id: SockId,
    (used, fd): (Origin, i32),
    stream: u32,
    by: ProcId,
) -> Option<Draft> {
    let socket = model.socket(id)?;
    let (opener, nr) = (used.process, used.nr);
    if [opener, by].into_iter().any(|one| on_purpose(socket, one)) {
        return None;
    }
    let (by_pid, pid) = (model.pid(by), model.pid(opener));
    let what = format!("{by_pid} closed {} {stream}, which {pid} had opened", part(socket));
    let mut steps = beginning(model, socket, fd);
    let closing = socket.turns.iter().rev().find(|turn| turn.process == by);
    steps.extend(closing.map(|turn| Step::turn(turn, what.clone())));
    steps.push(Step::did(used, format!("{pid} still uses it: {} sent on it", call(nr))).on(fd));
    Some(Draft {
        claim: Claim {
            rule: RuleId::ForeignGoodbye,
            severity: Severity::Error,
            confidence: confidence(model, true, &[by, opener]),
            says: Says::Lost,
            cause: Cause::Sharing(id),
        },
        title: format!("{what}, on {}", connection(socket)),
        summary: format!(
            "{by_pid} and {pid} hold one socket since a fork. {what}; {pid} sends on it still, which the server takes for \
             an error: it ends the session."
        ),
        process: opener,
        others: vec![by],
        fd: Some(fd),
        socket: Some(id),
        nr: Some(nr),
        errno: None,
        time: used.time,
        steps,
    })
}

/// A part of the session was ended: the request of one process, by another.
pub(super) fn cancelled(
    model: &Model,
    socket: SockId,
    (reset, fd): (Origin, i32),
    id: u32,
    opener: ProcId,
) -> Option<Draft> {
    let socket = model.socket(socket)?;
    let by = reset.process;
    // One that opened it and has ended, or closed its copy, has handed the session over.
    let copy = socket.usage(opener)?.fd;
    if on_purpose(socket, by) || !model.holds_socket(opener, socket.id, copy) {
        return None;
    }
    let (by_pid, pid) = (model.pid(by), model.pid(opener));
    let [user, other] = [by, opener].map(User::from);
    let (frame, asked) = (stream::reset(socket, id, user), stream::path_clause(socket, id, other));
    let what = format!("{by_pid} sent {frame} on HTTP/2 stream {id}, which {pid} had opened{asked}");
    let mut steps = beginning(model, socket, fd);
    steps.push(Step::did(reset, what.clone()).on(fd));
    Some(Draft {
        claim: Claim {
            rule: RuleId::ForeignGoodbye,
            severity: Severity::Error,
            confidence: confidence(model, true, &[by, opener]),
            says: Says::Failed,
            cause: Cause::Sharing(socket.id),
        },
        title: format!("{what}, on {}", connection(socket)),
        summary: format!(
            "{by_pid} and {pid} hold one socket since a fork. {by_pid} cancelled a request that {pid} had sent: the \
             server drops it, and {pid} waits for an answer that will not come."
        ),
        process: by,
        others: vec![opener],
        fd: Some(fd),
        socket: Some(socket.id),
        nr: Some(reset.nr),
        errno: None,
        time: reset.time,
        steps,
    })
}
