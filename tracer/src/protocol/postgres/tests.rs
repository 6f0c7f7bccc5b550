//! PostgreSQL sessions shared by two processes, as signs.

use super::message::fits;
use crate::protocol::kept::nothing;
use crate::protocol::speech::Side;
use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction, Protocol, Sign, User};
use Direction::{Received, Sent};

const P: User = User(1);
const C: User = User(2);

const STARTUP: &[u8] = b"\0\0\0\x0d\0\x03\0\0user\0";
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0S\0\0\0\x08a\0b\0Z\0\0\0\x05I";
const QUERY: &[u8] = b"Q\0\0\0\x0dSELECT 1\0";
const SERIES: &[u8] = b"P\0\0\0\x08\0\0\0\0B\0\0\0\x04E\0\0\0\x04S\0\0\0\x04";
const ROW: &[u8] = b"D\0\0\0\x0b\0\x01\0\0\0\x015C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I";

/// Signs after a login by P, of transfers captured whole or up to so many bytes.
fn check(steps: &[(User, Direction, &[u8], u64)], expected: &[Sign]) {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    let login = [(P, Sent, STARTUP, 13), (P, Received, WELCOME, 24)];
    for &(user, dir, data, len) in login.iter().chain(steps) {
        wire.feed(user, dir, Chunk::new(data, len), &mut |sign| signs.push(sign));
    }
    let login = [Sign::Recognised(Protocol::Postgres), asked(P), reply(Some(P), P, true)];
    assert_eq!(signs, [&login, expected].concat());
}

#[test]
fn a_goodbye() {
    check(&[(C, Sent, b"X\0\0\0\x04", 5)], &[Sign::Goodbye { by: C, message: "Terminate" }]);
}

fn asked(by: User) -> Sign {
    Sign::Request { by }
}

fn reply(requester: Option<User>, reader: User, sure: bool) -> Sign {
    Sign::Reply { requester, reader, sure }
}

#[test]
fn each_reads_its_own() {
    check(
        &[(P, Sent, QUERY, 14), (P, Received, ROW, 32), (C, Sent, SERIES, 24), (C, Received, ROW, 32)],
        &[asked(P), reply(Some(P), P, true), asked(C), reply(Some(C), C, true)],
    );
}

#[test]
fn replies_swapped() {
    check(
        &[(P, Sent, QUERY, 14), (C, Sent, QUERY, 14), (C, Received, ROW, 32), (P, Received, ROW, 32)],
        &[asked(P), asked(C), reply(Some(P), C, true), reply(Some(C), P, true)],
    );
}

#[test]
fn a_long_reply_hides_its_end() {
    check(
        &[(P, Sent, QUERY, 14), (P, Received, ROW, 9000), (C, Sent, QUERY, 14), (C, Received, ROW, 32)],
        &[asked(P), reply(Some(P), P, true), asked(C), reply(Some(C), C, false)],
    );
}

#[test]
fn a_message_cut() {
    let own = b"Q\0\0\0\x0dSELECT 2\0";
    check(
        &[(P, Sent, &QUERY[..9], 9), (C, Sent, own, 14)],
        &[asked(P), Sign::Torn { by: C, cut: P, missing: 5 }, asked(C)],
    );
}

#[test]
fn messages_where_none_was_expected() {
    for (data, expected) in [
        (QUERY, Some(Some(Side::Client))),
        (b"X\0\0\0\x04", Some(Some(Side::Client))),
        (b"S\0\0\0\x04", Some(Some(Side::Client))),
        (&ROW[..12], Some(None)),
        (ROW, Some(Some(Side::Server))),
        (b"Z\0\0\0\x05I", Some(Some(Side::Server))),
        (b"y\0\0\0\x05I", None),
        (b"Q\0\0", None),
    ] {
        let found = fits(data, data.len() as u64, &mut nothing).map(|fit| fit.from);
        assert_eq!(found, expected, "{}", data.escape_ascii());
    }
}
