//! What a process meets whose connection another one has ended.

use crate::errno;
use crate::model::{Farewell, Goodbye, LastWord, Model, Origin, SockId, Socket};
use crate::report::{RuleId, Severity};
use crate::rules::history::{beginning, call, connection};
use crate::rules::turns::on_purpose;
use crate::rules::{Cause, Claim, Draft, Drafts, Says, Step, confidence};

/// What one process met after another's goodbye.
pub(super) struct Met {
    /// By which call, and when.
    pub(super) by: Origin,
    pub(super) fd: i32,
    pub(super) end: End,
}

/// How it met it.
#[derive(Clone, Copy)]
pub(super) enum End {
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

/// The goodbye that it met, where another process said it and this one still wanted something.
pub(super) fn judge(model: &Model, id: SockId, met: &Met, out: &mut Drafts<'_>) -> Option<Draft> {
    let socket = model.socket(id)?;
    let goodbye = socket.goodbye().filter(|it| it.by.process != met.by.process && !it.peer_had_ended)?;
    let by = goodbye.by.process;
    if socket.crossed.is_none() || on_purpose(socket, by) || on_purpose(socket, met.by.process) {
        return None;
    }
    // A process that never sends waits for exactly this end: the two work together. Who has said
    // goodbye has lost nothing.
    let usage = socket.usage(met.by.process)?;
    if usage.sent.0 == 0 || usage.last_word == LastWord::Goodbye {
        return None;
    }
    // What nobody receives any more, all can send as before.
    if goodbye.how == Farewell::Shutdown(libc::SHUT_RD) && !matches!(met.end, End::Stream) {
        return None;
    }
    let half = goodbye.how == Farewell::Shutdown(libc::SHUT_WR);
    // On the server's side reading the end is no failure: the parent may only look whether its child is done.
    if met.end.errno().is_none() && (half || socket.accepted) {
        return None;
    }
    let exact = met.end.errno() == Some(libc::EPIPE) || matches!(goodbye.how, Farewell::Message(_));
    // A socket that was open at the attach: what was said on it before is unknown.
    let seen = exact && socket.opened.nr != 0;
    let claim = Claim {
        rule: RuleId::ForeignGoodbye,
        severity: Severity::Error,
        confidence: confidence(model, seen, &[by, met.by.process]),
        says: Says::Lost,
        cause: Cause::Sharing(socket.id),
    };
    out.claim(claim, model.now()).then(|| draft(model, socket, &goodbye, met, claim))
}

fn draft(model: &Model, socket: &Socket, goodbye: &Goodbye, met: &Met, claim: Claim) -> Draft {
    let (by, pid) = (model.pid(goodbye.by.process), model.pid(met.by.process));
    let (said, what) = words(goodbye);
    let end = match met.end {
        End::Errno(errno) => {
            format!("{} failed with {}", call(met.by.nr), errno::name(errno).unwrap_or("an error"))
        }
        End::Stream => format!("{} found the stream at its end", call(met.by.nr)),
        End::Message(message) => format!("{} read the peer's {}", call(met.by.nr), bare(message)),
    };
    let mut steps = beginning(model, socket, met.fd);
    let said_so = format!("{by} {said} on the connection, for all who hold it");
    steps.push(Step::did(goodbye.by, said_so).on(goodbye.fd));
    let uses = Step::did(met.by, format!("{pid} still uses it: {end}")).on(met.fd);
    steps.push(Step { ret: met.ret(), ..uses });
    Draft {
        claim,
        title: format!("{by} ended {} under {pid}: {end}", connection(socket)),
        summary: format!(
            "{by} and {pid} hold one socket since a fork. {by} {said} ({what}), which ends the connection for both, \
             while {pid} goes on using it."
        ),
        process: met.by.process,
        others: vec![goodbye.by.process],
        fd: Some(met.fd),
        socket: Some(socket.id),
        nr: Some(met.by.nr),
        errno: met.end.errno(),
        time: met.by.time,
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
