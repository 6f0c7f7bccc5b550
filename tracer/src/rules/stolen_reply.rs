//! See [`TEXT`].

use super::history::{call, connection};
use super::{Cause, Draft, Rule, Says, Step, confidence, stream};
use crate::model::{Change, Model, ProcId, SockId, Topic};
use crate::protocol::{Sign, User};
use crate::report::{RuleId, Severity};

/// What the rule means.
pub(super) const TEXT: &str = "\
One process read the answer to another process' request.

After a fork both hold one socket, and the kernel gives each byte that arrives to whoever reads first. The process
that asked waits for an answer that is gone; the one that read it has an answer to a question that it never asked.
With a protocol that numbers its requests (HTTP/2) it is dropped and the asker hangs; with one that does not (Redis,
PostgreSQL, HTTP/1.1) it is taken for the reader's own answer: wrong data without any error.

How to fix it: each process opens its own connection, after the fork. Connection pools need to be disposed of, or
made anew, in the child.";

/// The rule `stolen-reply`.
pub(super) struct StolenReply;

impl Rule for StolenReply {
    fn topics(&self) -> &[Topic] {
        &[Topic::Said]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Vec<Draft>) {
        let Change::Said { socket: id, fd, nr, sign, .. } = *change else { return };
        let (asker, reader, of) = match sign {
            Sign::Answer { stream, opener, reader } => {
                let asked = model.socket(id).map(|socket| stream::path_clause(socket, stream, opener));
                (opener, reader, format!("{} on stream {stream}", asked.unwrap_or_default()))
            }
            Sign::Reply { requester: Some(asker), reader, sure: true } => (asker, reader, String::new()),
            _ => return,
        };
        // A server's child that answers what its parent read has been handed the request.
        if socket_is_server(model, id) {
            return;
        }
        let [asker, reader] = [asker, reader].map(|User(number)| ProcId::from_number(number));
        let Some(socket) = model.socket(id) else { return };
        // One that asked and is gone has handed the connection over: a daemon's parent does.
        let asker_lives = model.process(asker).is_some_and(|process| process.ended.is_none());
        let on_purpose = socket.usage(reader).is_some_and(|usage| usage.passed);
        if asker == reader || !asker_lives || on_purpose {
            return;
        }
        let asked = socket.turns.iter().rev().find(|turn| turn.process == asker);
        let time = model.now();
        let (asker_pid, reader_pid) = (model.pid(asker), model.pid(reader));
        let mut steps: Vec<Step> = asked
            .map(|turn| Step {
                time: turn.to,
                process: asker,
                tid: turn.tid,
                what: format!("{asker_pid} sent its request{of}"),
                nr: turn.nr,
                fd: Some(turn.fd),
                ret: None,
            })
            .into_iter()
            .collect();
        steps.push(Step {
            time,
            process: reader,
            tid: reader_pid,
            what: format!("{reader_pid} read the answer"),
            nr,
            fd: Some(fd),
            ret: None,
        });
        out.push(Draft {
            rule: RuleId::StolenReply,
            severity: Severity::Error,
            confidence: confidence(model, true, &[reader, asker]),
            says: Says::Astray,
            cause: Cause::Sharing(id),
            title: format!("{reader_pid} read the answer to {asker_pid}'s request on {}", connection(socket)),
            summary: format!(
                "{asker_pid} and {reader_pid} share fd {fd} since a fork. {asker_pid} sent a request{of}, and \
                 {reader_pid} took its answer with {}: {asker_pid} will never get it.",
                call(nr)
            ),
            process: reader,
            others: vec![asker],
            fd: Some(fd),
            socket: Some(id),
            nr: Some(nr),
            errno: None,
            time,
            steps,
        });
    }
}

/// Whether the holders are the end that answers.
fn socket_is_server(model: &Model, id: SockId) -> bool {
    model.socket(id).is_some_and(|socket| socket.accepted)
}
