//! See [`TEXT`].

use super::history::{connection, fork_step, opened_step, part};
use super::turns::{both_ways, both_went_on, on_purpose, parted, turn_step};
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence, stream};
use crate::model::{Change, Model, Origin, ProcId, SockId, Socket, Topic, Turn};
use crate::protocol::{Protocol, Sign};
use crate::report::{Confidence, RuleId, Severity};

/// What the rule means.
pub(super) const TEXT: &str = "\
Two processes use one connected stream after a fork, and at least one of them reads.

The kernel has one stream, but each process has its own idea of it: the next HTTP/2 stream id, the TLS record
counter, the request that is awaited. They drift apart at the first byte. What follows is a stream id used twice,
frames inside frames, a bad record MAC, answers to the wrong process, or a hang; which of them is luck.

A connection that is handed over is healthy, and not reported: the earlier user never touches it again. Neither is
one that one process only writes and the other only reads since the fork, where forkscope knows of no state in it. Turns alone are a warning on HTTP/1.1, where they go well
until two requests are under way at once, and on a protocol that forkscope does not know, if they are many. Two requests
under way at once are an error: who reads which answer is luck.

How to fix it: each process opens its own connection, after the fork: dispose of pools in the child, or connect
lazily. For gRPC, see also `enotsock`.";

/// The rule `shared-stream`.
pub(super) struct SharedStream;

impl Rule for SharedStream {
    fn topics(&self) -> &[Topic] {
        &[Topic::Used, Topic::Said]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        match *change {
            // Two were before this one: most connections have one user, and one turn.
            Change::Used { socket, by, turns: 3.., .. } => {
                let found = turns(model, socket, by.process, out);
                out.extend(found);
            }
            Change::Said { socket, by, fd, sign } => {
                let found = said(model, socket, (by, fd), sign, out);
                out.extend(found);
            }
            _ => {}
        }
    }
}

/// Two processes took turns: the last one used the connection before, and another did in between.
fn turns(model: &Model, id: SockId, process: ProcId, out: &mut Drafts<'_>) -> Option<Draft> {
    let socket = model.socket(id)?;
    let [earlier @ .., last] = &socket.turns[..] else { return None };
    // What comes of a goodbye, `foreign-goodbye` says.
    let earlier = || earlier.iter().filter(|turn| !turn.is_goodbye());
    if last.process != process || last.is_goodbye() || earlier().count() < 2 {
        return None;
    }
    let previous = earlier().next_back()?;
    let other = previous.process;
    if other == process {
        return None;
    }
    // In one memory there is one copy of the session's state.
    let in_place = |turn: &Turn| model.process(turn.process).is_some_and(|it| it.borrowed_memory(turn.from));
    if in_place(last) || in_place(previous) {
        return None;
    }
    // A Redis server keeps nothing of a stream between two commands: RESP has no numbers. Its child sends a
    // copy of the data on a replica's connection, and gives it back.
    let has_state = !(socket.accepted && socket.protocol() == Protocol::Redis);
    let known = has_state && socket.protocol().keeps_state_in_user_memory();
    let came_back = earlier().any(|turn| turn.process == process);
    let shared = came_back || (known && both_went_on(model, socket, process, other));
    if !shared || on_purpose(socket, process) || on_purpose(socket, other) {
        return None;
    }
    // Who reads or writes a session whose state is in user memory goes on from both; else what each
    // does since the fork counts.
    let since = if known { 0 } else { parted(model, socket, process, other) };
    if !both_ways(socket, process, other, since) {
        return None;
    }
    let is_stdio = |turn: &Turn| (0..=2).contains(&turn.fd);
    let as_stdio = is_stdio(last) || is_stdio(previous);
    // On an unknown protocol a connection may go round by design: only a lively exchange is told.
    // Those that only a fork parts are one.
    let changes = earlier().zip(earlier().skip(1)).filter(|(one, next)| one.process != next.process).count();
    let lively = changes >= 4 && model.lives(other);
    // Of requests and replies without a number, as in HTTP/1.1, turns go well until
    // two are under way at once.
    let by_luck = came_back && !socket.accepted && socket.protocol() != Protocol::Unknown;
    let at_once = by_luck
        && socket.at_once().is_some_and(|pair| [process, other].iter().all(|process| pair.contains(process)));
    let severity = match (known || at_once, as_stdio) {
        (true, false) => Severity::Error,
        (true, true) => Severity::Warning,
        (false, false) if lively || by_luck => Severity::Warning,
        _ => return None,
    };
    let confidence = if known || by_luck {
        confidence(model, !earlier().any(|turn| turn.assumed), &[process, other])
    } else {
        Confidence::Inconclusive
    };
    let claim = Claim {
        rule: RuleId::SharedStream,
        severity,
        confidence,
        says: Says::Possible,
        cause: Cause::Sharing(id),
    };
    out.claim(claim, model.now()).then(|| {
        let how = if at_once { "have requests under way at once on" } else { "both use" };
        let what = format!("{} and {} {how} {}", model.pid(process), model.pid(other), connection(socket));
        draft(model, socket, [process, other], claim, what)
    })
}

/// The bytes themselves show that two processes write one session.
fn said(
    model: &Model,
    id: SockId,
    (moved, fd): (Origin, i32),
    sign: Sign,
    out: &mut Drafts<'_>,
) -> Option<Draft> {
    let socket = model.socket(id)?;
    let [by, before] = match sign {
        Sign::StreamReused { first, again, .. } => [again, first].map(ProcId::from),
        Sign::Torn { by, cut, .. } => [by, cut].map(ProcId::from),
        Sign::Preface { by, again: true } => {
            let before = socket.turns.iter().rev().find(|turn| turn.process != by.into())?;
            [by.into(), before.process]
        }
        _ => return None,
    };
    if by == before || on_purpose(socket, by) {
        return None;
    }
    let claim = Claim {
        rule: RuleId::SharedStream,
        severity: Severity::Error,
        confidence: confidence(model, true, &[by, before]),
        says: Says::Broken,
        cause: Cause::Sharing(id),
    };
    if !out.claim(claim, model.now()) {
        return None;
    }
    let [pid, other] = [by, before].map(|id| model.pid(id));
    let what = match sign {
        Sign::StreamReused { stream, .. } => {
            format!("{other} and {pid} both opened {} {stream}", part(socket))
        }
        Sign::Torn { missing, .. } => {
            format!("{pid} wrote into a message of {other}, {missing} bytes before its end")
        }
        _ => format!("{pid} began a second HTTP/2 session on it"),
    };
    let mut draft = draft(model, socket, [by, before], claim, format!("{what} on {}", connection(socket)));
    if let Sign::StreamReused { stream, first, again } = sign
        && socket.http2().is_some()
    {
        let detail = stream::reused(model, socket, stream, first, again);
        draft.steps.push(Step::did(moved, detail).on(fd));
    }
    Some(draft)
}

fn draft(model: &Model, socket: &Socket, [process, other]: [ProcId; 2], claim: Claim, what: String) -> Draft {
    let fd = socket.turns.last().map(|turn| turn.fd);
    let mut steps: Vec<Step> = opened_step(socket, fd.unwrap_or(-1)).into_iter().collect();
    let heirs = [process, other].into_iter().filter(|&id| id != socket.opened.process);
    let forks = heirs.filter_map(|id| fork_step(model, id, fd.unwrap_or(-1)));
    steps.extend(forks.filter(|step| step.time >= socket.opened.time));
    steps.extend(socket.turns.iter().filter(|turn| !turn.assumed).map(|turn| turn_step(model, turn)));
    steps.sort_by_key(|step| step.time);
    let (one, two) = (model.pid(process), model.pid(other));
    let session = match socket.protocol() {
        Protocol::Unknown => "session".to_owned(),
        protocol => format!("{} session", protocol.name()),
    };
    Draft {
        claim,
        title: what,
        summary: format!(
            "{one} and {two} hold one socket since a fork, and use it in turn: there is one {session} in the kernel's \
             stream, but each process goes on with its own copy of the session's state."
        ),
        process,
        others: vec![other],
        fd,
        socket: Some(socket.id),
        nr: socket.turns.last().map(|turn| turn.nr),
        errno: None,
        time: model.now(),
        steps,
    }
}
