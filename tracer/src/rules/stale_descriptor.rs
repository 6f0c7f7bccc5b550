//! See [`TEXT`].

use super::history::{self, call, closed_by, connection_of, failure, inherited_past};
use super::{Claim, Draft, Drafts, Rule, Says};
use crate::model::{Change, Failure, Model, Origin, Past, ProcId, Topic};
use crate::report::RuleId;
use forkscope_proto::arguments::EPOLL_CTL_DEL;
use forkscope_proto::net::SOCK_DGRAM;
use forkscope_proto::{FileKind, calls};
use rustc_hash::FxHashMap;

/// What the rule means.
pub(super) const TEXT: &str = "\
A call failed with EBADF (\"Bad file descriptor\") on a number that had been an inherited socket, epoll instance or
eventfd, and the call meant that one.

A library's fork handler has closed the inherited descriptor in the child, but an object of the library still
remembers its number and uses it. Nothing has taken the number yet; had something, the call would fail with ENOTSOCK
(see `enotsock`) or, worse, its bytes would go to the wrong server (see `misdirected-bytes`).

A call that only closes, shuts down or removes a descriptor that is gone is harmless and not reported, nor is a
buffer that is flushed into a closed number before the process exits or executes a program, nor a session's goodbye. Nor is a
datagram socket, of which syslog(3) makes another, nor a standard stream that was closed before a program was executed.

How to fix it: let no connection be open when the process forks, or let the library know about the fork.";

/// How many processes' doubtful failures are remembered.
const DOUBTFUL: usize = 1024;

/// The rule `stale-descriptor`.
#[derive(Default)]
pub(super) struct StaleDescriptor {
    /// A plain write that failed: it may be a buffer flushed before an exit or exec, or the use of a
    /// connection. What the process does next tells.
    doubtful: FxHashMap<ProcId, Draft>,
}

/// What a call meant.
enum Meant {
    /// One of these kinds.
    Kinds(&'static [FileKind]),
    /// Maybe one of these kinds.
    Maybe(&'static [FileKind]),
    Nothing,
}

fn meant(failed: &Failure) -> Meant {
    use FileKind::{Epoll, Eventfd, Socket};
    match failed.by.nr {
        calls::SENDTO | calls::SENDMSG | calls::SENDMMSG => Meant::Kinds(&[Socket]),
        calls::RECVFROM | calls::RECVMSG | calls::RECVMMSG | calls::CONNECT => Meant::Kinds(&[Socket]),
        calls::ACCEPT | calls::ACCEPT4 => Meant::Kinds(&[Socket]),
        calls::EPOLL_WAIT | calls::EPOLL_PWAIT | calls::EPOLL_PWAIT2 => Meant::Kinds(&[Epoll]),
        // Removing what is gone is harmless.
        calls::EPOLL_CTL if failed.operation == EPOLL_CTL_DEL as u32 => Meant::Nothing,
        calls::EPOLL_CTL => Meant::Kinds(&[Epoll, Socket, Eventfd]),
        calls::SENDFILE | calls::SPLICE => Meant::Kinds(&[Socket]),
        calls::READ | calls::READV | calls::PREADV2 => Meant::Kinds(&[Socket, Eventfd]),
        calls::WRITE | calls::WRITEV | calls::PWRITEV2 => Meant::Maybe(&[Socket, Eventfd]),
        _ => Meant::Nothing,
    }
}

impl Rule for StaleDescriptor {
    fn topics(&self) -> &[Topic] {
        &[Topic::Failed, Topic::Used, Topic::Ended, Topic::Executed, Topic::Forked]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        if !self.doubtful.is_empty()
            && let Some(process) = actor(change)
            && let Some(draft) = self.doubtful.remove(&process)
            && !matches!(change, Change::Ended { .. } | Change::Executed { .. })
        {
            out.push(draft);
        }
        let Change::Failed(failed) = change else { return };
        if failed.errno != libc::EBADF || failed.goodbye {
            return;
        }
        match meant(failed) {
            Meant::Kinds(kinds) => {
                if let Some(past) = closed(model, failed, kinds)
                    && out.claim(claim(model, failed, past), failed.by.time)
                {
                    out.push(draft(model, failed, past));
                }
            }
            Meant::Maybe(kinds) if self.doubtful.len() < DOUBTFUL => {
                let past = closed(model, failed, kinds);
                self.doubtful.extend(past.map(|past| (failed.by.process, draft(model, failed, past))));
            }
            Meant::Maybe(_) | Meant::Nothing => {}
        }
    }
}

/// Whose change it is, where it shows that the process goes on.
fn actor(change: &Change) -> Option<ProcId> {
    match change {
        // What a process does on its way out.
        Change::Failed(Failure { by, .. })
            if matches!(by.nr, calls::CLOSE | calls::SHUTDOWN | calls::WRITE | calls::WRITEV) =>
        {
            None
        }
        Change::Failed(Failure { by, .. }) | Change::Used { by, .. } => Some(by.process),
        Change::Ended { process } | Change::Executed { process } => Some(*process),
        Change::Forked { parent, .. } => Some(*parent),
        Change::Connected { .. }
        | Change::Crossed { .. }
        | Change::Said { .. }
        | Change::StreamEnded { .. }
        | Change::LetGo { .. }
        | Change::InVain { .. }
        | Change::Misdirected { .. }
        | Change::Glanced { .. }
        | Change::Epoll(_)
        | Change::Taken(_)
        | Change::Uncertain { .. } => None,
    }
}

/// What was inherited under the number and is closed.
fn closed<'a>(model: &'a Model, failed: &Failure, kinds: &[FileKind]) -> Option<&'a Past> {
    let Failure { by, fd, .. } = *failed;
    if model.slot(by.process, by.tid, fd)?.open.is_some() {
        return None;
    }
    let past = inherited_past(model, by, fd, |kind| kinds.contains(&kind))?;
    // syslog(3) of a daemon that has closed all it had notices, and makes another one.
    let is_datagram =
        past.file.socket.and_then(|id| model.socket(id)).is_some_and(|it| it.kind == SOCK_DGRAM);
    // A program that was executed without a standard stream means that, and not what its number was before.
    let means_stream = fd <= 2 && model.has_forgotten(by.process, past.end.by.time);
    (!is_datagram && !means_stream).then_some(past)
}

fn claim(model: &Model, failed: &Failure, past: &Past) -> Claim {
    history::claim(model, RuleId::StaleDescriptor, Says::Failed, (failed.by.process, failed.fd), past)
}

fn draft(model: &Model, failed: &Failure, past: &Past) -> Draft {
    let Failure { by, fd, errno, .. } = *failed;
    let Origin { time, process, nr, .. } = by;
    let was = match past.file.socket {
        Some(_) => connection_of(model, past.file.socket),
        None => past.file.describe(),
    };
    let mut steps = history::steps(model, by, fd, past);
    steps.push(failure(failed));
    let (pid, creator) = (model.pid(process), model.pid(past.file.opened.process));
    Draft {
        claim: claim(model, failed, past),
        title: format!(
            "{} on fd {fd} failed with EBADF: the number was {was}, inherited and closed",
            call(nr)
        ),
        summary: format!(
            "Process {pid} inherited fd {fd} from {creator} by fork: {was}. {}, and {pid} still uses the number.",
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
    }
}
