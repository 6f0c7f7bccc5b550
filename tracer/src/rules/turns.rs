//! Who uses a connection in turn with whom, as several rules ask.

use super::Step;
use crate::model::{Model, ProcId, Socket, Turn};

/// Whether both have sent since the fork, as clients: each from its own copy of the session's state, which knows
/// nothing of what the other did. That is no hand-over, even if the one that began never comes back.
pub(super) fn both_went_on(socket: &Socket, one: ProcId, two: ProcId) -> bool {
    let Some((_, _, forked)) = socket.crossed else { return false };
    let sent = |process| {
        socket
            .turns
            .iter()
            .any(|turn| turn.process == process && turn.from >= forked && turn.sent > 0 && !turn.is_goodbye())
    };
    !socket.accepted && sent(one) && sent(two)
}

/// The descriptor was passed over a socket, which nobody does by accident.
pub(super) fn on_purpose(socket: &Socket, process: ProcId) -> bool {
    socket.usage(process).is_some_and(|usage| usage.passed)
}

/// Whether both have used the same direction since a moment, and one of them reads: a writer and a reader do not disturb
/// each other, nor do two writers whom nobody answers.
pub(super) fn both_ways(socket: &Socket, one: ProcId, two: ProcId, since: u64) -> bool {
    let total = |process| {
        let its = socket.turns.iter().filter(|turn| turn.process == process && !turn.is_goodbye());
        its.filter(|turn| turn.to >= since || turn.assumed).fold(
            (0u64, 0u64, false),
            |(sent, received, any), turn| {
                (sent.saturating_add(turn.sent), received.saturating_add(turn.received), any || turn.assumed)
            },
        )
    };
    let ((sent, received, assumed), (other_sent, other_received, other_assumed)) = (total(one), total(two));
    let both_sent = (sent > 0 || assumed) && (other_sent > 0 || other_assumed);
    let both_received = (received > 0 || assumed) && (other_received > 0 || other_assumed);
    (both_sent || both_received) && (received > 0 || other_received > 0)
}

/// A turn as a step.
pub(super) fn turn_step(model: &Model, turn: &Turn) -> Step {
    let pid = model.pid(turn.process);
    let what = match (turn.sent, turn.received) {
        (sent, 0) => format!("{pid} sent {sent} bytes"),
        (0, received) => format!("{pid} received {received} bytes"),
        (sent, received) => format!("{pid} sent {sent} and received {received} bytes"),
    };
    Step::turn(turn, what)
}
