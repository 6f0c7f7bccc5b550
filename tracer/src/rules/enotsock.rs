//! See [`TEXT`].

use super::history::{self, call, closed_by, connection_of, failure, inherited_past};
use super::{Draft, Drafts, Rule, Says};
use crate::model::{Change, Failure, Model, Origin, Topic};
use crate::report::RuleId;
use forkscope_proto::{FileKind, calls};

/// What the rule means.
pub(super) const TEXT: &str = "\
A socket call failed with ENOTSOCK (\"Socket operation on non-socket\") on a number that had been a socket which
crossed a fork.

A child gets a copy of its parent's descriptor table. Where a library closes the inherited socket in the child (a
fork handler does, to protect the parent), the number is free, and the next thing that the child opens takes it:
often /dev/null, which `multiprocessing` opens as the child's stdin. The library's object still remembers the
number. Its next call hits whatever is there now.

The message appears in the child, far from the cause: the connection was open while the parent forked.

What was put under a number before a program was executed was given to that program, and is not reported; nor is a session's
goodbye that goes nowhere because its process put something under the number itself.

How to fix it: let no connection be open when the process forks, or let the library know about the fork. For gRPC:
close the channel before the fork (`channel.close()`, or a `with` block), or set GRPC_ENABLE_FORK_SUPPORT=1, or start
the child with spawn instead of fork.";

/// Calls that meant a socket. Those that only ask what a descriptor is (`getsockname`,
/// `getsockopt`) are not here.
const MEANT: [u16; 11] = [
    calls::SENDTO,
    calls::SENDMSG,
    calls::SENDMMSG,
    calls::RECVFROM,
    calls::RECVMSG,
    calls::RECVMMSG,
    calls::CONNECT,
    calls::ACCEPT,
    calls::ACCEPT4,
    calls::LISTEN,
    calls::SHUTDOWN,
];

/// The rule `enotsock`.
pub(super) struct Enotsock;

impl Rule for Enotsock {
    fn topics(&self) -> &[Topic] {
        &[Topic::Failed]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        let Change::Failed(failed) = change else { return };
        if failed.errno == libc::ENOTSOCK && MEANT.contains(&failed.by.nr) {
            let found = found(model, failed, out);
            out.extend(found);
        }
    }
}

fn found(model: &Model, failed: &Failure, out: &mut Drafts<'_>) -> Option<Draft> {
    let Failure { by, fd, errno, .. } = *failed;
    let Origin { time, process, tid, nr } = by;
    let past = inherited_past(model, by, fd, |kind| kind == FileKind::Socket)?;
    // Who puts something under the number to keep its goodbye from the server means to
    // (as Ruby's mysql2 does).
    if failed.goodbye && matches!(past.end.by.nr, calls::DUP2 | calls::DUP3) {
        return None;
    }
    let claim = history::claim(model, RuleId::Enotsock, Says::Lost, (process, fd), past);
    if !out.claim(claim, time) {
        return None;
    }
    let was = connection_of(model, past.file.socket);
    let now = model
        .slot(process, tid, fd)?
        .open
        .as_ref()
        .map_or_else(|| "nothing".into(), |now| now.file.describe());
    let mut steps = history::steps(model, by, fd, past);
    steps.push(failure(failed));
    let (pid, creator) = (model.pid(process), model.pid(past.file.opened.process));
    Some(Draft {
        claim,
        title: format!(
            "{} on fd {fd} failed with ENOTSOCK: the number was {was}, and is {now} now",
            call(nr)
        ),
        summary: format!(
            "Process {pid} inherited fd {fd} from {creator} by fork: {was}. {}, {now} took the number, and {pid} still \
             uses fd {fd} as the connection.",
            closed_by(model, process, past)
        ),
        process,
        others: vec![past.file.opened.process],
        fd: Some(fd),
        socket: past.file.socket,
        nr: Some(nr),
        errno: Some(errno),
        time,
        steps,
    })
}
