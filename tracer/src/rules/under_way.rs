//! What was under way at a fork, in words.

use super::Step;
use crate::model::{Asked, Model, ProcId};
use crate::protocol::{Direction, InFlight};

/// What was under way, as a clause: "HTTP/2 streams 3 and 5 were open".
pub(super) fn clause(flight: &InFlight) -> Option<String> {
    match flight {
        InFlight::Unknown | InFlight::Nothing => None,
        InFlight::Streams { count, oldest, .. } => {
            let mut names: Vec<String> = oldest.iter().map(|(id, _)| id.to_string()).collect();
            if *count > names.len() {
                names.push(format!("{} more", count - names.len()));
            }
            Some(match names.as_slice() {
                [one] => format!("HTTP/2 stream {one} was open"),
                [first @ .., last] => format!("HTTP/2 streams {} and {last} were open", first.join(", ")),
                [] => return None,
            })
        }
        InFlight::Requests { count: 1, begun: true, .. } => Some("a reply was read in part".to_owned()),
        InFlight::Requests { count: 1, .. } => Some("a request awaited its reply".to_owned()),
        InFlight::Requests { count, .. } => Some(format!("{count} requests awaited their replies")),
        InFlight::Message(Direction::Sent) => Some("a record was sent in part".to_owned()),
        InFlight::Message(Direction::Received) => Some("a record was received in part".to_owned()),
    }
}

/// The threads that a fork leaves behind; `None` where there was only one.
pub(super) fn threads(model: &Model, child: ProcId) -> Option<String> {
    let others = model.process(child)?.threads_at_fork?.checked_sub(1)?;
    match others {
        0 => None,
        1 => Some("the other thread".to_owned()),
        _ => Some(format!("the {others} other threads")),
    }
}

/// A request as a step.
pub(super) fn request_step(asked: &Asked) -> Step {
    let what = match asked.stream {
        Some(stream) => format!("opened HTTP/2 stream {stream}"),
        None => "sent a request".to_owned(),
    };
    Step::of(asked.by, what).on(asked.fd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::User;

    #[test]
    fn clauses() {
        let streams = |count, ids: &[u32]| InFlight::Streams {
            count,
            oldest: ids.iter().map(|&id| (id, User(1))).collect(),
            sure: true,
        };
        let requests = |count, begun| InFlight::Requests { count, first: User(1), begun };
        for (flight, expected) in [
            (InFlight::Unknown, None),
            (InFlight::Nothing, None),
            (streams(1, &[3]), Some("HTTP/2 stream 3 was open")),
            (streams(2, &[3, 5]), Some("HTTP/2 streams 3 and 5 were open")),
            (streams(9, &[1, 3, 5, 7]), Some("HTTP/2 streams 1, 3, 5, 7 and 5 more were open")),
            (requests(1, false), Some("a request awaited its reply")),
            (requests(1, true), Some("a reply was read in part")),
            (requests(3, true), Some("3 requests awaited their replies")),
            (InFlight::Message(Direction::Received), Some("a record was received in part")),
        ] {
            assert_eq!(clause(&flight).as_deref(), expected);
        }
    }
}
