//! See [`TEXT`].

use super::history::{self, call, connection_of, inherited_past};
use super::{Draft, Drafts, Rule, Says, Step};
use crate::model::{Change, Model, Origin, Topic};
use crate::report::RuleId;
use forkscope_proto::FileKind;

/// What the rule means.
pub(super) const TEXT: &str = "\
Bytes that continue the session of an inherited connection were sent to another server, and no call failed.

A fork handler closed the inherited socket in the child, a new socket took its number, and an object that remembers
the number goes on writing its session there. The other server gets bytes that were never meant for it; the sender
waits for an answer that nobody will give. It is `enotsock` without the luck of an error.

forkscope says so when the bytes are well-formed messages from the middle of a session of the old connection's
protocol, on a socket that speaks something else or has only just been opened.

How to fix it: let no connection be open when the process forks, or let the library know about the fork.";

/// The rule `misdirected-bytes`.
pub(super) struct MisdirectedBytes;

impl Rule for MisdirectedBytes {
    fn topics(&self) -> &[Topic] {
        &[Topic::Misdirected]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        let Change::Misdirected { socket, meant, by, fd, bytes } = *change else { return };
        let Some(past) = inherited_past(model, by, fd, |kind| kind == FileKind::Socket) else { return };
        let (Some(got), Some(old)) = (model.socket(socket), model.socket(meant)) else { return };
        let Origin { time, process, nr, .. } = by;
        let claim = history::claim(model, RuleId::MisdirectedBytes, Says::Astray, (process, fd), past);
        if !out.claim(claim, time) {
            return;
        }
        let mut steps = history::steps(model, by, fd, past);
        let what = format!("{bytes} bytes of {} went to {}", old.protocol().name(), got.remote());
        steps.push(Step::did(by, what).on(fd).returning(bytes as i64));
        let (pid, creator) = (model.pid(process), model.pid(past.file.opened.process));
        let was = connection_of(model, Some(meant));
        out.push(Draft {
            claim,
            title: format!("{} on fd {fd} sent bytes meant for {} to {}", call(nr), old.remote(), got.remote()),
            summary: format!(
                "Process {pid} inherited fd {fd} from {creator} by fork: {was}. It was closed in {pid}, a new socket \
                 to {} took the number, and {pid} goes on writing the {} session there. No call fails.",
                got.remote(),
                old.protocol().name()
            ),
            process,
            others: vec![past.file.opened.process],
            fd: Some(fd),
            socket: Some(meant),
            nr: Some(nr),
            errno: None,
            time,
            steps,
        });
    }
}
