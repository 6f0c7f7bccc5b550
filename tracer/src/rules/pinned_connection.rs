//! See [`TEXT`].

use super::history::{connection, fork_step, opened_step};
use super::later::Later;
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence};
use crate::model::{Change, Farewell, Model, Origin, ProcId, Process, SockId, Socket, Topic, Usage};
use crate::protocol::{InFlight, Protocol};
use crate::report::{RuleId, Severity};
use forkscope_proto::calls;
use forkscope_proto::net::{TCP_CLOSE, peer_has_ended};

/// What the rule means.
pub(super) const TEXT: &str = "\
A connection's user closed it, and another process that inherited it still holds it a second later, without ever having
used it.

A connection ends when the last descriptor for it is closed. A child that was forked while it was open holds one, and so
does a program that the child executed, unless the descriptor is close-on-exec. As long as they do, the peer sees no
end: it waits for more, a server keeps a slot for a client that is gone, a client waits for the rest of an answer that
ends with the connection, and a port stays busy.

Where the process that closed it had read its end before and sent nothing since, or was told of a reset, or TCP knew of
one, or it was a client whose server TCP knew to have ended, the peer is most likely gone, and what is left is a socket
that waits for the last close: that is an info.

A child that closes its copies, or ends, a moment later is not reported, nor is a connection that was shut down before
it was closed: the peer saw that. Nor is a child that may be at work on it: one that has registered it on an epoll
instance, one that was made for the client of a server (its parent accepts, reads the request perhaps, forks and closes,
and the answer may take long), and one that may wait for the answer to what its parent has asked.

How to fix it: close what a child does not need right after the fork, mark descriptors close-on-exec (Python does so
since 3.4), or call shutdown(2) before the close.";

/// How long a copy may be held before it is worth a word, in nanoseconds: a child needs a moment to
/// close what it inherited.
const GRACE: u64 = 1_000_000_000;

/// The rule `pinned-connection`: what was let go.
#[derive(Default)]
pub(super) struct PinnedConnection {
    let_go: Later<LetGo, GRACE>,
}

/// See [`Change::LetGo`].
#[derive(Clone, Copy)]
struct LetGo {
    socket: SockId,
    by: Origin,
    fd: i32,
    /// Its peer had ended, as TCP knew.
    was_ended: bool,
}

impl Rule for PinnedConnection {
    fn topics(&self) -> &[Topic] {
        &[Topic::LetGo]
    }

    fn check(&mut self, model: &Model, change: &Change, _out: &mut Drafts<'_>) {
        if let Change::LetGo { socket, by, fd } = *change
            && !self.let_go.is_full()
            && !peer_saw_the_end(model, socket)
        {
            let was_ended = model.socket(socket).is_some_and(peer_is_gone);
            self.let_go.push(LetGo { socket, by, fd, was_ended });
        }
    }

    fn tick(&mut self, model: &Model, out: &mut Drafts<'_>) {
        while let Some(oldest) = self.let_go.due(model.now(), |it| it.by.time) {
            out.extend(found(model, &oldest));
        }
    }
}

/// Of all ends only that of what is received is none for the peer.
fn peer_saw_the_end(model: &Model, id: SockId) -> bool {
    let goodbye = model.socket(id).and_then(Socket::goodbye);
    goodbye.is_some_and(|goodbye| goodbye.how != Farewell::Shutdown(libc::SHUT_RD))
}

/// Whether the state says that the peer is gone. A client that has ended its own direction only waits for the
/// rest of its answer (shutdown(2)).
fn peer_is_gone(socket: &Socket) -> bool {
    socket.state == TCP_CLOSE || !socket.accepted && peer_has_ended(socket.state)
}

fn found(model: &Model, let_go: &LetGo) -> Option<Draft> {
    let socket = model.socket(let_go.socket).filter(|socket| socket.is_open())?;
    // Who uses it has taken it over. Those few are asked first: all processes are
    // looked through for the others.
    let has_used = |usage: &Usage| usage.sent.0 > 0 || usage.received.0 > 0 || usage.in_vain || usage.passed;
    let uses = |usage: &Usage| has_used(usage) && model.holds_socket(usage.process, socket.id, usage.fd);
    if socket.users.iter().any(uses) {
        return None;
    }
    let mut holders: Vec<(ProcId, i32)> = model.holders(socket.id).collect();
    holders.sort_unstable();
    // A standard stream was given to its holder, which may write or read whenever it likes. A client that
    // waits for its server's end is another matter.
    if !socket.accepted && holders.iter().any(|&(_, fd)| fd <= 2) {
        return None;
    }
    if holders.iter().any(|&(holder, fd)| model.has_registered(holder, fd)) {
        return None;
    }
    let parent = let_go.by.process;
    if may_be_awaited(socket) && holders.iter().any(|&holder| may_know(model, holder))
        || socket.accepted && holders.iter().any(|&holder| is_to_serve(model, socket, parent, holder))
    {
        return None;
    }
    let &(holder, fd) = holders.first()?;
    Some(draft(model, socket, let_go, (holder, fd), holders.len()))
}

/// Whether the client may wait: for an answer, or for what it has subscribed to.
fn may_be_awaited(socket: &Socket) -> bool {
    let (flight, _) = socket.in_flight();
    let is_told_unasked = matches!(socket.read_protocol(), Protocol::Redis | Protocol::Amqp | Protocol::Mqtt);
    !socket.accepted && (flight.is_something() || is_told_unasked && matches!(flight, InFlight::Unknown))
}

/// Whether a holder can know of the descriptor: after an exec a program knows only of its standard streams.
fn may_know(model: &Model, (holder, fd): (ProcId, i32)) -> bool {
    fd <= 2 || model.process(holder).is_some_and(|process| process.execs.is_empty())
}

/// Whether a holder looks like the child that a server made for this client, still preparing
/// its answer: since the fork the parent has not used the connection, and it never sent
/// anything on it but a TLS handshake.
fn is_to_serve(model: &Model, socket: &Socket, parent: ProcId, holder: (ProcId, i32)) -> bool {
    let used = socket.turns.iter().rev().find(|turn| turn.process == parent).map_or(0, |turn| turn.to);
    let answered = socket.usage(parent).is_some_and(|usage| usage.sent.1 > 0);
    let is_child = |child: &Process| {
        child.parent == Some(parent) && child.forked_at.is_some_and(|forked| forked >= used)
    };
    (!answered || socket.protocol() == Protocol::Tls)
        && may_know(model, holder)
        && model.process(holder.0).is_some_and(is_child)
}

fn draft(model: &Model, socket: &Socket, let_go: &LetGo, (holder, fd): (ProcId, i32), count: usize) -> Draft {
    let LetGo { by, .. } = *let_go;
    let (user, pid) = (model.pid(by.process), model.pid(holder));
    let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    let mut steps: Vec<Step> = opened_step(socket, let_go.fd).into_iter().collect();
    steps.extend(fork_step(model, holder, fd));
    let closed = format!("{user} closed it, which ended nothing: {pid} holds it still");
    let ret = (by.nr == calls::CLOSE).then_some(0);
    steps.push(Step { ret, ..Step::did(by, closed).on(let_go.fd) });
    // It may have ended its own side only, and wait for this one's end (shutdown(2), RFC 9293
    // section 3.6): less is known.
    let is_gone = |errno| matches!(errno, libc::ECONNRESET | libc::EPIPE | libc::ETIMEDOUT);
    let was_told = socket.usage(by.process).is_some_and(|usage| {
        usage.read_end || usage.last_error().is_some_and(|(_, _, errno)| is_gone(errno))
    });
    let peer_ended = was_told || let_go.was_ended;
    let (severity, harm) = if peer_ended {
        (Severity::Info, "the peer had ended its side, and the socket stays until the last copy is closed")
    } else {
        (Severity::Warning, "the peer has not been told that it ended")
    };
    Draft {
        claim: Claim {
            rule: RuleId::PinnedConnection,
            severity,
            confidence: confidence(model, socket.opened.nr != 0, &[holder, by.process]),
            says: Says::Failed,
            cause: Cause::Pinning(socket.id),
        },
        title: format!("{pid}{others} keeps {} open, which {user} has closed", connection(socket)),
        summary: format!(
            "{user} used the connection and closed it. {pid} inherited it as fd {fd}, never used it, and holds it still: \
             {harm}."
        ),
        process: holder,
        others: vec![by.process],
        fd: Some(fd),
        socket: Some(socket.id),
        nr: None,
        errno: None,
        time: by.time,
        steps,
    }
}
