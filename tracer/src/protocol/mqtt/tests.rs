//! MQTT sessions shared by two processes, as signs.

use super::packet::{fits, head};
use crate::protocol::kept::nothing;
use crate::protocol::twice::Twice;
use crate::protocol::walker::Head;
use crate::protocol::{Chunk, Direction, Protocol, Sign, User};
use Direction::{Received, Sent};

const P: User = User(1);
const C: User = User(2);

const CONNECT: &[u8] = b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0";
const CONNACK: &[u8] = b"\x20\x02\0\0";
const PING: &[u8] = b"\xc0\0";
const PONG: &[u8] = b"\xd0\0";

/// Signs after a login by P, of transfers captured whole or up to so many bytes.
fn signs(steps: &[(User, Direction, &[u8], usize)]) -> Vec<Sign> {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    for &(user, dir, data, captured) in
        [(P, Sent, CONNECT, 99), (P, Received, CONNACK, 99)].iter().chain(steps)
    {
        let chunk = Chunk::new(&data[..captured.min(data.len())], data.len() as u64);
        wire.feed(user, dir, chunk, &mut |sign| signs.push(sign));
    }
    let [Sign::Recognised(Protocol::Mqtt), Sign::Request { .. }, Sign::Reply { .. }, rest @ ..] = &signs[..]
    else {
        panic!("{signs:?}")
    };
    rest.iter().filter(|sign| !matches!(sign, Sign::Request { .. })).copied().collect()
}

fn reply(requester: Option<User>, reader: User, sure: bool) -> Sign {
    Sign::Reply { requester, reader, sure }
}

#[test]
fn who_asked() {
    let publish = b"\x32\x08\0\x01t\0\x07abc".as_slice();
    let (ack, received) = (b"\x40\x02\0\x07".as_slice(), b"\x30\x05\0\x01tab".as_slice());
    for (steps, expected) in [
        (&[(P, Sent, PING, 9), (C, Received, PONG, 9)][..], vec![reply(Some(P), C, true)]),
        (&[(P, Sent, publish, 99), (C, Received, ack, 9)], vec![reply(Some(P), C, true)]),
        (
            &[(P, Sent, publish, 99), (C, Received, received, 9), (P, Received, ack, 9)],
            vec![reply(Some(P), P, true)],
        ),
        // The id was not captured.
        (&[(P, Sent, publish, 6), (C, Received, ack, 9)], vec![reply(None, C, false)]),
        (
            &[(P, Sent, publish, 6), (C, Sent, publish, 99), (P, Received, ack, 9)],
            vec![reply(Some(C), P, false)],
        ),
    ] {
        assert_eq!(signs(steps), expected, "{steps:?}");
    }
}

#[test]
fn goodbyes() {
    let goodbye = Sign::Goodbye { by: C, message: "DISCONNECT" };
    let told = Sign::PeerGoodbye { reader: P, message: "DISCONNECT" };
    let expected = [goodbye, told];
    assert_eq!(signs(&[(C, Sent, b"\xe0\0", 9), (P, Received, b"\xe0\x01\x8e", 9)]), expected);
}

#[test]
fn packets_where_none_was_expected() {
    for (data, fit, is_packet) in [
        (CONNECT, Some(true), true),
        (b"\x30\x05\0\x01tab", Some(false), true),
        (b"\x30\x05\0\x01tab\x30\x05\0\x01tab", Some(true), true),
        (b"\x30\x05\0\x09tab", None, true),
        (b"\x30\x05\0\0tab", None, true),
        (b"\x30\x05\0\x01\x01ab", None, true),
        (b"\x36\x05\0\x01tab", None, false),
        (b"\x30\x85\0\0\x01tab", None, false),
        (PING, None, true),
        (b"\xc1\0", None, false),
        (b"\0\0", None, false),
        (b"\x30\xff\xff\xff\xff\x01", None, false),
        (b"\x30", None, false),
    ] {
        let found = fits(data, data.len() as u64, &mut nothing).map(|fit| fit.sure);
        assert_eq!(found, fit, "{}", data.escape_ascii());
        assert_eq!(matches!(head(data), Head::Message { .. }), is_packet, "{}", data.escape_ascii());
    }
}
