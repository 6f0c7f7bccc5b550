//! What is told of whole sessions, by process.

use super::remembered::STREAMS;
use super::stream::USERS;
use super::*;
use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction};
use Direction::{Received, Sent};
use proptest::prelude::*;

const P: User = User(1);
const C: User = User(2);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// A frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `POST` of gRPC to this path.
fn call(stream: u32, path: &str) -> Vec<u8> {
    let path = [&[0x44, path.len() as u8], path.as_bytes()].concat();
    frame(HEADERS, 4, stream, &[b"\x83\x5f\x10application/grpc", &path[..]].concat())
}

fn data(stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(0, 1, stream, payload)
}

/// Transfers of a session from its beginning: what they said, read twice.
fn log(steps: &[(User, Direction, &[u8])]) -> Log {
    let mut wire = Twice::new();
    for (user, dir, bytes) in [(P, Sent, PREFACE)].iter().chain(steps) {
        wire.feed(*user, *dir, Chunk::new(bytes, bytes.len() as u64), &mut |_| ());
    }
    wire.http2().expect("it speaks HTTP/2").clone()
}

/// One line a stream and process.
fn told(log: &Log) -> Vec<String> {
    let mut lines = Vec::new();
    for (stream, usage) in
        log.streams().flat_map(|stream| stream.uses().iter().map(move |usage| (stream, usage)))
    {
        let who = if usage.user == P { "P" } else { "C" };
        let mut parts = vec![format!("{who}{}", stream.id)];
        parts.extend(usage.opened.then(|| "opened".to_owned()));
        parts.extend(usage.path.as_deref().map(str::to_owned));
        parts.extend(usage.status.map(|code| code.to_string()));
        parts.extend(usage.grpc_status.map(|code| format!("grpc {code}")));
        for (dir, word) in [(Sent, "sent"), (Received, "got")] {
            parts.extend(usage.reset_code(dir).map(|code| format!("{word} reset {code}")));
            parts.extend(stream.messages(usage, dir).map(|count| format!("{word} {count} messages")));
            parts.extend(usage.frames(dir).map(|(name, count)| format!("{word} {count} {name}")));
        }
        lines.push(parts.join(", "));
    }
    lines
}

/// What a process asked for on a stream.
fn path(log: &Log, stream: u32, user: User) -> Option<&str> {
    log.usage(stream, user)?.path.as_deref()
}

#[test]
fn a_call_and_its_answer() {
    let answer = [
        frame(HEADERS, 4, 1, b"\x88\x5f\x10application/grpc"),
        frame(0, 0, 1, b"\0\0\0\0\x02~~\0\0\0\0\0"),
        frame(HEADERS, 5, 1, b"\x40\x0bgrpc-status\x010"),
    ];
    let log = log(&[
        (P, Sent, &[call(1, "/p.S/Do"), data(1, b"\0\0\0\0\x03~~~")].concat()),
        (P, Received, &answer.concat()),
    ]);
    assert_eq!(
        told(&log),
        ["P1, opened, /p.S/Do, 200, grpc 0, sent 1 messages, sent 1 DATA, sent 1 HEADERS, got 2 messages, \
          got 1 DATA, got 2 HEADERS"]
    );
    assert_eq!((log.unread(Sent), log.unread(Received), log.forgotten()), (0, 0, 0));
}

#[test]
fn one_stream_id_of_two_processes_and_the_answer_read_by_one() {
    let log = log(&[
        (P, Sent, &call(1, "/p.S/One")),
        (C, Sent, &call(3, "/p.S/Two")),
        (C, Received, &frame(HEADERS, 4, 3, b"\x88")),
        (P, Sent, &call(3, "/p.S/Three")),
    ]);
    assert_eq!(
        told(&log),
        [
            "P1, opened, /p.S/One, sent 0 messages, sent 1 HEADERS",
            "C3, opened, /p.S/Two, 200, sent 0 messages, sent 1 HEADERS, got 1 HEADERS",
            "P3, opened, /p.S/Three, sent 0 messages, sent 1 HEADERS",
        ]
    );
    assert_eq!((path(&log, 3, C), path(&log, 3, P)), (Some("/p.S/Two"), Some("/p.S/Three")));
    assert_eq!(path(&log, 5, P), None);
}

#[test]
fn settings_and_the_end_by_number() {
    let settings = frame(SETTINGS, 0, 0, b"\0\x01\0\0\x10\0~~~~~~\0~~~~~\0\x05\0\0\x40\0\0\x01\0\0\0\0");
    let log = log(&[
        (P, Sent, &settings),
        (P, Sent, &call(1, "/p.S/Do")),
        (C, Sent, &frame(RST_STREAM, 0, 1, b"\0\0\0\x08")),
        (P, Received, &frame(GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\x0b~~~~~~")),
    ]);
    assert_eq!(log.settings(Sent).collect::<Vec<_>>(), [("HEADER_TABLE_SIZE", 0), ("MAX_FRAME_SIZE", 16384)]);
    assert_eq!(log.goaways(), [Goaway { user: P, dir: Received, last_stream: 1, error: 11 }]);
    assert_eq!(told(&log)[0], "P0, sent 1 SETTINGS, got 1 GOAWAY");
    assert_eq!(told(&log)[2], "C1, sent reset 8, sent 1 RST_STREAM");
}

#[test]
fn blocks_in_parts_padded_and_with_priority() {
    let block = b"\x83\x44\x04/p/m";
    for cut in 0..=block.len() {
        let (first, rest) = block.split_at(cut);
        let priority = b"\0\0\0\0\x10";
        let padded = [&[3], &priority[..], first, b"\0\0\0"].concat();
        let log = log(&[
            (P, Sent, &frame(HEADERS, 0x28, 1, &padded)),
            (P, Sent, &frame(CONTINUATION, 0, 1, b"")),
            (P, Sent, &frame(CONTINUATION, 4, 1, rest)),
            (P, Sent, &frame(HEADERS, 4, 3, b"\x83\xbe")),
        ]);
        assert_eq!((path(&log, 1, P), path(&log, 3, P)), (Some("/p/m"), Some("/p/m")), "cut at {cut}");
    }
}

#[test]
fn a_block_with_something_between_is_not_known() {
    let log = log(&[
        (P, Sent, &frame(HEADERS, 0, 1, b"\x83\x44\x04/p/")),
        (C, Sent, &frame(6, 0, 0, b"~~~~~~~~")),
        (P, Sent, &frame(CONTINUATION, 4, 1, b"m")),
        (P, Sent, &frame(HEADERS, 4, 3, b"\x83\xbe")),
        (P, Sent, &frame(HEADERS, 4, 5, b"\x83\x44\x02/x")),
        (P, Sent, &frame(HEADERS, 4, 7, b"\x83\xbe")),
    ]);
    let paths = [1, 3, 5, 7].map(|stream| path(&log, stream, P));
    assert_eq!(paths, [None, None, Some("/x"), Some("/x")]);
    assert_eq!(log.unread(Sent), 2);
}

#[test]
fn what_is_promised_is_read_for_the_table_alone() {
    let log = log(&[
        (P, Sent, &call(1, "/p.S/Do")),
        (P, Received, &frame(PUSH_PROMISE, 4, 1, b"\0\0\0\x02\x82\x44\x06/style")),
        (P, Received, &frame(HEADERS, 4, 2, b"\x88")),
    ]);
    assert_eq!((path(&log, 1, P), path(&log, 2, P)), (Some("/p.S/Do"), None));
}

#[test]
fn beyond_the_captured_bytes_a_block_is_unknown() {
    let mut wire = Twice::new();
    let block = [b"\x83\x44\x04/p/m\0\x06cookie\x7f\x41", &[b'~'; 192][..]].concat();
    let first = [PREFACE, &frame(HEADERS, 4, 1, &block)].concat();
    let then = frame(HEADERS, 4, 3, b"\x83\xbe");
    wire.feed(P, Sent, Chunk::new(&first[..60], first.len() as u64), &mut |_| ());
    wire.feed(P, Sent, Chunk::new(&then, then.len() as u64), &mut |_| ());
    let log = wire.http2().expect("it speaks HTTP/2");
    assert_eq!((path(log, 1, P), path(log, 3, P), log.unread(Sent)), (Some("/p/m"), None, 2));
}

#[test]
fn memory_is_bounded_and_what_goes_on_is_remembered() {
    let mut log = Log::default();
    let headers = |stream, flags| Frame { kind: FrameKind::Headers, stream, length: 1, flags };
    for id in (1..4001).step_by(2) {
        log.frame(P, Sent, headers(id, 4));
        // The first goes on.
        log.frame(P, Received, headers(id, if id == 1 { 4 } else { 5 }));
        log.frame(P, Sent, Frame { kind: FrameKind::Data, stream: id, length: 1, flags: u8::from(id != 1) });
    }
    let ids: Vec<_> = log.streams().map(|stream| stream.id).collect();
    assert_eq!((ids.len(), ids[1], ids[2], log.forgotten()), (STREAMS + 1, 1, 3939, 2000 - STREAMS as u64));
    // A forgotten one does not come back.
    log.frame(P, Received, headers(3, 4));
    assert_eq!(log.streams().count(), STREAMS + 1);
    for user in 0..1000 {
        log.frame(User(user), Sent, headers(1, 4));
        log.goaway(Goaway { user: User(user), dir: Sent, last_stream: 0, error: 0 });
    }
    assert_eq!((log.streams.get(1).map(|body| body.uses.len()), log.goaways().len()), (Some(USERS), GOAWAYS));
}

proptest! {
    /// Frames of any type with any flags and any payload, cut and captured anyhow, by two processes: nothing
    /// panics, and a replay says the same.
    #[test]
    fn any_frames_are_read_again(
        frames in prop::collection::vec(
            (0u8..11, any::<u8>(), 0u32..6, prop::collection::vec(any::<u8>(), 0..40)), 1..20),
        pieces in prop::collection::vec((1usize..30, any::<bool>(), prop_oneof![3 => Just(usize::MAX), 1 => 0usize..20]), 1..20),
        back: bool,
    ) {
        let dir = if back { Received } else { Sent };
        let bytes: Vec<u8> =
            frames.iter().flat_map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload)).collect();
        let mut wire = Twice::new();
        wire.feed(P, Sent, Chunk::new(PREFACE, PREFACE.len() as u64), &mut |_| ());
        let (mut rest, mut pieces) = (&bytes[..], pieces.iter().cycle());
        while let Some((length, child, captured)) = pieces.next().filter(|_| !rest.is_empty()) {
            let (part, after) = rest.split_at(rest.len().min(*length));
            let chunk = Chunk::new(&part[..part.len().min(*captured)], part.len() as u64);
            wire.feed(if *child { C } else { P }, dir, chunk, &mut |_| ());
            rest = after;
        }
    }
}
