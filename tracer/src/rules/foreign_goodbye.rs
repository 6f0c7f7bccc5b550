//! See [`TEXT`].

use super::history::{beginning, call, connection, part};
use super::{Cause, Draft, Rule, Says, Step, confidence, stream};
use crate::errno;
use crate::model::{Change, Failure, Farewell, Goodbye, Model, Origin, ProcId, SockId, Socket, Topic};
use crate::protocol::{Sign, User};
use crate::report::{Confidence, RuleId, Severity};

/// What the rule means.
pub(super) const TEXT: &str = "\
A process ended a connection that another one still uses, and the other's next call failed.

After a fork parent and child hold one socket. Closing a copy of it disturbs nobody, but a goodbye does: `shutdown(2)`
works on the socket and not on the copy, and a message like PostgreSQL's Terminate, MySQL's COM_QUIT, AMQP's
Connection.Close, MQTT's DISCONNECT or TLS' close_notify tells the server to end the session, whoever sent it. Libraries
say goodbye when a connection object is closed, and some when it is merely freed: at the exit of a child that never used
it. The parent then gets EPIPE, a reset, or an end where it expected an answer: \"server closed the connection
unexpectedly\". With HTTP/2 a part of the session can be ended: a
child that cleans up after a fork cancels, with RST_STREAM, the calls that its parent has under way, which then hang.
With AMQP a child that closes its parent's channel makes the parent's next use of it an error, which ends the session.
With TLS up to 1.2 an alert can be told from other records, though not what it says once all is encrypted: it mostly is
close_notify. With TLS 1.3 it cannot be told: such a goodbye shows as `shared-stream`. With --tls-plaintext both are told,
and what was said inside.

A goodbye to the whole session alone is not reported: who hands a connection over lets the new owner end it. Nor is one
that is met by a goodbye only: who just wanted to end the session has lost nothing.

How to fix it: let the child drop its copy without a goodbye, or inherit none. With SQLAlchemy call
engine.dispose(close=False) in the child; end a forked child with os._exit(), which runs no destructors; or open
connections after the fork.";

/// `SHUT_WR` of shutdown(2).
const SHUT_WR: i32 = 1;

/// The rule `foreign-goodbye`.
pub(super) struct ForeignGoodbye;

/// What one process met after another's goodbye.
struct Met {
    process: ProcId,
    tid: u32,
    fd: i32,
    nr: u16,
    end: End,
}

/// How it met it.
#[derive(Clone, Copy)]
enum End {
    /// A call failed.
    Errno(i32),
    /// The end of the stream.
    Stream,
    /// The peer's own goodbye.
    Message(&'static str),
}

impl Met {
    /// What the call returned, where that says so.
    fn ret(&self) -> Option<i64> {
        match self.end {
            End::Errno(errno) => Some(-i64::from(errno)),
            End::Stream => Some(0),
            End::Message(_) => None,
        }
    }
}

impl End {
    fn errno(self) -> Option<i32> {
        match self {
            Self::Errno(errno) => Some(errno),
            Self::Stream | Self::Message(_) => None,
        }
    }
}

impl Rule for ForeignGoodbye {
    fn topics(&self) -> &[Topic] {
        &[Topic::Failed, Topic::StreamEnded, Topic::Said]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Vec<Draft>) {
        match *change {
            Change::Failed(Failure {
                process,
                tid,
                fd,
                nr,
                errno: errno @ (libc::EPIPE | libc::ECONNRESET),
                goodbye: false,
                ..
            }) => {
                let open = model.slot(process, tid, fd).and_then(|slot| slot.open.as_ref());
                if let Some(id) = open.and_then(|holding| holding.file.socket) {
                    out.extend(found(model, id, &Met { process, tid, fd, nr, end: End::Errno(errno) }));
                }
            }
            Change::StreamEnded { socket, process, tid, fd, nr } => {
                out.extend(found(model, socket, &Met { process, tid, fd, nr, end: End::Stream }));
            }
            Change::Said { socket, by: at, fd, sign: Sign::Cancelled { stream, opener, .. } } => {
                out.extend(cancelled(model, socket, (at, fd), stream, process_of(opener)));
            }
            Change::Said { socket, by: at, fd, sign: Sign::PeerGoodbye { message, .. } } => {
                let Origin { process, tid, nr, .. } = at;
                out.extend(found(model, socket, &Met { process, tid, fd, nr, end: End::Message(message) }));
            }
            Change::Said { socket, by: at, fd, sign: Sign::UsedAfterEnd { stream, by, .. } } => {
                out.extend(used_after_end(model, socket, (at, fd), stream, process_of(by)));
            }
            _ => {}
        }
    }
}

fn process_of(User(number): User) -> ProcId {
    ProcId::from_number(number)
}

/// A channel was closed by one process, and is used by the other, which had opened it.
fn used_after_end(
    model: &Model,
    id: SockId,
    (used, fd): (Origin, i32),
    stream: u32,
    by: ProcId,
) -> Option<Draft> {
    let socket = model.socket(id)?;
    let (opener, nr) = (used.process, used.nr);
    if [opener, by].iter().any(|&one| socket.usage(one).is_some_and(|usage| usage.passed)) {
        return None;
    }
    let (by_pid, pid) = (model.pid(by), model.pid(opener));
    let what = format!("{by_pid} closed {} {stream}, which {pid} had opened", part(socket));
    let mut steps = beginning(model, socket, fd);
    let closing = socket.turns.iter().rev().find(|turn| turn.process == by);
    steps.extend(closing.map(|turn| Step::turn(turn, what.clone())));
    steps.push(Step::did(used, format!("{pid} still uses it: {} sent on it", call(nr))).on(fd));
    Some(Draft {
        rule: RuleId::ForeignGoodbye,
        severity: Severity::Error,
        confidence: confidence(model, true, &[by, opener]),
        says: Says::Lost,
        cause: Cause::Sharing(id),
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
fn cancelled(
    model: &Model,
    socket: SockId,
    (reset, fd): (Origin, i32),
    id: u32,
    opener: ProcId,
) -> Option<Draft> {
    let socket = model.socket(socket)?;
    let by = reset.process;
    let passed = socket.usage(by).is_some_and(|usage| usage.passed);
    // One that opened it and is gone has handed the session over.
    let lives = model.process(opener).is_some_and(|process| process.ended.is_none());
    if passed || !lives {
        return None;
    }
    let (by_pid, pid) = (model.pid(by), model.pid(opener));
    let [user, other] = [by, opener].map(|process| User(process.number()));
    let (frame, asked) = (stream::reset(socket, id, user), stream::path_clause(socket, id, other));
    let what = format!("{by_pid} sent {frame} on HTTP/2 stream {id}, which {pid} had opened{asked}");
    let mut steps = beginning(model, socket, fd);
    steps.push(Step::did(reset, what.clone()).on(fd));
    Some(Draft {
        rule: RuleId::ForeignGoodbye,
        severity: Severity::Error,
        confidence: confidence(model, true, &[by, opener]),
        says: Says::Failed,
        cause: Cause::Sharing(socket.id),
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

fn found(model: &Model, id: SockId, met: &Met) -> Option<Draft> {
    let socket = model.socket(id)?;
    let goodbye = socket.goodbye().filter(|goodbye| goodbye.by.process != met.process)?;
    let by = goodbye.by.process;
    let passed = |process| socket.usage(process).is_some_and(|usage| usage.passed);
    if socket.crossed.is_none() || passed(by) || passed(met.process) {
        return None;
    }
    // A process that never sends waits for exactly this end: the two work together.
    let usage = socket.usage(met.process)?;
    if usage.sent.0 == 0 {
        return None;
    }
    let half = goodbye.how == Farewell::Shutdown(SHUT_WR);
    // On the server's side reading the end is no failure: the parent may only look whether its child is done.
    if met.end.errno().is_none() && (half || socket.accepted) {
        return None;
    }
    let exact = met.end.errno() == Some(libc::EPIPE) || matches!(goodbye.how, Farewell::Message(_));
    // A socket that was open at the attach: what was said on it before is unknown.
    let seen = exact && socket.opened.nr != 0;
    Some(draft(model, socket, &goodbye, met, confidence(model, seen, &[by, met.process])))
}

fn draft(model: &Model, socket: &Socket, goodbye: &Goodbye, met: &Met, confidence: Confidence) -> Draft {
    let (by, pid) = (model.pid(goodbye.by.process), model.pid(met.process));
    let (said, what) = words(goodbye);
    let end = match met.end {
        End::Errno(errno) => {
            format!("{} failed with {}", call(met.nr), errno::name(errno).unwrap_or("an error"))
        }
        End::Stream => format!("{} found the stream at its end", call(met.nr)),
        End::Message(message) => format!("{} read the peer's {}", call(met.nr), bare(message)),
    };
    let time = model.now();
    let mut steps = beginning(model, socket, met.fd);
    let said_so = format!("{by} {said} on the connection, for all who hold it");
    steps.push(Step::did(goodbye.by, said_so).on(goodbye.fd));
    let Met { process, tid, fd, nr, .. } = *met;
    let uses = Step::did(Origin { time, process, tid, nr }, format!("{pid} still uses it: {end}")).on(fd);
    steps.push(Step { ret: met.ret(), ..uses });
    Draft {
        rule: RuleId::ForeignGoodbye,
        severity: Severity::Error,
        confidence,
        says: Says::Lost,
        cause: Cause::Sharing(socket.id),
        title: format!("{by} ended {} under {pid}: {end}", connection(socket)),
        summary: format!(
            "{by} and {pid} hold one socket since a fork. {by} {said} ({what}), which ends the connection for both, \
             while {pid} goes on using it."
        ),
        process: met.process,
        others: vec![goodbye.by.process],
        fd: Some(met.fd),
        socket: Some(socket.id),
        nr: Some(met.nr),
        errno: met.end.errno(),
        time,
        steps,
    }
}

/// A message's name after "the peer's".
fn bare(message: &str) -> &str {
    message.strip_prefix("an ").or_else(|| message.strip_prefix("a ")).unwrap_or(message)
}

/// The goodbye as a clause, and how it comes.
fn words(goodbye: &Goodbye) -> (String, &'static str) {
    match goodbye.how {
        Farewell::Shutdown(_) => {
            ("shut the socket down".to_owned(), "a close of its own copy would have ended nothing")
        }
        Farewell::Message(message) => {
            (format!("sent {message}"), "a library says so when a connection object is closed or freed")
        }
    }
}
