//! See [`TEXT`].

use super::history::{connection, fork_step};
use super::{Cause, Claim, Draft, Drafts, Rule, Says, under_way};
use crate::model::{Change, Model, Topic};
use crate::report::{Confidence, RuleId, Severity};

/// What the rule means.
pub(super) const TEXT: &str = "\
A connection was open while its process forked: parent and child now hold one socket. This is the fork audit's line,
and nothing is wrong yet: children that close what they inherited, or execute another program, are common. It says what
was under way on the connection, as far as that is known, and how many threads of the parent did not cross the fork.

It matters when both go on using it (see `shared-stream`), when the child uses the number after a library closed it
(see `enotsock`, `stale-descriptor`), or when the child keeps it open long after the parent has closed it: the peer
then sees no end of the connection.

How to avoid it: open connections after the fork, in the process that uses them, and mark descriptors close-on-exec.";

/// The rule `inherited-connection`.
pub(super) struct InheritedConnection;

impl Rule for InheritedConnection {
    fn topics(&self) -> &[Topic] {
        &[Topic::Crossed]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        let Change::Crossed { socket: id, fd, parent, child } = *change else { return };
        let Some(socket) = model.socket(id) else { return };
        let (from, to) = (model.pid(parent), model.pid(child));
        let late = socket.opened.nr == 0;
        let flight =
            under_way::clause(&socket.in_flight().0).map_or_else(String::new, |what| format!(" and {what}"));
        let threads = under_way::threads(model, child)
            .map_or_else(String::new, |threads| format!(" {to} is without {threads} of {from}."));
        out.push(Draft {
            claim: Claim {
                rule: RuleId::InheritedConnection,
                severity: Severity::Info,
                confidence: if late { Confidence::Likely } else { Confidence::Certain },
                says: Says::Possible,
                cause: Cause::Holding(id),
            },
            title: format!("{to} inherited {} as fd {fd}", connection(socket)),
            summary: format!(
                "{from} forked {to} while fd {fd} was open{flight}.{threads} Both hold the same socket until one closes it."
            ),
            process: child,
            others: vec![parent],
            fd: Some(fd),
            socket: Some(id),
            nr: None,
            errno: None,
            time: model.now(),
            steps: fork_step(model, child, fd).into_iter().collect(),
        });
    }
}
