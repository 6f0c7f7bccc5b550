//! What to change, for this program: by rule, by what the process has loaded and set, by
//! what the connection speaks.

mod client;
mod event_loop;
mod grpc;
mod kept;
mod server;
mod stalled;

use crate::model::Facts;
use crate::protocol::Protocol;
use crate::report::{Fix, RuleId};
use client::of_protocol;
use event_loop::event_loop;
use grpc::grpc;
use kept::kept;
use stalled::stalled;

pub use server::Server;

/// The advice for a finding, best first. `server`: one of its processes is such a server's.
#[must_use]
pub fn fixes(rule: RuleId, protocol: Protocol, facts: Option<&Facts>, server: Option<Server>) -> Vec<Fix> {
    let facts = facts.cloned().unwrap_or_default();
    if rule == RuleId::StalledChild {
        return stalled(&facts);
    }
    if matches!(rule, RuleId::ExecLeak | RuleId::PinnedConnection) {
        return server.map(Server::fix).into_iter().chain(kept(rule, &facts)).collect();
    }
    let first: Vec<Fix> = server.map(Server::fix).into_iter().chain(of_rule(rule, &facts)).collect();
    // After a late attach nothing may have been said on the connection that would tell what it speaks.
    let may_be_grpc = matches!(protocol, Protocol::Http2 | Protocol::Unknown);
    if may_be_grpc && facts.libraries.contains_key("grpc") {
        return first.into_iter().chain(grpc(&facts)).collect();
    }
    if matches!(rule, RuleId::SharedEpoll | RuleId::SharedWakeup) {
        return event_loop(&facts);
    }
    let mut fixes = of_protocol(protocol, &facts);
    fixes.splice(0..0, first);
    if rule == RuleId::InheritedConnection && fixes.is_empty() {
        return vec![fix(
            "open connections after the fork, or close them in the child",
            "what nobody shares, nobody can disturb",
        )];
    }
    fixes.push(fix(
        "open the connection after the fork, in the process that uses it",
        "parent and child then have a socket each, and nothing in user memory to keep in step",
    ));
    if is_python(&facts) {
        fixes.push(fix(
            "start children with multiprocessing.get_context(\"spawn\") or \"forkserver\"",
            "such a child starts empty: it inherits no connection and no library state",
        ));
    }
    fixes
}

/// What to change for this rule, whatever the connection speaks.
fn of_rule(rule: RuleId, facts: &Facts) -> Option<Fix> {
    match rule {
        RuleId::PreExecIo if is_python(facts) => Some(fix(
            "take the connection's use out of preexec_fn: do it before the Popen, and give the result as an argument",
            "between fork and exec there is only a copy of the parent's session; of what preexec_fn is used for most, \
             subprocess has parameters: start_new_session, process_group, user, umask, cwd, pass_fds",
        )),
        RuleId::PreExecIo => Some(fix(
            "do nothing but what the exec needs between fork and exec: ask before the fork, and give the answer as an argument",
            "between fork and exec there is only a copy of the parent's session",
        )),
        RuleId::ForkInFlight => Some(fix(
            "fork before the first request, or when all have been answered and the threads that send them have ended",
            "a request that is under way at the fork is under way in two processes, and is answered once",
        )),
        // Their advice is by what the connection speaks, or stands apart in `fixes`.
        RuleId::StalledChild
        | RuleId::SharedEpoll
        | RuleId::SharedWakeup
        | RuleId::Enotsock
        | RuleId::StaleDescriptor
        | RuleId::MisdirectedBytes
        | RuleId::SharedStream
        | RuleId::StolenReply
        | RuleId::ForeignGoodbye
        | RuleId::PinnedConnection
        | RuleId::ExecLeak
        | RuleId::InheritedConnection => None,
    }
}

fn is_python(facts: &Facts) -> bool {
    let name = facts.exe.as_deref().and_then(|exe| exe.rsplit('/').next());
    facts.libraries.contains_key("python") || name.is_some_and(|name| name.starts_with("python"))
}

fn fix(text: &str, why: &str) -> Fix {
    Fix { text: text.into(), why: why.into() }
}

#[cfg(test)]
mod tests;
