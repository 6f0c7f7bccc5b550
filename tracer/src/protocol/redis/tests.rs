//! Redis sessions shared by two processes, as signs.

use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction, Protocol, Sign, User};
use Direction::{Received, Sent};

const P: User = User(1);
const C: User = User(2);
const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";

/// The signs after the recognition, of transfers captured whole.
fn check(steps: &[(User, Direction, &[u8])], expected: &[Sign]) {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    for &(user, dir, data) in steps {
        wire.feed(user, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    assert_eq!(signs.split_first(), Some((&Sign::Recognised(Protocol::Redis), expected)));
}

fn asked(by: User) -> Sign {
    Sign::Request { by }
}

fn reply(requester: User, reader: User, sure: bool) -> Sign {
    Sign::Reply { requester: Some(requester), reader, sure }
}

#[test]
fn replies_swapped() {
    check(
        &[
            (P, Sent, GET),
            (C, Sent, GET),
            (C, Received, b"$1\r\n5\r\n"),
            (P, Received, b"*2\r\n:1\r\n+x\r\n"),
        ],
        &[asked(P), asked(C), reply(P, C, true), reply(C, P, true)],
    );
}

#[test]
fn a_pipeline_in_pieces() {
    let two = [GET, GET].concat();
    check(
        &[(P, Sent, &two[..25]), (P, Sent, &two[25..]), (P, Received, b"+O"), (P, Received, b"K\r\n$-1\r\n")],
        &[asked(P), asked(P), reply(P, P, true), reply(P, P, true)],
    );
}

#[test]
fn a_subscription_ends_certainty() {
    let subscribe = b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n";
    check(
        &[(P, Sent, subscribe), (P, Received, b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")],
        &[asked(P), reply(P, P, false)],
    );
}

#[test]
fn a_push_is_no_reply() {
    let push = b">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n";
    check(&[(P, Sent, GET), (C, Received, push), (P, Received, b"_\r\n")], &[asked(P), reply(P, P, true)]);
}

#[test]
fn a_command_cut() {
    check(
        &[(P, Sent, GET), (P, Sent, b"*2\r\n$3\r\nSET\r\n$100\r\npart"), (C, Sent, GET)],
        &[asked(P), asked(P), Sign::Torn { by: C, cut: P, missing: 98 }, asked(C)],
    );
}
