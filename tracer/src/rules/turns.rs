//! Who uses a connection in turn with whom, as several rules ask.

use super::Step;
use crate::model::{Crossing, Model, ProcId, Socket, Turn};
use std::iter::successors;

/// Generations that are looked through for what two processes descend from.
const MOST_GENERATIONS: usize = 64;

/// When two processes had one memory for the last time: what one has done since, the other does not
/// know. 0: that is not known.
pub(super) fn parted(model: &Model, socket: &Socket, one: ProcId, two: ProcId) -> u64 {
    // Each that a process descends from, and when its line left that one.
    let line = |id| {
        let up = |&(id, _): &(ProcId, u64)| {
            let process = model.process(id)?;
            Some((process.parent?, process.forked_at?))
        };
        successors(Some((id, u64::MAX)), up).take(MOST_GENERATIONS)
    };
    let common = line(one).find_map(|(ancestor, left)| {
        let (_, other_left) = line(two).find(|&(id, _)| id == ancestor)?;
        Some(left.min(other_left))
    });
    common.or(socket.crossed.map(Crossing::time)).unwrap_or(0)
}

/// Whether both have sent since the fork that parted them, as clients: each from its own copy of the
/// session's state, which knows nothing of what the other did. That is no hand-over, even if the one
/// that began never comes back.
pub(super) fn both_went_on(model: &Model, socket: &Socket, one: ProcId, two: ProcId) -> bool {
    if socket.accepted || socket.crossed.is_none() {
        return false;
    }
    let forked = parted(model, socket, one, two);
    let sent = |process| {
        socket
            .turns
            .iter()
            .any(|turn| turn.process == process && turn.from >= forked && turn.sent > 0 && !turn.is_goodbye())
    };
    sent(one) && sent(two)
}

/// The descriptor was passed over a socket, which nobody does by accident.
pub(super) fn on_purpose(socket: &Socket, process: ProcId) -> bool {
    socket.usage(process).is_some_and(|usage| usage.passed)
}

/// Whether both have used the same direction since a moment, and one of them reads: a writer and a reader do
/// not disturb each other, nor do two writers whom nobody answers.
pub(super) fn both_ways(socket: &Socket, one: ProcId, two: ProcId, since: u64) -> bool {
    let total = |process| {
        let its = socket.turns.iter().filter(|turn| turn.process == process && !turn.is_goodbye());
        its.filter(|turn| turn.from >= since || turn.assumed).fold(
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
