//! AMQP sessions shared by two processes, as signs.

use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction, Sign, User};
use Direction::{Received, Sent};

const P: User = User(1);
const C: User = User(2);

const OPEN: (u16, u16) = (20, 10);
const OPEN_OK: (u16, u16) = (20, 11);
const CLOSE: (u16, u16) = (20, 40);
const CLOSE_OK: (u16, u16) = (20, 41);
const DECLARE: (u16, u16) = (50, 10);
const DECLARE_OK: (u16, u16) = (50, 11);
const PUBLISH: (u16, u16) = (60, 40);
const END: (u16, u16) = (10, 50);
const END_OK: (u16, u16) = (10, 51);

/// A method with two bytes of arguments.
fn method(channel: u16, (class, number): (u16, u16)) -> Vec<u8> {
    let [channel, class, number] = [channel, class, number].map(u16::to_be_bytes);
    [&[1], &channel[..], &6u32.to_be_bytes(), &class, &number, b"ab\xce"].concat()
}

/// What is said of methods after P has opened channel 1, but for requests.
fn signs(steps: &[(User, Direction, u16, (u16, u16))]) -> Vec<Sign> {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    let mut feed = |user, dir, data: &[u8]| {
        wire.feed(user, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    };
    feed(P, Sent, b"AMQP\0\0\x09\x01");
    for &(user, dir, channel, numbers) in [(P, Sent, 1, OPEN), (P, Received, 1, OPEN_OK)].iter().chain(steps)
    {
        feed(user, dir, &method(channel, numbers));
    }
    let known = signs.drain(..3).collect::<Vec<_>>();
    assert!(
        matches!(known[..], [Sign::Recognised(_), Sign::Request { by: P }, Sign::Reply { .. }]),
        "{known:?}"
    );
    signs.retain(|sign| !matches!(sign, Sign::Request { .. }));
    signs
}

fn reply(requester: Option<User>, reader: User) -> Sign {
    Sign::Reply { requester, reader, sure: requester.is_some() }
}

#[test]
fn who_asked() {
    for (steps, expected) in [
        (&[(P, Sent, 1, DECLARE), (P, Received, 1, DECLARE_OK)][..], vec![reply(Some(P), P)]),
        (&[(P, Sent, 1, DECLARE), (C, Received, 1, DECLARE_OK)], vec![reply(Some(P), C)]),
        (
            &[
                (P, Sent, 1, DECLARE),
                (C, Sent, 2, OPEN),
                (P, Received, 2, OPEN_OK),
                (C, Received, 1, DECLARE_OK),
            ],
            vec![reply(Some(C), P), reply(Some(P), C)],
        ),
        // One of the two may have wanted no answer.
        (&[(P, Sent, 1, DECLARE), (C, Sent, 1, DECLARE), (C, Received, 1, DECLARE_OK)], vec![reply(None, C)]),
        (&[(P, Received, 1, DECLARE_OK)], vec![reply(None, P)]),
    ] {
        assert_eq!(signs(steps), expected, "{steps:?}");
    }
}

#[test]
fn channels() {
    let used = Sign::UsedAfterEnd { stream: 1, opener: P, by: C };
    for (steps, expected) in [
        (&[(C, Sent, 1, CLOSE), (C, Received, 1, CLOSE_OK)][..], vec![]),
        (&[(C, Sent, 1, CLOSE), (P, Sent, 1, PUBLISH), (P, Sent, 1, PUBLISH)], vec![used]),
        (&[(C, Sent, 1, CLOSE), (P, Sent, 1, CLOSE)], vec![]),
        (&[(C, Sent, 1, CLOSE), (C, Sent, 1, OPEN), (P, Sent, 1, PUBLISH)], vec![]),
        (&[(P, Sent, 1, CLOSE), (C, Sent, 1, OPEN)], vec![]),
        (&[(C, Sent, 1, OPEN)], vec![Sign::StreamReused { stream: 1, first: P, again: C }]),
        (&[(P, Received, 1, CLOSE), (C, Sent, 1, OPEN)], vec![]),
        (&[(C, Sent, 2, OPEN), (C, Sent, 2, CLOSE), (P, Sent, 1, PUBLISH)], vec![]),
    ] {
        assert_eq!(signs(steps), expected, "{steps:?}");
    }
}

#[test]
fn goodbyes() {
    let goodbye = Sign::Goodbye { by: C, message: "Connection.Close" };
    let told = |message| Sign::PeerGoodbye { reader: P, message };
    assert_eq!(signs(&[(C, Sent, 0, END), (P, Received, 0, END_OK)]), [goodbye, told("Connection.CloseOk")]);
    assert_eq!(signs(&[(P, Received, 0, END)]), [told("Connection.Close")]);
}

#[test]
fn a_content_body_cut() {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    let publish = method(1, PUBLISH);
    let (body, heartbeat) =
        (b"\x03\0\x01\0\0\0\x64only a part".as_slice(), b"\x08\0\0\0\0\0\0\xce".as_slice());
    for (user, data) in [(P, b"AMQP\0\0\x09\x01".as_slice()), (P, &publish), (P, body), (C, heartbeat)] {
        wire.feed(user, Sent, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    assert_eq!(signs[1..], [Sign::Torn { by: C, cut: P, missing: 90 }]);
}
