//! Kafka sessions shared by two processes, as signs.

use super::message::fits;
use crate::protocol::kept::nothing;
use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction, Protocol, Sign, User};
use Direction::{Received, Sent};

const P: User = User(1);
const C: User = User(2);

fn request(key: u8, correlation: u8) -> Vec<u8> {
    [&[0, 0, 0, 15, 0, key, 0, 1, 0, 0, 0, correlation, 0, 3], &b"appab"[..]].concat()
}

/// Signs of requests (key, correlation id) and of responses, after a first request by P.
fn signs(steps: &[(User, Option<u8>, u8)]) -> Vec<Sign> {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    for &(user, key, id) in [(P, Some(18), 1), (P, None, 1)].iter().chain(steps) {
        let (dir, data) = match key {
            Some(key) => (Sent, request(key, id)),
            None => (Received, vec![0, 0, 0, 6, 0, 0, 0, id, 9, 9]),
        };
        wire.feed(user, dir, Chunk::new(&data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    let [Sign::Recognised(Protocol::Kafka), Sign::Request { .. }, Sign::Reply { .. }, rest @ ..] = &signs[..]
    else {
        panic!("{signs:?}")
    };
    rest.iter().filter(|sign| !matches!(sign, Sign::Request { .. })).copied().collect()
}

fn reply(requester: Option<User>, reader: User) -> Sign {
    Sign::Reply { requester, reader, sure: requester.is_some() }
}

#[test]
fn who_asked() {
    const FETCH: Option<u8> = Some(1);
    const PRODUCE: Option<u8> = Some(0);
    for (steps, expected) in [
        (&[(P, FETCH, 2), (P, None, 2)][..], vec![reply(Some(P), P)]),
        (&[(P, FETCH, 2), (C, None, 2)], vec![reply(Some(P), C)]),
        // Both count on from the same number: the broker answers in order.
        (
            &[(P, FETCH, 2), (C, FETCH, 2), (C, None, 2), (P, None, 2)],
            vec![reply(Some(P), C), reply(Some(C), P)],
        ),
        // The first may have wanted no answer.
        (&[(P, PRODUCE, 2), (C, FETCH, 2), (C, None, 2)], vec![reply(None, C)]),
        (&[(C, None, 7)], vec![reply(None, C)]),
    ] {
        assert_eq!(signs(steps), expected, "{steps:?}");
    }
}

#[test]
fn requests_where_none_was_expected() {
    let whole = request(1, 2);
    let with = |at: usize, byte: u8| {
        let mut data = whole.clone();
        data[at] = byte;
        data
    };
    for (data, len, fit) in [
        (whole.clone(), 19, Some(true)),
        ([whole.clone(), request(3, 4)].concat(), 38, Some(true)),
        (with(3, 200), 19, Some(false)),
        (with(5, 99), 19, Some(true)),
        (with(4, 1), 19, None),
        (with(6, 1), 19, None),
        (with(0, 0x7f), 19, None),
        (with(3, 9), 13, None),
        // No name, one longer than the request, one that is no text.
        (with(13, 0), 19, None),
        (with(13, 9), 19, None),
        (with(15, 1), 19, None),
    ] {
        assert_eq!(fits(&data, len, &mut nothing).map(|fit| fit.sure), fit, "{data:?}");
    }
}
