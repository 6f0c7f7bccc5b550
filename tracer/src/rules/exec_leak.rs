//! See [`TEXT`].

use super::history::{connection, fork_step, opened_step};
use super::{Cause, Claim, Draft, Drafts, Rule, Says, Step, confidence};
use crate::model::{Change, Holding, Model, Origin, ProcId, SockId, Socket, Topic};
use crate::report::{RuleId, Severity};
use rustc_hash::FxHashMap;

/// What the rule means.
pub(super) const TEXT: &str = "\
A connection survived exec into a program that never opened it and never uses it, while its owner goes on using it.

Descriptors stay open through exec unless they are close-on-exec. The new program does not know the number and cannot
close it: as long as it runs, the connection cannot end (see `pinned-connection`), and whoever takes the program over
has a descriptor into somebody else's session.

A connection that a program was given on purpose is not reported: as its standard input or output, over a socket, or
one that its former owner does not touch again. Neither is a program that ends within a second.

How to fix it: create descriptors close-on-exec: SOCK_CLOEXEC with socket(2) and accept4(2), O_CLOEXEC with open(2).
Python, Go, Java and Node.js do so unless told otherwise: look for close_fds=False, set_inheritable(True), or a library
in C that forgets it.";

/// How long a program must run before a leak is worth a word, in nanoseconds.
const GRACE: u64 = 1_000_000_000;
/// The most connections that are watched at once.
const MOST: usize = 1024;
/// The most programs that are watched of one connection.
const MOST_OF_ONE: usize = 16;

/// The rule `exec-leak`: connections that came through an exec and were not used since.
#[derive(Default)]
pub(super) struct ExecLeak {
    leaked: FxHashMap<SockId, Vec<Leak>>,
}

#[derive(Clone, Copy)]
struct Leak {
    process: ProcId,
    fd: i32,
    time: u64,
}

impl Rule for ExecLeak {
    fn topics(&self) -> &[Topic] {
        &[Topic::Executed, Topic::Used]
    }

    fn check(&mut self, model: &Model, change: &Change, out: &mut Drafts<'_>) {
        match *change {
            Change::Executed { process } => self.executed(model, process),
            Change::Used { socket, by, .. } if !self.leaked.is_empty() => {
                self.used(model, socket, by.process, out);
            }
            _ => {}
        }
    }
}

impl ExecLeak {
    /// What a process holds of others after exec.
    fn executed(&mut self, model: &Model, process: ProcId) {
        let Some(table) = model.table(process) else { return };
        let time = model.now();
        if self.leaked.len() >= MOST {
            self.leaked.retain(|id, _| model.socket(*id).is_some_and(Socket::is_open));
        }
        for (fd, holding) in table.iter().filter(|(fd, _)| *fd > 2) {
            let inherited = holding.origin().process != process;
            let Some(id) = holding.file.socket.filter(|_| inherited) else { continue };
            let Some(socket) = model.socket(id).filter(|socket| socket.is_connection()) else { continue };
            // A program that was given it has it, whatever other number it is under.
            let is_it = |holding: &Holding| holding.file.socket == Some(id);
            if (0..=2).any(|stream| table.holding(stream).is_some_and(is_it)) {
                continue;
            }
            if !socket.usage(process).is_some_and(|usage| usage.passed) {
                self.watch(model, id, Leak { process, fd, time });
            }
        }
    }

    fn watch(&mut self, model: &Model, id: SockId, leak: Leak) {
        if self.leaked.len() >= MOST && !self.leaked.contains_key(&id) {
            return;
        }
        let leaks = self.leaked.entry(id).or_default();
        // Of several programs that a process executes one after the other, the one that it runs has it.
        leaks.retain(|known| (known.process, known.fd) != (leak.process, leak.fd));
        if leaks.len() >= MOST_OF_ONE {
            leaks.retain(|leak| model.holds_socket(leak.process, id, leak.fd));
        }
        if leaks.len() < MOST_OF_ONE {
            leaks.push(leak);
        }
    }

    /// Somebody uses a connection: one that has it from an exec, or its owner.
    fn used(&mut self, model: &Model, id: SockId, user: ProcId, out: &mut Drafts<'_>) {
        let Some(leaks) = self.leaked.get_mut(&id) else { return };
        leaks.retain(|leak| leak.process != user && model.holds_socket(leak.process, id, leak.fd));
        let old = leaks.iter().position(|leak| model.now().saturating_sub(leak.time) >= GRACE);
        if let Some((leak, socket)) = old.map(|at| leaks.swap_remove(at)).zip(model.socket(id)) {
            out.push(draft(model, socket, &leak, user));
        }
        if leaks.is_empty() {
            self.leaked.remove(&id);
        }
    }
}

fn draft(model: &Model, socket: &Socket, leak: &Leak, user: ProcId) -> Draft {
    let (pid, user_pid) = (model.pid(leak.process), model.pid(user));
    let program = model.process(leak.process).map_or_else(String::new, |process| process.comm.to_string());
    let mut steps: Vec<Step> = opened_step(socket, leak.fd).into_iter().collect();
    steps.extend(fork_step(model, leak.process, leak.fd));
    let by = Origin { time: leak.time, process: leak.process, tid: pid, nr: 0 };
    let executed = format!("executed {program}, and fd {} is no close-on-exec descriptor", leak.fd);
    steps.push(Step::of(by, executed).on(leak.fd));
    Draft {
        claim: Claim {
            rule: RuleId::ExecLeak,
            severity: Severity::Warning,
            confidence: confidence(model, socket.opened.nr != 0, &[leak.process, user]),
            says: Says::Possible,
            cause: Cause::Pinning(socket.id),
        },
        title: format!("{} leaked into {program} as fd {}", connection(socket), leak.fd),
        summary: format!(
            "{pid} executed {program} with the connection open, and has not used it since; {user_pid} goes on using it. \
             Until {pid} ends, the connection cannot end."
        ),
        process: leak.process,
        others: vec![user],
        fd: Some(leak.fd),
        socket: Some(socket.id),
        nr: None,
        errno: None,
        time: model.now(),
        steps,
    }
}
