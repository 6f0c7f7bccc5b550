//! MySQL's packets, and sessions shared by two processes.

use super::*;
use crate::protocol::kept::nothing;
use crate::protocol::twice::Twice;
use Direction::{Received, Sent};

#[test]
fn packets() {
    let mut greeting = b"\x4a\0\0\0\x0a8.0.36\0".to_vec();
    greeting.resize(78, 7);
    for (data, begins, fit) in [
        (&greeting[..], true, false),
        (b"\x09\0\0\0\x03SELECT 1", false, true),
        (b"\x0b\0\0\0\x03\0\x01select 1", false, true),
        (b"\x09\0\0\0\x03abcdefgh", false, false),
        (b"\x08\0\0\0\x03SELECT 1", false, false),
        (b"\x01\0\0\0\x01", false, false),
        (b"\x07\0\0\x01\0\0\0\x02\0\0\0", false, false),
        (b"\x07\0\0", false, false),
    ] {
        assert_eq!(opens(data, &mut nothing).is_some(), begins, "{data:?}");
        assert_eq!(fits(data, data.len() as u64, &mut nothing).is_some(), fit, "{data:?}");
    }
}

const P: User = User(1);
const C: User = User(2);
const QUERY: &[u8] = b"\x09\0\0\0\x03SELECT 1";
const OK: &[u8] = b"\x07\0\0\x01\0\0\0\x02\0\0\0";

/// The signs of these transfers after a login by P, each captured up to 256 bytes.
fn check(steps: &[(User, Direction, &[u8])], expected: &[Sign]) {
    let mut greeting = b"\x4a\0\0\0\x0a8.0.36\0".to_vec();
    greeting.resize(78, 7);
    let login = [
        (P, Received, &greeting[..4]),
        (P, Received, &greeting[4..]),
        (P, Sent, b"\x04\0\0\x01user".as_slice()),
        (P, Received, b"\x07\0\0\x02\0\0\0\x02\0\0\0"),
    ];
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    for &(user, dir, data) in login.iter().chain(steps) {
        let chunk = Chunk::new(&data[..data.len().min(256)], data.len() as u64);
        wire.feed(user, dir, chunk, &mut |sign| signs.push(sign));
    }
    assert_eq!(signs.split_first(), Some((&Sign::Recognised(Protocol::Mysql), expected)));
}

fn asked(by: User) -> Sign {
    Sign::Request { by }
}

fn reply(requester: User, reader: User, sure: bool) -> Sign {
    Sign::Reply { requester: Some(requester), reader, sure }
}

#[test]
fn a_goodbye() {
    const QUIT: &[u8] = b"\x01\0\0\0\x01";
    check(&[(C, Sent, QUIT)], &[Sign::Goodbye { by: C, message: "COM_QUIT" }]);
}

#[test]
fn replies_swapped() {
    check(
        &[(P, Sent, QUERY), (C, Sent, QUERY), (C, Received, OK), (P, Received, OK)],
        &[asked(P), asked(C), reply(P, C, true), reply(C, P, true)],
    );
}

#[test]
fn one_after_the_other_with_headers_read_alone() {
    check(
        &[
            (P, Sent, QUERY),
            (P, Received, &OK[..4]),
            (P, Received, &OK[4..]),
            (C, Sent, QUERY),
            (C, Received, OK),
        ],
        &[asked(P), reply(P, P, true), asked(C), reply(C, C, true)],
    );
}

#[test]
fn a_reply_of_more_packets_than_a_byte_counts() {
    let packets: Vec<u8> = (1..600u32).flat_map(|at| [2, 0, 0, at as u8, 1, b'x']).collect();
    let steps: Vec<_> = packets.chunks(240).map(|part| (P, Received, part)).collect();
    let steps = [&[(P, Sent, QUERY), (C, Sent, QUERY)], &steps[..], &[(C, Received, OK)]].concat();
    check(&steps, &[asked(P), asked(C), reply(P, P, true), reply(C, C, true)]);
}

#[test]
fn after_a_long_reply_the_next_is_found_again() {
    let rows = b"\x01\0\0\x01\x01\x04\0\0\x02defg\x05\0\0\x03xxxxx".iter().copied();
    let rows: Vec<u8> = rows.chain([b'x'; 4000]).collect();
    check(
        &[
            (P, Sent, QUERY),
            (P, Received, &rows),
            (P, Sent, QUERY),
            (C, Sent, QUERY),
            (C, Received, OK),
            (P, Received, OK),
        ],
        &[asked(P), reply(P, P, true), asked(P), asked(C), reply(P, C, false), reply(C, P, false)],
    );
}

#[test]
fn a_statement_cut() {
    check(
        &[(P, Sent, &QUERY[..8]), (C, Sent, QUERY)],
        &[asked(P), Sign::Torn { by: C, cut: P, missing: 5 }, asked(C)],
    );
}

/// After the client's SSLRequest the login goes on inside TLS, where it was: in packet 2.
#[test]
fn a_session_goes_on_inside_tls() {
    use crate::protocol::Wire;
    let mut greeting = b"\x4a\0\0\0\x0a8.0.36\0".to_vec();
    greeting.resize(78, 7);
    let mut request = b"\x20\0\0\x01".to_vec();
    request.resize(36, 7);
    let hello = b"\x16\x03\x01\0\x0d\x01\0\0\x09\x03\x03abcdefg";
    let mut signs = Vec::new();
    let mut outside = Wire::new();
    for (dir, data) in [(Received, &greeting[..]), (Sent, &request), (Sent, hello)] {
        outside.feed(P, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    assert_eq!(outside.protocol(), Protocol::Tls);
    let mut inside = outside.inside();
    assert_eq!((inside.protocol(), outside.inside().protocol()), (Protocol::Mysql, Protocol::Unknown));
    signs.clear();
    for (user, dir, data) in [
        (P, Sent, b"\x04\0\0\x02user".as_slice()),
        (P, Received, b"\x07\0\0\x03\0\0\0\x02\0\0\0"),
        (P, Sent, QUERY),
        (C, Received, OK),
        (C, Sent, b"\x01\0\0\0\x01"),
    ] {
        inside.feed(user, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    let expected = [
        Sign::Request { by: P },
        Sign::Reply { requester: Some(P), reader: C, sure: true },
        Sign::Goodbye { by: C, message: "COM_QUIT" },
    ];
    assert!(expected.iter().all(|sign| signs.contains(sign)), "{signs:?}");
}
