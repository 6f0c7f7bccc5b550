//! One readable line an event, as strace(1) writes it: `+0.000123 PID/TID call(fd, argument…) = result`.
//!
//! Arguments stand in their places in the system call, as numbers or names that strace would
//! print. What no probe takes along (pointers, addresses that the kernel wrote) is `_`, and `...`
//! where nothing known follows.

mod arguments;
mod call;
mod names;
mod other;
mod value;
mod worth;

pub use worth::worth;

use crate::event::{Event, What};
use std::fmt::Write;

/// Appends the event's line, without a newline; nothing for what is told beside calls (sockets, snapshots).
/// `start` is the session's start, in nanoseconds of `CLOCK_MONOTONIC`. Allocates nothing but room in `out`.
pub fn line(event: &Event<'_>, start: u64, out: &mut String) {
    if matches!(event.what, What::Socket(..) | What::Snapshot(_)) {
        return;
    }
    // An event that was under way when the session began is no earlier than it.
    let micros = event.time.saturating_sub(start) / 1000;
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    // Writing to a String cannot fail.
    let _ = write!(out, "+{seconds}.{micros:06} {}/{} ", event.process.tgid, event.tid);
    match event.what {
        What::Call(record, payload) => call::call(record, payload, out),
        What::Io(record, payload) => call::transfer(record, payload, out),
        What::Fork(record) => other::fork(record, out),
        What::Exec(record, payload) => other::exec(record, payload, out),
        What::Exit(record) => other::exit(record, out),
        What::Uring(record) => other::uring(record, out),
        What::Passed(record) => other::passed(record, out),
        What::Plaintext(record, payload) => other::plaintext(record, payload, out),
        What::Compat => out.push_str("made a 32-bit call: its calls are not read"),
        What::Glance(seen) => other::glance(seen, out),
        What::Socket(..) | What::Snapshot(_) => {}
    }
}

#[cfg(test)]
mod tests;
