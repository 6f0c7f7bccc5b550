//! HTTP/2 sessions shared by two processes, as signs.

use super::*;
use crate::protocol::kept::nothing;
use crate::protocol::twice::Twice;
use Direction::{Received, Sent};
use proptest::prelude::*;

const P: User = User(1);
const C: User = User(2);

/// A frame with a payload of `length` bytes that is no frame itself.
fn frame(length: u32, kind: u8, flags: u8, stream: u32) -> Vec<u8> {
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.resize(9 + length as usize, 0xee);
    bytes
}

/// A request's HEADERS: `:method: POST` first.
fn request(stream: u32) -> Vec<u8> {
    let mut bytes = frame(20, 1, 4, stream);
    bytes[9] = 0x83;
    bytes
}

/// A response's HEADERS: `:status: 200` first.
fn response(stream: u32) -> Vec<u8> {
    let mut bytes = frame(10, 1, 4, stream);
    bytes[9] = 0x88;
    bytes
}

fn preface() -> Vec<u8> {
    [PREFACE, &frame(12, 4, 0, 0)].concat()
}

/// One transfer, with how much of it is captured.
type Step = (User, Direction, Vec<u8>, usize);

fn signs(steps: &[Step], late: bool) -> Vec<Sign> {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    if late {
        wire.skip(Sent);
        wire.skip(Received);
    }
    for (user, dir, bytes, captured) in steps {
        let data = &bytes[..bytes.len().min(*captured)];
        wire.feed(*user, *dir, Chunk::new(data, bytes.len() as u64), &mut |sign| signs.push(sign));
    }
    signs
}

/// The signs but for frames, of transfers captured whole.
fn check(late: bool, steps: &[(User, Direction, Vec<u8>)], expected: &[Sign]) {
    let steps: Vec<Step> = steps.iter().map(|(u, d, b)| (*u, *d, b.clone(), usize::MAX)).collect();
    let mut signs = signs(&steps, late);
    signs.retain(|sign| !matches!(sign, Sign::Frame { .. }));
    assert_eq!(signs, expected);
}

const HTTP2: Sign = Sign::Recognised(Protocol::Http2);
const PREFACED: Sign = Sign::Preface { by: P, again: false };

#[test]
fn a_stream_is_cancelled_by_another_and_the_session_ended() {
    const RST_STREAM: u8 = 3;
    const GOAWAY: u8 = 7;
    check(
        false,
        &[
            (P, Sent, preface()),
            (P, Sent, request(1)),
            (P, Sent, request(3)),
            (P, Sent, frame(4, RST_STREAM, 0, 3)),
            (C, Sent, frame(4, RST_STREAM, 0, 1)),
            (C, Sent, frame(8, GOAWAY, 0, 0)),
        ],
        &[
            HTTP2,
            PREFACED,
            Sign::StreamOpened { stream: 1, by: P },
            Sign::StreamOpened { stream: 3, by: P },
            Sign::Cancelled { stream: 1, opener: P, by: C },
            Sign::Goodbye { by: C, message: "GOAWAY" },
        ],
    );
}

#[test]
fn one_stream_id_twice() {
    check(
        false,
        &[(P, Sent, preface()), (P, Sent, request(1)), (C, Sent, request(3)), (P, Sent, request(3))],
        &[
            HTTP2,
            PREFACED,
            Sign::StreamOpened { stream: 1, by: P },
            Sign::StreamOpened { stream: 3, by: C },
            Sign::StreamReused { stream: 3, first: C, again: P },
        ],
    );
}

#[test]
fn the_same_after_a_late_attach() {
    check(
        true,
        &[(C, Sent, request(7)), (P, Sent, request(7))],
        &[
            HTTP2,
            Sign::StreamOpened { stream: 7, by: C },
            Sign::StreamReused { stream: 7, first: C, again: P },
        ],
    );
}

#[test]
fn an_answer_read_by_another() {
    check(
        false,
        &[
            (P, Sent, preface()),
            (P, Sent, request(1)),
            (P, Received, frame(6, 4, 0, 0)),
            (C, Received, response(1)),
        ],
        &[
            HTTP2,
            PREFACED,
            Sign::StreamOpened { stream: 1, by: P },
            Sign::Answer { stream: 1, opener: P, reader: C },
        ],
    );
}

#[test]
fn an_answer_that_another_reads_on() {
    let long = frame(1000, 0, 0, 1);
    let (first, rest) = long.split_at(300);
    check(
        false,
        &[
            (P, Sent, preface()),
            (P, Sent, request(1)),
            (P, Received, response(1)),
            (P, Received, first.to_vec()),
            (C, Received, rest.to_vec()),
        ],
        &[
            HTTP2,
            PREFACED,
            Sign::StreamOpened { stream: 1, by: P },
            Sign::Answer { stream: 1, opener: P, reader: C },
        ],
    );
}

#[test]
fn trailers_and_own_answers_mean_nothing() {
    let trailers = frame(10, 1, 5, 1);
    check(
        false,
        &[(P, Sent, preface()), (P, Sent, request(1)), (P, Sent, trailers), (P, Received, response(1))],
        &[HTTP2, PREFACED, Sign::StreamOpened { stream: 1, by: P }],
    );
}

#[test]
fn a_frame_cut_by_another_process_and_resumed() {
    let long = frame(1000, 0, 0, 1);
    let (first, rest) = long.split_at(300);
    check(
        false,
        &[
            (P, Sent, preface()),
            (P, Sent, request(1)),
            (P, Sent, first.to_vec()),
            (C, Sent, request(3)),
            (P, Sent, rest.to_vec()),
            (P, Sent, request(5)),
        ],
        &[
            HTTP2,
            PREFACED,
            Sign::StreamOpened { stream: 1, by: P },
            Sign::Torn { by: C, cut: P, missing: 709 },
            Sign::StreamOpened { stream: 3, by: C },
            Sign::StreamOpened { stream: 5, by: P },
        ],
    );
}

#[test]
fn a_frame_that_another_process_finishes_is_not_torn() {
    let long = frame(1000, 0, 0, 1);
    let (first, rest) = long.split_at(300);
    check(
        false,
        &[(P, Sent, preface()), (P, Sent, first.to_vec()), (C, Sent, rest.to_vec()), (C, Sent, request(3))],
        &[HTTP2, PREFACED, Sign::StreamOpened { stream: 3, by: C }],
    );
}

#[test]
fn a_second_preface() {
    check(
        false,
        &[(P, Sent, preface()), (C, Sent, preface())],
        &[HTTP2, PREFACED, Sign::Preface { by: C, again: true }],
    );
}

#[test]
fn a_server_knows_no_opener() {
    check(
        false,
        &[
            (P, Sent, frame(6, 4, 0, 0)),
            (P, Received, preface()),
            (C, Received, request(1)),
            (P, Sent, response(1)),
        ],
        &[HTTP2],
    );
}

#[test]
fn beyond_the_captured_bytes_nothing_is_guessed() {
    let burst = [frame(300, 0, 0, 1), frame(4000, 0, 0, 1)].concat();
    let cut = burst[..2000].to_vec();
    let steps = [
        (P, Sent, preface(), 256),
        (P, Sent, request(1), 256),
        (P, Sent, cut, 256),
        (C, Sent, request(3), 256),
        (P, Sent, request(3), 256),
    ];
    let signs = signs(&steps, false);
    assert!(!signs.iter().any(|sign| matches!(sign, Sign::Torn { .. })), "{signs:?}");
    let reused = Sign::StreamReused { stream: 3, first: C, again: P };
    assert_eq!(signs.last(), Some(&reused), "whole transfers put it in step again");
}

#[test]
fn what_looks_like_frames() {
    for (data, len, expected) in [
        (preface(), 45, Some(true)),
        (frame(8, 6, 0, 0), 17, Some(true)),
        (frame(8, 6, 0, 0), 4000, Some(false)),
        (frame(0, 4, 0, 0), 9, Some(false)),
        (frame(300, 0, 0, 1), 309, Some(true)),
        ([frame(8, 6, 0, 0), frame(0, 4, 1, 0)].concat(), 26, Some(true)),
        ([frame(8, 6, 0, 0), vec![0xff; 9]].concat(), 26, None),
        ([frame(8, 6, 0, 0), vec![0xff; 3]].concat(), 20, None),
        (vec![0; 64], 64, None),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 18, None),
        (vec![23, 3, 3, 0, 4, 1, 2, 3, 4], 9, None),
    ] {
        assert_eq!(fits(&data, len, &mut nothing).map(|fit| fit.sure), expected, "{data:?}");
    }
}

/// Frames that a client may send, in any order.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let one = (0u8..6, 0u32..40, 0u32..300).prop_map(|(kind, stream, length)| match kind {
        0 => frame(length, 0, 0, stream * 2 + 1),
        1 => request(stream * 2 + 1),
        2 => frame(8, 6, 0, 0),
        3 => frame(4, 8, 0, stream),
        4 => frame(length % 5 * 6, 4, 0, 0),
        _ => frame(4, 3, 0, stream * 2 + 1),
    });
    prop::collection::vec(one, 0..20).prop_map(|frames| [preface(), frames.concat()].concat())
}

proptest! {
    #[test]
    fn any_split_tells_the_same(bytes in frames(), cuts in prop::collection::vec(1usize..200, 1..60), back: bool) {
        let (dir, first) = if back { (Received, vec![(P, Sent, preface(), usize::MAX)]) } else { (Sent, vec![]) };
        let bytes = if back { bytes[PREFACE.len()..].to_vec() } else { bytes };
        let whole = [first.clone(), vec![(P, dir, bytes.clone(), usize::MAX)]].concat();
        let (mut rest, mut split) = (&bytes[..], first);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, after) = rest.split_at((*cut).min(rest.len()));
            split.push((P, dir, part.to_vec(), usize::MAX));
            rest = after;
        }
        prop_assert_eq!(signs(&whole, false), signs(&split, false));
    }

    #[test]
    fn random_bytes_are_not_http2(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20)) {
        let mut wire = Twice::new();
        for data in &chunks {
            wire.feed(P, Sent, Chunk::new(data, data.len() as u64), &mut |_| ());
        }
        prop_assert_ne!(wire.protocol(), Protocol::Http2);
    }
}
