//! What to change where a process holds a connection that it does not use, whatever is spoken there.

use super::{fix, is_python};
use crate::model::Facts;
use crate::report::{Fix, RuleId};

pub(super) fn kept(rule: RuleId, facts: &Facts) -> Vec<Fix> {
    let on_exec = if is_python(facts) {
        fix(
            "start programs with close_fds=True, subprocess's default, and leave sockets non-inheritable",
            "what is inherited stays open in the program, which does not know of it",
        )
    } else {
        fix(
            "make the descriptor close-on-exec: SOCK_CLOEXEC with socket(2) and accept4(2), or FD_CLOEXEC with fcntl(2)",
            "else it stays open in each program that is executed, which does not know of it",
        )
    };
    if rule == RuleId::ExecLeak {
        return vec![on_exec];
    }
    vec![
        fix(
            "close it in the child, right after the fork",
            "the connection ends when the last descriptor for it is closed",
        ),
        on_exec,
        fix("call shutdown(2) before close(2)", "then the peer is told of the end, whoever holds a copy"),
    ]
}
