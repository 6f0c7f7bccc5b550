//! States in words.

use super::look::SeenSocket;
use crate::report::SocketNow;

/// States of sockets by number, from 1 (include/net/tcp_states.h), as ss(8) writes them
/// but for its abbreviations.
const STATES: [&str; 12] = [
    "established",
    "syn-sent",
    "syn-received",
    "fin-wait-1",
    "fin-wait-2",
    "time-wait",
    "unconnected",
    "close-wait",
    "last-ack",
    "listen",
    "closing",
    "syn-received",
];

/// A socket's state and queues.
pub(super) fn socket(seen: &SeenSocket) -> SocketNow {
    let state = usize::from(seen.socket.state).checked_sub(1).and_then(|place| STATES.get(place));
    SocketNow {
        state: (*state.unwrap_or(&"unknown")).to_owned(),
        receive_queue: seen.queues.map(|(receive, _)| receive.into()),
        send_queue: seen.queues.map(|(_, send)| send.into()),
    }
}

/// A thread's state (proc_pid_stat(5), field 3).
pub(super) fn thread(letter: u8) -> &'static str {
    match letter {
        b'R' => "running",
        b'S' => "sleeping",
        b'D' => "sleeping, not to be interrupted",
        b'T' => "stopped",
        b't' => "stopped by a tracer",
        b'Z' => "ended, not waited for",
        b'I' => "idle",
        b'X' => "ended",
        _ => "unknown",
    }
}
