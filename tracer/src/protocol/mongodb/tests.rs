//! MongoDB sessions shared by two processes, as signs.

use super::message::fits;
use crate::protocol::kept::nothing;
use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction, Protocol, Sign, User};
use Direction::{Received, Sent};

const P: User = User(1);
const C: User = User(2);
const OP_MSG: u32 = 2013;
const OP_COMPRESSED: u32 = 2012;

/// A message with an empty document, or one compressed.
fn message(id: u32, answers: u32, operation: u32, flags: u32) -> Vec<u8> {
    let body: &[u8] = b"\0\x05\0\0\0\0";
    let length = 20 + body.len() as u32;
    let numbers = [length, id, answers, operation, flags];
    [&numbers.map(u32::to_le_bytes).concat(), body].concat()
}

/// Signs after a first command by P: (user, own id, the id answered, operation, flags).
fn signs(steps: &[(User, u32, u32, u32, u32)]) -> Vec<Sign> {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    for &(user, id, answers, operation, flags) in
        [(P, 1, 0, OP_MSG, 0), (P, 50, 1, OP_MSG, 0)].iter().chain(steps)
    {
        let data = message(id, answers, operation, flags);
        let dir = if answers == 0 { Sent } else { Received };
        wire.feed(user, dir, Chunk::new(&data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    let [Sign::Recognised(Protocol::MongoDb), Sign::Request { .. }, Sign::Reply { .. }, rest @ ..] =
        &signs[..]
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
    const MORE: u32 = 2;
    for (steps, expected) in [
        (&[(P, 7, 0, OP_MSG, 0), (P, 51, 7, OP_MSG, 0)][..], vec![reply(Some(P), P)]),
        (&[(P, 7, 0, OP_MSG, 0), (C, 51, 7, OP_MSG, 0)], vec![reply(Some(P), C)]),
        (
            &[(P, 7, 0, OP_MSG, 0), (C, 8, 0, OP_MSG, 0), (P, 51, 8, OP_MSG, 0), (C, 52, 7, OP_MSG, 0)],
            vec![reply(Some(C), P), reply(Some(P), C)],
        ),
        // What wants no answer gets none.
        (&[(P, 7, 0, OP_MSG, MORE), (C, 7, 0, OP_MSG, 0), (C, 51, 7, OP_MSG, 0)], vec![reply(Some(C), C)]),
        (
            &[(P, 7, 0, OP_COMPRESSED, OP_MSG), (C, 7, 0, OP_MSG, 0), (C, 51, 7, OP_MSG, 0)],
            vec![reply(None, C)],
        ),
    ] {
        assert_eq!(signs(steps), expected, "{steps:?}");
    }
}

#[test]
fn messages_where_none_was_expected() {
    let whole = message(7, 0, OP_MSG, 0);
    let with = |at: usize, byte: u8| {
        let mut data = whole.clone();
        data[at] = byte;
        data
    };
    for (data, len, fits_here) in [
        (whole.clone(), 26, true),
        ([whole.clone(), message(8, 0, OP_MSG, 2)].concat(), 52, true),
        (message(7, 6, OP_MSG, 0), 26, true),
        (message(7, 6, OP_COMPRESSED, OP_MSG), 26, true),
        ([whole.clone(), message(8, 1, OP_MSG, 0)].concat(), 52, false),
        (with(12, 0), 26, false),
        (with(16, 4), 26, false),
        (with(20, 9), 26, false),
        (with(21, 99), 26, false),
        (with(3, 0x7f), 26, false),
        (with(0, 16), 26, false),
        (whole[..19].to_vec(), 19, false),
    ] {
        assert_eq!(fits(&data, len, &mut nothing).is_some(), fits_here, "{data:?}");
    }
}
