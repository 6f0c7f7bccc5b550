//! Thousands of HTTP/2 sessions that h2, hpack and hyperframe wrote, from a fixed seed: what was encoded is
//! what is read, however the bytes are cut, and from what a recording keeps of them too.

use crate::env::{Env, program};
use forkscope::protocol::{Chunk, Direction, Http2Log, Http2Stream, Kept, StreamUse, User, Wire};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::process::Command;

/// Sessions: whole, and cut at random; of some, cut at every byte.
const SESSIONS: usize = 1000;
const EVERY_BYTE: usize = 2;

/// What may leave a path unread that is cut within its code: an end, or what begins as one (see `value.rs`).
const ENDS: &str = "?#'+>|";

#[derive(Debug, Deserialize)]
struct Session {
    /// Process, sent, hexadecimal.
    transfers: Vec<(u32, bool, String)>,
    goaway: BTreeMap<String, u32>,
    rows: Vec<Row>,
}

/// What one process did on one stream.
#[derive(Debug, Deserialize)]
struct Row {
    stream: u32,
    process: u32,
    #[serde(default)]
    opened: bool,
    path: Option<String>,
    /// The path with its query.
    whole: Option<String>,
    verb: Option<String>,
    status: Option<u16>,
    grpc_status: Option<u16>,
    reset_sent: Option<u32>,
    reset_received: Option<u32>,
    messages: [Option<u32>; 2],
    frames: [BTreeMap<String, u32>; 2],
}

/// The sessions of a seed.
fn sessions(seed: u32, count: usize) -> Option<Vec<Session>> {
    let env = Env::get()?;
    let mut command = Command::new(env.python());
    command.arg(program("http2_sequences.py")).args([seed.to_string(), count.to_string()]);
    let output = command.output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Some(lines.map(|line| serde_json::from_slice(line).expect("a session")).collect())
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a digit") as u8;
    hexadecimal.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Two wires: one reads all, the other what a recording keeps of it.
struct Twice {
    live: Wire,
    replayed: Wire,
    /// All that the latter read.
    shown: Vec<u8>,
}

impl Twice {
    fn new() -> Self {
        Self { live: Wire::new(), replayed: Wire::new(), shown: Vec::new() }
    }

    fn feed(&mut self, process: u32, dir: Direction, data: &[u8]) {
        let (kept, len) = (Kept::default(), data.len() as u64);
        self.live.feed(User(process), dir, Chunk::new(data, len).noting(&kept), &mut |_| ());
        let (mut shown, mut at) = (vec![Kept::FILL; data.len()], 0);
        while let Some(range) = kept.next(at, data.len()) {
            at = range.end;
            shown[range.clone()].copy_from_slice(&data[range]);
        }
        self.replayed.feed(User(process), dir, Chunk::new(&shown, len), &mut |_| ());
        self.shown.extend(shown);
    }

    fn log(&self) -> &Http2Log {
        assert_eq!(self.live.http2(), self.replayed.http2());
        self.live.http2().expect("it speaks HTTP/2")
    }
}

/// Reads a session, each transfer of it in pieces that end at these places.
fn cut(session: &Session, mut ends: impl FnMut(usize) -> Vec<usize>) -> Twice {
    let mut wire = Twice::new();
    for (process, sent, text) in &session.transfers {
        let data = bytes(text);
        let dir = if *sent { Direction::Sent } else { Direction::Received };
        let mut from = 0;
        for to in ends(data.len()) {
            // As many bytes of a transfer as can be captured.
            for part in data[from..to].chunks(forkscope_proto::Config::MOST_CAPTURE) {
                wire.feed(*process, dir, part);
            }
            from = to;
        }
    }
    wire
}

/// How many paths are told of.
fn paths(sessions: &[Session]) -> usize {
    sessions.iter().flat_map(|session| &session.rows).filter(|row| row.path.is_some()).count()
}

/// Asserts that the log says what was encoded. Says how many paths are not known, since they are cut
/// within the code of an end.
fn check(session: &Session, log: &Http2Log) -> usize {
    let mut unread = 0;
    let uses: Vec<(Http2Stream<'_>, &StreamUse)> =
        log.streams().flat_map(|stream| stream.uses().iter().map(move |usage| (stream, usage))).collect();
    assert_eq!(uses.len(), session.rows.len(), "{session:?} {log:?}");
    for row in &session.rows {
        let found =
            uses.iter().find(|(stream, usage)| (stream.id, usage.user) == (row.stream, User(row.process)));
        let (stream, usage) = found.expect("the row is there");
        let path = usage.path.as_deref();
        if path != row.path.as_deref() {
            let ends = row.whole.as_deref().is_some_and(|path| path.contains(|char| ENDS.contains(char)));
            assert!(path.is_none() && ends, "{path:?} of {row:?}");
            unread += 1;
        }
        let verb = usage.verb.map(|verb| verb.name().to_owned());
        assert_eq!((usage.opened, &verb), (row.opened, &row.verb), "{row:?}");
        assert_eq!((usage.status, usage.grpc_status), (row.status, row.grpc_status), "{row:?}");
        let reset = [Direction::Sent, Direction::Received].map(|dir| usage.reset_code(dir));
        assert_eq!(reset, [row.reset_sent, row.reset_received], "{row:?}");
        for (at, dir) in [(0, Direction::Sent), (1, Direction::Received)] {
            let frames: BTreeMap<_, _> =
                usage.frames(dir).map(|(name, count)| (name.to_owned(), count)).collect();
            assert_eq!(frames, row.frames[at], "{row:?}");
            if let Some(expected) = row.messages[at].filter(|&count| count > 0) {
                assert_eq!(stream.messages(usage, dir), Some(expected), "{row:?}");
            }
        }
    }
    let [goaway] = log.goaways() else { panic!("one GOAWAY: {:?}", log.goaways()) };
    assert_eq!((goaway.last_stream, goaway.error), (session.goaway["last_stream"], session.goaway["error"]));
    unread
}

#[test]
fn what_was_encoded_is_what_is_read() {
    let Some(sessions) = sessions(1, SESSIONS) else { return };
    let mut unread = 0;
    for session in &sessions {
        let wire = cut(session, |length| vec![length]);
        assert!(!wire.shown.windows(6).any(|bytes| bytes == b"secret"), "{}", wire.shown.escape_ascii());
        unread += check(session, wire.log());
    }
    assert_eq!(sessions.len(), SESSIONS);
    // A CONTINUATION may begin within a code, too.
    assert!(unread * 200 < paths(&sessions), "{unread} paths");
}

#[test]
fn cut_at_random_the_same_is_read() {
    let Some(sessions) = sessions(2, SESSIONS) else { return };
    // Numerical Recipes' generator: any that is always the same.
    let mut state = 1u32;
    let mut chance = |most: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % most + 1
    };
    let mut unread = 0;
    for session in &sessions {
        let most = [1, 3, 20, 300][chance(4) - 1];
        let wire = cut(session, |length| {
            let mut ends = vec![0];
            while let Some(&at) = ends.last().filter(|&&at| at < length) {
                ends.push((at + chance(most)).min(length));
            }
            ends
        });
        unread += check(session, wire.log());
    }
    assert!(unread * 30 < paths(&sessions), "{unread} paths were cut where a path may end");
}

#[test]
fn cut_in_two_at_every_byte_the_same_is_read() {
    let Some(sessions) = sessions(3, EVERY_BYTE) else { return };
    for session in &sessions {
        let longest = session.transfers.iter().map(|(_, _, text)| text.len() / 2).max().unwrap_or(0);
        for at in 1..longest {
            let wire = cut(session, |length| vec![at.min(length), length]);
            check(session, wire.log());
        }
    }
}
