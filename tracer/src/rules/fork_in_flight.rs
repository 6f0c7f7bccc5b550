//! See [`TEXT`].

use super::history::{connection, fork_step, opened_step};
use super::later::Later;
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence, under_way};
use crate::model::{Asked, Change, Model, ProcId, SockId, Socket, Topic};
use crate::protocol::InFlight;
use crate::report::{RuleId, Severity};

/// What the rule means.
pub(super) const TEXT: &str = "\
A process forked while something was under way on a connection of its own: an HTTP/2 stream was open, or a request
awaited its reply. The child lives on with a copy of it.

The child's copy of the library believes that it waits for that answer, too, but the thread that waited did not cross the
fork, and the answer goes to whoever reads first. A lock that the thread held stays locked in the child for good. As long
as the child leaves the connection alone, nothing is wrong; what cleans up in it (a fork handler, a destructor, the end of
the interpreter) may end the parent's request: see `foreign-goodbye`, `stolen-reply` and `shared-stream`.

forkscope says so when the child still holds the connection two seconds later. Not reported is a child that executes a
program, closes its copy or ends before that, one that was started by vfork(2) or posix_spawn(3), and a connection that the
parent gives up: that is how `subprocess` starts programs, and how servers hand clients over. What is under way inside
TLS can be seen with --tls-plaintext only; on a protocol that forkscope does not read, nothing can.

How to fix it: fork before the first request, or when all have been answered and the threads that send them have ended;
or start the child with spawn, or forkserver, instead of fork.";

/// How long a child may take to execute a program, to close what it inherited, or to end, in nanoseconds.
const GRACE: u64 = 2_000_000_000;
/// Numbers of a table that are looked at, at one fork: the lowest.
const LOOKED_AT: usize = 4096;

/// The rule `fork-in-flight`: copies of busy connections in children.
#[derive(Default)]
pub(super) struct ForkInFlight {
    copies: Later<Copied, GRACE>,
}

/// A connection that crossed a fork, as it was then.
struct Copied {
    time: u64,
    parent: ProcId,
    child: ProcId,
    socket: SockId,
    fd: i32,
    flight: InFlight,
    asked: Vec<Asked>,
}

impl Rule for ForkInFlight {
    fn topics(&self) -> &[Topic] {
        &[Topic::Forked, Topic::Executed, Topic::Ended]
    }

    fn check(&mut self, model: &Model, change: &Change, _out: &mut Drafts<'_>) {
        match *change {
            Change::Forked { parent, child } => self.forked(model, parent, child),
            Change::Executed { process } | Change::Ended { process } if !self.copies.is_empty() => {
                self.copies.retain(|copy| copy.child != process && copy.parent != process);
            }
            _ => {}
        }
    }

    fn tick(&mut self, model: &Model, out: &mut Drafts<'_>) {
        while let Some(oldest) = self.copies.due(model.now(), |it| it.time) {
            out.extend(found(model, &oldest));
        }
    }
}

impl ForkInFlight {
    /// What was under way on the parent's connections.
    fn forked(&mut self, model: &Model, parent: ProcId, child: ProcId) {
        // In the parent's memory there is no copy of a state, and a program is executed next.
        if model.process(child).is_none_or(|child| child.in_place) {
            return;
        }
        let Some(table) = model.table(child) else { return };
        if !model.any_may_wait() {
            return;
        }
        let sockets = table.sockets_among(LOOKED_AT).filter(|(fd, _)| *fd > 2);
        for (fd, id) in sockets.filter(|(_, id)| model.may_wait(*id)) {
            let Some(socket) = model.socket(id) else { continue };
            if self.copies.is_full() {
                return;
            }
            let told = |copy: &Copied| copy.child == child && copy.socket == socket.id;
            if socket.accepted || !socket.is_used_by(parent) || self.copies.iter().rev().any(told) {
                continue;
            }
            let (flight, asked) = socket.in_flight();
            if flight.is_something() {
                let (time, socket) = (model.now(), socket.id);
                self.copies.push(Copied { time, parent, child, socket, fd, flight, asked });
            }
        }
    }
}

/// What has become of a copy.
fn found(model: &Model, copy: &Copied) -> Option<Draft> {
    let socket = model.socket(copy.socket)?;
    // That it was not answered before the fork is known only where nothing was missed since it began.
    let began = copy.asked.first().map_or(socket.opened.time, |asked| asked.by.time);
    let both_hold =
        [copy.parent, copy.child].into_iter().all(|id| model.holds_socket(id, copy.socket, copy.fd));
    if !both_hold || socket.goodbye().is_some() || model.lost_since(began) {
        return None;
    }
    let goes_on = socket.turns.iter().any(|turn| turn.process == copy.parent && turn.to > copy.time);
    let handed_over = socket.is_used_by(copy.child) && !goes_on;
    (!handed_over).then(|| draft(model, socket, copy))?
}

fn draft(model: &Model, socket: &Socket, copy: &Copied) -> Option<Draft> {
    let (pid, child) = (model.pid(copy.parent), model.pid(copy.child));
    let clause = under_way::clause(&copy.flight)?;
    let threads = under_way::threads(model, copy.child);
    let but = threads.map_or_else(String::new, |threads| format!(", but not {threads}"));
    let mut steps: Vec<Step> = opened_step(socket, copy.fd).into_iter().collect();
    steps.extend(copy.asked.iter().map(under_way::request_step));
    steps.extend(fork_step(model, copy.child, copy.fd).map(|step| Step {
        what: format!("forked {child} while {clause}; it inherited fd {}{but}", copy.fd),
        ..step
    }));
    Some(Draft {
        claim: Claim {
            rule: RuleId::ForkInFlight,
            severity: Severity::Warning,
            confidence: confidence(model, copy.flight.is_sure(), &[copy.parent, copy.child]),
            says: Says::Possible,
            cause: Cause::Sharing(socket.id),
        },
        title: format!("{pid} forked {child} while {clause} on {}", connection(socket)),
        summary: format!(
            "{pid} forked {child} while {clause} on fd {}. {child} lives on with a copy of the connection{but}: in its \
             memory the request is under way as well, and whatever it does to it happens to {pid}'s request.",
            copy.fd
        ),
        process: copy.parent,
        others: vec![copy.child],
        fd: Some(copy.fd),
        socket: Some(socket.id),
        nr: None,
        errno: None,
        time: copy.time,
        steps,
    })
}
