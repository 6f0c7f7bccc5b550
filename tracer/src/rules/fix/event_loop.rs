//! For event loops that cross a fork.

use super::{fix, is_python};
use crate::model::Facts;
use crate::report::Fix;

/// What the libraries of event loops want to be told at a fork.
const LOOPS: [(&str, &str); 3] = [
    ("libuv", "call uv_loop_fork() first thing in the child, on the loop that it goes on with"),
    ("libev", "call ev_loop_fork() first thing in the child, on the loop that it goes on with"),
    ("libevent", "call event_reinit() first thing in the child, on the base that it goes on with"),
];

/// What helps where two processes run one loop.
pub(super) fn event_loop(facts: &Facts) -> Vec<Fix> {
    let mut fixes: Vec<Fix> = LOOPS
        .iter()
        .filter(|(library, _)| facts.libraries.contains_key(*library))
        .map(|(library, text)| {
            fix(text, &format!("{library} then makes an epoll instance of the child's own"))
        })
        .collect();
    fixes.push(fix(
        "make the event loop after the fork, in the process that runs it",
        "what an inherited loop registers, and the wake-ups that it writes, are its parent's, too",
    ));
    if is_python(facts) {
        fixes.push(fix(
            "with asyncio, let the child make its own loop, by asyncio.run(), and not use or close the inherited one",
            "to close the inherited loop takes what its parent waits for off the shared epoll instance",
        ));
        fixes.push(fix(
            "start children with multiprocessing.get_context(\"spawn\") or \"forkserver\"",
            "such a child starts empty: it inherits no event loop",
        ));
    }
    fixes
}
