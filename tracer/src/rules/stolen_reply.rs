//! See [`TEXT`].

use super::history::{beginning, call, connection};
use super::turns::{both_went_on, on_purpose};
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence, stream};
use crate::model::{Change, Model, Origin, ProcId, SockId, Socket, Topic};
use crate::protocol::{Sign, User};
use crate::report::{RuleId, Severity};
use std::collections::VecDeque;

/// What the rule means.
pub(super) const TEXT: &str = "\
One process read the answer to another process' request.

After a fork both hold one socket, and the kernel gives each byte that arrives to whoever reads first. The process
that asked waits for an answer that is gone; the one that read it has an answer to a question that it never asked.
With a protocol that numbers its requests (HTTP/2) it is dropped and the asker hangs; with one that does not (Redis,
PostgreSQL, HTTP/1.1) it is taken for the reader's own answer: wrong data without any error.

A request may be handed over with its connection: who asked closes its copy, or ends, and nothing is reported. On HTTP/1.1,
whose sessions anybody can go on with, and of a child that only writes, it is reported only when the one that asked reads on
there, or when both have asked since the fork: that it waits for the answer in poll(2) is not seen. Of a program that has the
connection as its standard input nothing is reported.

How to fix it: each process opens its own connection, after the fork. Connection pools need to be disposed of, or
made anew, in the child.";

/// The most replies that are watched at once.
const MOST: usize = 256;

/// The rule `stolen-reply`: replies read by a process that did not ask, while it is open whether the asker
/// still wants them; oldest first.
#[derive(Default)]
pub(super) struct StolenReply {
    taken: VecDeque<Taken>,
}

/// A reply that another process read.
#[derive(Clone, Copy)]
struct Taken {
    socket: SockId,
    asker: ProcId,
    /// Who read it, when and by which call.
    by: Origin,
    fd: i32,
    /// Of whose request on which stream, where they have numbers.
    of: Option<(u32, User)>,
}

impl Rule for StolenReply {
    fn topics(&self) -> &[Topic] {
        &[Topic::Said, Topic::Used, Topic::InVain, Topic::StreamEnded]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        match *change {
            Change::Said { socket, by, fd, sign } => self.said(model, socket, (by, fd), sign, out),
            _ if self.taken.is_empty() => {}
            Change::Used { socket, by, sent: false, .. } | Change::StreamEnded { socket, by, .. } => {
                self.reads_on(model, socket, by.process, out);
            }
            Change::InVain { socket, process } => self.reads_on(model, socket, process, out),
            _ => {}
        }
    }
}

impl StolenReply {
    fn said(&mut self, model: &Model, id: SockId, (by, fd): (Origin, i32), sign: Sign, out: &mut Drafts<'_>) {
        let Some(socket) = model.socket(id) else { return };
        let (asker, of) = match sign {
            Sign::Answer { stream, opener, .. } => (opener, Some((stream, opener))),
            Sign::Reply { requester: Some(asker), sure: true, .. } => (asker, None),
            _ => return,
        };
        let (asker, reader) = (ProcId::from(asker), by.process);
        let taken = Taken { socket: id, asker, by, fd, of };
        // A server's child that answers what its parent read has been handed the request.
        if asker == reader || socket.accepted || on_purpose(socket, reader) || !wants(model, &taken) {
            return;
        }
        // A program that was given the connection as its standard input reads for who gave it.
        if (0..=2).contains(&fd) {
            return;
        }
        let has_state = socket.read_protocol().keeps_state_in_user_memory();
        let is_same = |one: &Taken| (one.socket, one.asker, one.by.process) == (id, asker, reader);
        if has_state && !only_writes(socket, asker, reader) || both_went_on(model, socket, asker, reader) {
            let found = found(model, socket, &taken, out);
            out.extend(found);
        } else if !self.taken.iter().any(is_same) {
            if self.taken.len() >= MOST {
                self.taken.pop_front();
            }
            self.taken.push_back(taken);
        }
    }

    /// Somebody reads: who asked, it may be.
    fn reads_on(&mut self, model: &Model, id: SockId, process: ProcId, out: &mut Drafts<'_>) {
        let Some(socket) = model.socket(id) else { return };
        self.taken.retain(|taken| {
            let is_it = taken.socket == id && taken.asker == process;
            if is_it {
                let found = found(model, socket, taken, out);
                out.extend(found);
            }
            !is_it && (taken.socket != id || wants(model, taken))
        });
    }
}

/// Whether a process inherited the connection to write on it, as far as can be seen, and
/// the other one only reads.
fn only_writes(socket: &Socket, process: ProcId, reader: ProcId) -> bool {
    let usage = |id| socket.usage(id).map_or((0, 0), |usage| (usage.sent.1, usage.received.1));
    socket.opened.process != process && usage(process).1 == 0 && usage(reader).0 == 0
}

/// Whether the asker may still want the reply. If it has ended, or closed its copy, it has
/// handed the connection over.
fn wants(model: &Model, taken: &Taken) -> bool {
    let Some(socket) = model.socket(taken.socket) else { return false };
    let fd = socket.usage(taken.asker).map_or(-1, |usage| usage.fd);
    model.holds_socket(taken.asker, taken.socket, fd)
}

fn found(model: &Model, socket: &Socket, taken: &Taken, out: &mut Drafts<'_>) -> Option<Draft> {
    let claim = Claim {
        rule: RuleId::StolenReply,
        severity: Severity::Error,
        confidence: confidence(model, true, &[taken.by.process, taken.asker]),
        says: Says::Astray,
        cause: Cause::Sharing(socket.id),
    };
    out.claim(claim, taken.by.time).then(|| draft(model, socket, taken, claim))
}

fn draft(model: &Model, socket: &Socket, taken: &Taken, claim: Claim) -> Draft {
    let Taken { asker, by, fd, of, .. } = *taken;
    let of = of.map_or_else(String::new, |(stream, opener)| {
        format!("{} on stream {stream}", stream::path_clause(socket, stream, opener))
    });
    let Origin { process: reader, time, nr, .. } = by;
    let (asker_pid, reader_pid) = (model.pid(asker), model.pid(reader));
    let mut steps = beginning(model, socket, fd);
    let asked = socket.turns.iter().rev().find(|turn| turn.process == asker && turn.from <= time);
    steps.extend(asked.map(|turn| {
        let sent = Step::turn(turn, format!("{asker_pid} sent its request{of}"));
        Step { time: turn.to.min(time), ..sent }
    }));
    steps.push(Step::did(by, format!("{reader_pid} read the answer")).on(fd));
    steps.sort_by_key(|step| step.time);
    Draft {
        claim,
        title: format!("{reader_pid} read the answer to {asker_pid}'s request on {}", connection(socket)),
        summary: format!(
            "{asker_pid} and {reader_pid} hold one socket since a fork. {asker_pid} sent a request{of}, and \
             {reader_pid} took its answer with {}: {asker_pid} will never get it.",
            call(nr)
        ),
        process: reader,
        others: vec![asker],
        fd: Some(fd),
        socket: Some(socket.id),
        nr: Some(nr),
        errno: None,
        time,
        steps,
    }
}
