//! See [`TEXT`].

use super::history::{connection, fork_step, opened_step};
use super::turns::{both_ways, on_purpose, turn_step};
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence};
use crate::model::{Change, Model, Origin, ProcId, SockId, Socket, Table, Topic, Turn};
use crate::protocol::Protocol;
use crate::report::{RuleId, Severity};
use rustc_hash::FxHashMap;

/// What the rule means.
pub(super) const TEXT: &str = "\
A child used a connection that it had inherited and then executed a program, and its parent goes on using the connection.

Between fork and exec a child has its parent's connections and a copy of the libraries' state: code that runs there (a
`preexec_fn` of Python's subprocess, a hook that logs, a fork handler) can ask a database on its parent's session, and it
seems to work. With the exec all that the child knew of the session is gone: the statement that it began, the HTTP/2 stream,
the counter of TLS records. The parent goes on where it was at the fork, on a session that has moved.

It is a warning while the parent only holds the connection, and an error when it uses it again. It stays a warning where the
child ran in its parent's memory (vfork(2)): the parent's copy of the session then has what the child did. Not reported is
a connection that the parent never uses again, and one that was accepted: a server's child may greet its client and then
execute the program that serves it. What a child says to end its parent's session is a matter of `foreign-goodbye`.

How to fix it: do nothing but what the exec needs between fork and exec. What the new program must know, ask before the
fork, and give it as arguments, environment or input; what must be said, say in the parent.";

/// The most connections that are watched at once.
const MOST: usize = 256;

/// The rule `pre-exec-io`: what children said before their exec on connections that they have left to others.
#[derive(Default)]
pub(super) struct PreExecIo {
    spoken: FxHashMap<SockId, Spoken>,
}

/// A child's use of a connection before its exec.
#[derive(Clone, Copy)]
struct Spoken {
    process: ProcId,
    /// When it began.
    from: u64,
    executed: u64,
    fd: i32,
    /// The program has it.
    given: bool,
    /// As its standard input or output: on purpose.
    as_stdio: bool,
    /// It was done in its parent's own memory.
    in_place: bool,
}

impl Rule for PreExecIo {
    fn topics(&self) -> &[Topic] {
        &[Topic::Executed, Topic::Used]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        match *change {
            Change::Executed { process } => self.executed(model, process, out),
            Change::Used { socket, by, .. } if !self.spoken.is_empty() => {
                self.used(model, socket, by.process, out);
            }
            _ => {}
        }
    }
}

impl PreExecIo {
    /// A process has executed a program: what did it use since its fork that was another's?
    fn executed(&mut self, model: &Model, process: ProcId, out: &mut Drafts<'_>) {
        let first =
            model.process(process).filter(|child| child.execs.len() == 1 && child.forked_at.is_some());
        let Some((child, table)) = first.zip(model.table(process)) else { return };
        let used = used_of_others(model, table, process);
        if used.is_empty() {
            return;
        }
        // What the program has of them, on purpose or by an oversight.
        let given: Vec<(SockId, i32)> = table
            .iter()
            .filter_map(|(fd, holding)| Some((holding.file.socket.filter(|id| used.contains(id))?, fd)))
            .collect();
        for socket in used.into_iter().filter_map(|id| model.socket(id)) {
            let turn = socket.turns.iter().find(|turn| turn.process == process);
            if turn.is_some_and(Turn::is_goodbye) {
                continue;
            }
            let number = given.iter().find(|(id, _)| *id == socket.id).map(|(_, fd)| *fd);
            let spoken = Spoken {
                process,
                from: turn.map(|turn| turn.from).or(child.forked_at).unwrap_or_default(),
                executed: model.now(),
                fd: socket.usage(process).map_or(-1, |usage| usage.fd),
                given: number.is_some(),
                as_stdio: number.is_some_and(|fd| fd <= 2),
                in_place: child.in_place,
            };
            self.judge(model, socket, spoken, out);
        }
    }

    /// Another has gone on already, or is watched.
    fn judge(&mut self, model: &Model, socket: &Socket, spoken: Spoken, out: &mut Drafts<'_>) {
        let went_on = socket.turns.iter().rev().find(|turn| {
            !turn.is_goodbye() && turn.from > spoken.from && was_before(socket, &spoken, turn.process)
        });
        if let Some(turn) = went_on {
            out.extend(draft(model, socket, &spoken, turn.process, true));
            return;
        }
        if !spoken.given
            && socket.opened.nr != 0
            && let Some(user) = waiting(model, socket, &spoken)
        {
            out.extend(draft(model, socket, &spoken, user, false));
        }
        if self.spoken.len() >= MOST {
            let is_open = |id: &SockId| model.socket(*id).is_some_and(Socket::is_open);
            self.spoken.retain(|id, _| is_open(id));
        }
        if self.spoken.len() < MOST {
            self.spoken.insert(socket.id, spoken);
        }
    }

    /// Somebody uses a connection.
    fn used(&mut self, model: &Model, id: SockId, user: ProcId, out: &mut Drafts<'_>) {
        let Some((spoken, socket)) = self.spoken.get(&id).zip(model.socket(id)) else { return };
        // A goodbye is not going on.
        let ends = socket.turns.last().is_some_and(|turn| turn.process == user && turn.is_goodbye());
        if user != spoken.process && !ends && was_before(socket, spoken, user) {
            out.extend(draft(model, socket, spoken, user, true));
            self.spoken.remove(&id);
        }
    }
}

/// The connections of others that a process used, and holds or held.
fn used_of_others(model: &Model, table: &Table, process: ProcId) -> Vec<SockId> {
    let mut used = Vec::new();
    for id in table.files().filter_map(|file| file.socket) {
        let is = |socket: &Socket| socket.is_used_by(process) && is_anothers(socket, process);
        if used.len() < MOST && model.socket(id).is_some_and(is) && !used.contains(&id) {
            used.push(id);
        }
    }
    used
}

/// Whether a process has a client's connection from another, without having been given it on purpose.
fn is_anothers(socket: &Socket, process: ProcId) -> bool {
    socket.is_connection()
        && !socket.accepted
        && socket.opened.process != process
        && socket.protocol() != Protocol::Unknown
        && !on_purpose(socket, process)
}

/// Whether a process used the connection before the child did: it has a session's state of its own.
fn was_before(socket: &Socket, spoken: &Spoken, process: ProcId) -> bool {
    process != spoken.process
        && socket.turns.iter().any(|turn| turn.process == process && turn.from < spoken.from)
}

/// A process that used the connection before, holds it, and has not said goodbye.
fn waiting(model: &Model, socket: &Socket, spoken: &Spoken) -> Option<ProcId> {
    let before = |id: &ProcId| {
        was_before(socket, spoken, *id)
            && !socket.has_said_goodbye(*id)
            && model.holds_socket(*id, socket.id, spoken.fd)
    };
    socket.turns.iter().map(|turn| turn.process).find(before)
}

/// `goes_on`: the user went on after the child; else it may.
fn draft(model: &Model, socket: &Socket, spoken: &Spoken, user: ProcId, goes_on: bool) -> Option<Draft> {
    if !both_ways(socket, spoken.process, user, 0) {
        return None;
    }
    let known = socket.protocol().keeps_state_in_user_memory();
    let severity = match (known, goes_on) {
        (true, true) if !spoken.as_stdio && !spoken.in_place => Severity::Error,
        (true, _) | (false, true) => Severity::Warning,
        (false, false) => return None,
    };
    let (child, pid) = (model.pid(spoken.process), model.pid(user));
    let program = model.process(spoken.process).map_or_else(String::new, |process| process.comm.to_string());
    let after = if goes_on { "goes on using it" } else { "holds it still" };
    let memory = if spoken.in_place {
        "It ran in its parent's memory, where it may only execute a program or exit (vfork(2))."
    } else {
        "What it knew of the session ended with the exec; the other's copy is of the time before the fork."
    };
    let mut steps: Vec<Step> = opened_step(socket, spoken.fd).into_iter().collect();
    steps.extend(fork_step(model, spoken.process, spoken.fd));
    steps.extend(
        socket.turns.iter().filter(|turn| told(turn, spoken, user)).map(|turn| turn_step(model, turn)),
    );
    let executed = Origin { time: spoken.executed, process: spoken.process, tid: child, nr: 0 };
    steps.push(Step::of(executed, format!("executed {program}, after it had used fd {}", spoken.fd)));
    steps.sort_by_key(|step| step.time);
    Some(Draft {
        claim: Claim {
            rule: RuleId::PreExecIo,
            severity,
            confidence: confidence(
                model,
                !socket.turns.iter().any(|turn| turn.assumed),
                &[spoken.process, user],
            ),
            says: Says::Possible,
            cause: Cause::Sharing(socket.id),
        },
        title: format!(
            "{child} used {} between fork and exec of {program}, and {pid} {after}",
            connection(socket)
        ),
        summary: format!(
            "{child} inherited fd {} by fork, used {pid}'s session on it, and executed {program}. {memory} {pid} {after}.",
            spoken.fd
        ),
        // Whose session it is, and whose program is to be changed.
        process: user,
        others: vec![spoken.process],
        fd: Some(spoken.fd),
        socket: Some(socket.id),
        nr: None,
        errno: None,
        time: model.now(),
        steps,
    })
}

/// The turns that matter: the child's, and what the other did after.
fn told(turn: &Turn, spoken: &Spoken, user: ProcId) -> bool {
    turn.process == spoken.process || turn.process == user && turn.from > spoken.from
}
