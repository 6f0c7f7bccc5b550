//! For a child that waits for what did not cross its fork.

use super::grpc::grpc;
use super::{fix, is_python};
use crate::model::Facts;
use crate::report::Fix;

/// What helps where the threads that a child needs did not cross the fork.
pub(super) fn stalled(facts: &Facts) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if is_python(facts) {
        fixes.push(fix(
            "start children with multiprocessing.get_context(\"spawn\") or \"forkserver\"",
            "such a child starts empty: it has no copy of a lock that is held, or of a library without its threads",
        ));
        if facts.libraries.contains_key("grpc") {
            fixes.extend(grpc(facts).into_iter().filter(|fix| fix.text.contains("GRPC_ENABLE_FORK_SUPPORT")));
        }
        fixes.push(fix(
            "for a lock of your own: os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, \
             after_in_child=lock.release)",
            "no other thread holds the lock at the fork then, and both copies are free after it",
        ));
    } else {
        fixes.push(fix(
            "start the child with posix_spawn(3), or execute a program right after the fork",
            "a new program has no copy of a lock that is held, or of a library without its threads",
        ));
        fixes.push(fix(
            "for a lock of your own: take it before the fork and release it on both sides, with pthread_atfork(3)",
            "no other thread holds the lock at the fork then, and both copies are free after it",
        ));
    }
    fixes.push(fix(
        "fork before the first thread is started",
        "what has one thread crosses a fork whole; libraries start threads of their own when they are first used",
    ));
    fixes
}
