//! What is under way after some transfers, in each protocol.

use super::InFlight;
use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction, User};
use Direction::{Received, Sent};
use InFlight::{Nothing, Unknown};

const P: User = User(1);
const C: User = User(2);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// HEADERS of a request on streams 1 and 3 that go on; DATA with END_STREAM, and without, on stream 1.
const OPEN_1: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x83";
const OPEN_3: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x03\x83";
const DATA_1: &[u8] = b"\0\0\x01\0\0\0\0\0\x01x";
const END_1: &[u8] = b"\0\0\x01\0\x01\0\0\0\x01x";
/// A response that is whole in its HEADERS.
const DONE_1: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x01\x88";
const DONE_3: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x03\x88";
const RESET_1: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08";
const GOAWAY: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0";

const LOGIN: &[u8] = b"\0\0\0\x0d\0\x03\0\0user\0";
const READY: &[u8] = b"Z\0\0\0\x05I";
const QUERY: &[u8] = b"Q\0\0\0\x0dSELECT 1\0";
const ROW: &[u8] = b"D\0\0\0\x0b\0\x01\0\0\0\x015";

const GREETING: &[u8] = b"\x20\0\0\0\x0a8.0.36\0........................";
const COMMAND: &[u8] = b"\x09\0\0\0\x03SELECT 1";
const OK: &[u8] = b"\x07\0\0\x01\0\0\0\x02\0\0\0";

const BLPOP: &[u8] = b"*3\r\n$5\r\nBLPOP\r\n$1\r\na\r\n$1\r\n0\r\n";
const SUBSCRIBE: &[u8] = b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n";

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel";

const HELLO: &[u8] = b"\x16\x03\x01\0\x06\x01\0\0\x02\x03\x03";
const RECORD: &[u8] = b"\x17\x03\x03\0\x03abc";

/// One transfer.
type Step<'a> = (User, Direction, &'a [u8]);

/// What is under way after these transfers of a connection that this end opened.
fn after(steps: &[Step]) -> InFlight {
    let mut wire = Twice::new();
    wire.client_is(Sent);
    for &(user, dir, data) in steps {
        wire.feed(user, dir, Chunk::new(data, data.len() as u64), &mut |_| ());
    }
    wire.in_flight()
}

fn streams(count: usize, oldest: &[(u32, User)]) -> InFlight {
    InFlight::Streams { count, oldest: oldest.to_vec(), sure: true }
}

fn requests(count: u32, first: User, begun: bool) -> InFlight {
    InFlight::Requests { count, first, begun }
}

#[track_caller]
fn check(begin: &[Step], stories: &[(&[Step], InFlight)]) {
    for (story, expected) in stories {
        assert_eq!(after(&[begin, story].concat()), *expected, "{story:?}");
    }
}

#[test]
fn http2_streams() {
    check(
        &[(P, Sent, PREFACE), (P, Received, SETTINGS)],
        &[
            (&[], Nothing),
            (&[(P, Sent, OPEN_1)], streams(1, &[(1, P)])),
            (&[(P, Sent, OPEN_1), (C, Sent, OPEN_3)], streams(2, &[(1, P), (3, C)])),
            // The request has ended, the answer has not.
            (&[(P, Sent, OPEN_1), (P, Sent, END_1), (P, Received, DATA_1)], streams(1, &[(1, P)])),
            (&[(P, Sent, OPEN_1), (P, Sent, END_1), (P, Received, DONE_1)], Nothing),
            // The answer has, the request has not.
            (&[(P, Sent, OPEN_1), (P, Received, DONE_1)], streams(1, &[(1, P)])),
            (&[(P, Sent, OPEN_1), (P, Sent, OPEN_3), (P, Received, DONE_3)], streams(1, &[(1, P)])),
            (&[(P, Sent, OPEN_1), (P, Sent, RESET_1)], Nothing),
            (&[(P, Sent, OPEN_1), (P, Received, RESET_1)], Nothing),
            (&[(P, Sent, OPEN_1), (P, Received, GOAWAY)], Unknown),
            // Whether the next of the frames is whole says nothing of the streams.
            (&[(P, Sent, OPEN_1), (P, Sent, &END_1[..4])], streams(1, &[(1, P)])),
        ],
    );
}

/// Transfers of P, each with its length, of which less may be captured.
fn after_a_loss(steps: &[(Direction, &[u8], u64)]) -> InFlight {
    let mut wire = Twice::new();
    wire.client_is(Sent);
    for &(dir, data, len) in steps {
        wire.feed(P, dir, Chunk::new(data, len), &mut |_| ());
    }
    wire.in_flight()
}

#[test]
fn what_was_missed_is_not_guessed() {
    const PINGS: &[u8] = b"\0\0\x08\x06\0\0\0\0\0........\0\0\x08\x06\0\0\0\0\0........";
    let begin: &[(Direction, &[u8], u64)] =
        &[(Sent, PREFACE, 33), (Received, SETTINGS, 9), (Sent, OPEN_1, 10)];
    let check = |steps: &[(Direction, &[u8], u64)], expected: InFlight| {
        assert_eq!(after_a_loss(&[begin, steps].concat()), expected, "{steps:?}");
    };
    check(&[], streams(1, &[(1, P)]));
    // Frames that were received beyond what was captured: the answer may have ended in them.
    check(&[(Received, SETTINGS, 4000)], Unknown);
    check(&[(Received, SETTINGS, 4000), (Received, PINGS, 34)], Unknown);
    check(&[(Received, SETTINGS, 4000), (Received, PINGS, 34), (Sent, OPEN_3, 10)], streams(1, &[(3, P)]));
    check(&[(Received, SETTINGS, 4000), (Sent, OPEN_3, 10)], Unknown);
    // Frames that were sent, such as a message after the request's HEADERS: it is under way,
    // unless it was cancelled.
    let unsure = InFlight::Streams { count: 1, oldest: vec![(1, P)], sure: false };
    check(&[(Sent, SETTINGS, 4000)], unsure.clone());
    check(&[(Sent, SETTINGS, 4000), (Received, DATA_1, 10)], unsure);
    check(&[(Sent, SETTINGS, 4000), (Received, DONE_1, 10)], Unknown);
    check(&[(Sent, SETTINGS, 4000), (Received, DONE_1, 10), (Sent, OPEN_3, 10)], streams(1, &[(3, P)]));
}

#[test]
fn a_request_that_nothing_followed_is_under_way_whatever_was_missed() {
    // A welcome, and an answer, that are longer than what is captured.
    let begin: &[(Direction, &[u8], u64)] = &[(Sent, LOGIN, 13), (Received, READY, 400)];
    let check = |steps: &[(Direction, &[u8], u64)], expected: InFlight| {
        assert_eq!(after_a_loss(&[begin, steps].concat()), expected, "{steps:?}");
    };
    check(&[], Unknown);
    check(&[(Sent, QUERY, 14)], requests(1, P, false));
    check(&[(Sent, QUERY, 14), (Received, ROW, 12)], Unknown);
    check(&[(Sent, QUERY, 14), (Received, ROW, 4000), (Sent, QUERY, 14)], requests(1, P, false));
}

#[test]
fn requests_and_replies() {
    check(
        &[(P, Sent, LOGIN), (P, Received, READY)],
        &[
            (&[], Nothing),
            (&[(P, Sent, QUERY)], requests(1, P, false)),
            (&[(P, Sent, QUERY), (P, Received, ROW)], requests(1, P, true)),
            (&[(P, Sent, QUERY), (P, Received, ROW), (P, Received, READY)], Nothing),
            (&[(P, Sent, QUERY), (C, Sent, QUERY), (P, Received, READY)], requests(1, C, false)),
        ],
    );
    // Where the ends of replies are not read, one that has begun may be complete.
    check(
        &[
            (P, Received, GREETING),
            (P, Sent, b"\x04\0\0\x01user"),
            (P, Received, b"\x07\0\0\x02\0\0\0\x02\0\0\0"),
        ],
        &[
            (&[], Nothing),
            (&[(P, Sent, COMMAND)], requests(1, P, false)),
            (&[(P, Sent, COMMAND), (P, Received, OK)], Nothing),
            (&[(P, Sent, COMMAND), (P, Received, OK), (C, Sent, COMMAND)], requests(1, C, false)),
        ],
    );
    check(
        &[],
        &[
            (&[(P, Sent, GET)], requests(1, P, false)),
            (&[(P, Sent, GET), (P, Received, PAGE)], Nothing),
            (&[(P, Sent, GET), (P, Received, PAGE), (P, Sent, GET)], requests(1, P, false)),
        ],
    );
    check(
        &[],
        &[
            (&[(P, Sent, BLPOP)], requests(1, P, false)),
            (&[(P, Sent, BLPOP), (P, Received, b"*-1\r\n")], Nothing),
            (&[(P, Sent, BLPOP), (P, Received, b"*2\r\n$1\r\na\r\n")], requests(1, P, true)),
            (&[(P, Sent, BLPOP), (P, Sent, BLPOP)], requests(2, P, false)),
            // Who listens waits for nothing of his own.
            (&[(P, Sent, SUBSCRIBE)], Unknown),
            (&[(P, Sent, SUBSCRIBE), (P, Received, b"+x\r\n"), (P, Sent, BLPOP)], Unknown),
        ],
    );
}

#[test]
fn of_tls_only_records() {
    check(
        &[(P, Sent, HELLO)],
        &[
            (&[], Unknown),
            (&[(P, Received, RECORD)], Unknown),
            (&[(P, Received, &RECORD[..5])], InFlight::Message(Received)),
            (&[(P, Received, &RECORD[..5]), (P, Received, &RECORD[5..])], Unknown),
            (&[(P, Sent, &RECORD[..6])], InFlight::Message(Sent)),
        ],
    );
}

#[test]
fn a_server_s_end_waits_for_nothing() {
    for begin in
        [&[PREFACE, OPEN_1][..], &[LOGIN, QUERY], &[COMMAND], &[GET], &[BLPOP], &[HELLO, &RECORD[..5]]]
    {
        let mut wire = Twice::new();
        wire.client_is(Received);
        for data in begin {
            wire.feed(P, Received, Chunk::new(data, data.len() as u64), &mut |_| ());
        }
        assert_eq!(wire.in_flight(), Unknown, "{begin:?}");
    }
}
