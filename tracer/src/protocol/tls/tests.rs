//! What is read of TLS without its keys.

use super::fits;
use crate::protocol::kept::nothing;
use crate::protocol::twice::Twice;
use crate::protocol::{Chunk, Direction, Sign, TlsFacts, User};
use Direction::{Received, Sent};
use proptest::prelude::*;

const P: User = User(1);
const C: User = User(2);

#[test]
fn records() {
    // bytes, whole length -> a message begins here and is sure
    for (data, len, fit) in [
        (&[23, 3, 3, 0, 2, 9, 9][..], 7, Some(true)),
        (&[23, 3, 3, 0, 9, 9, 9], 7, Some(false)),
        (&[23, 3, 3, 1, 0, 9, 9], 261, Some(true)),
        (&[23, 3, 3, 0, 2, 9, 9, 21, 3, 3, 0, 1], 12, Some(true)),
        (&[21, 3, 3, 0, 2, 1, 0], 7, Some(true)),
        (&[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3], 11, Some(true)),
        (&[24, 3, 3, 0, 2, 9, 9], 7, None),
        (&[23, 3, 3, 0xff, 2, 9, 9], 7, None),
        (&[23, 3, 3, 0, 2, 9, 9, 99], 8, None),
        (&[23, 3], 2, None),
    ] {
        assert_eq!(fits(data, len, &mut nothing).map(|fit| fit.sure), fit, "{data:?}");
    }
}

/// A handshake record with one hello: an extension of each type and its content.
fn hello(from_server: bool, version: u16, extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let long = |length: usize| (length as u16).to_be_bytes();
    let extensions: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, content)| [&kind.to_be_bytes(), &long(content.len()), *content].concat())
        .collect();
    let choices: &[u8] = if from_server { b"\x13\x01\0" } else { b"\0\x02\x13\x01\x01\0" };
    let start = [&version.to_be_bytes()[..], &[7; 32], &[0], choices].concat();
    let message = [&start[..], &long(extensions.len()), &extensions].concat();
    let head = [if from_server { 2 } else { 1 }, 0];
    [&[22, 3, 1], &long(message.len() + 4)[..], &head, &long(message.len()), &message].concat()
}

/// What transfers show: version, host, offered, chosen.
type Shown = (Option<&'static str>, Option<String>, Vec<String>, Option<String>);

fn shown(facts: Option<&TlsFacts>) -> Shown {
    let facts = facts.expect("it speaks TLS");
    let text = |name: &str| name.to_owned();
    let offered = facts.offered().iter().map(ToString::to_string).collect();
    (facts.version(), facts.server_name().map(text), offered, facts.chosen().map(text))
}

#[track_caller]
fn check(
    transfers: &[(Direction, &[u8])],
    expected: (Option<&'static str>, Option<&str>, &[&str], Option<&str>),
) {
    let (version, host, offered, chosen) = expected;
    let offered = offered.iter().map(|&name| name.to_owned()).collect();
    let expected = (version, host.map(str::to_owned), offered, chosen.map(str::to_owned));
    // In one piece; by the bytes; as two records.
    for piece in [usize::MAX, 1, 7] {
        let mut wire = Twice::new();
        for &(dir, data) in transfers {
            for part in data.chunks(piece) {
                wire.feed(P, dir, Chunk::new(part, part.len() as u64), &mut |_| ());
            }
        }
        assert_eq!(shown(wire.tls()), expected, "in pieces of {piece}");
    }
}

const NAME: (u16, &[u8]) = (0, b"\0\x0c\0\0\x09host.test");
const PROTOCOLS: (u16, &[u8]) = (16, b"\0\x0c\x02h2\x08http/1.1");
const CHOICE: (u16, &[u8]) = (16, b"\0\x03\x02h2");
const VERSIONS: (u16, &[u8]) = (43, b"\x04\x03\x04\x03\x03");
const VERSION: (u16, &[u8]) = (43, b"\x03\x04");
const OTHER: (u16, &[u8]) = (10, b"\0\x02\0\x1d");

#[test]
fn openings() {
    let client = hello(false, 0x0303, &[OTHER, NAME, PROTOCOLS, VERSIONS]);
    let (offers, host) = (&["h2", "http/1.1"][..], Some("host.test"));
    check(&[(Sent, &client)], (None, host, offers, None));
    for (server, version, chosen) in [
        (hello(true, 0x0303, &[OTHER, VERSION]), Some("TLS 1.3"), None),
        (hello(true, 0x0303, &[CHOICE]), Some("TLS 1.2"), Some("h2")),
        (hello(true, 0x0301, &[]), Some("TLS 1.0"), None),
        (hello(true, 0x7f1c, &[]), None, None),
    ] {
        check(&[(Sent, &client), (Received, &server)], (version, host, offers, chosen));
    }
    // It was accepted here: the client's bytes come in.
    let server = hello(true, 0x0303, &[CHOICE]);
    check(&[(Received, &client), (Sent, &server)], (Some("TLS 1.2"), host, offers, Some("h2")));
}

#[test]
fn what_is_http_2_inside() {
    for (offers, chosen, expected) in [
        (PROTOCOLS, None, false),
        (PROTOCOLS, Some(CHOICE), true),
        ((16, b"\0\x03\x02h2".as_slice()), None, true),
        ((16, b"\0\x0c\x08grpc-exp\x02h2"), None, true),
        ((16, b"\0\x0c\x02h2\x08http/1.1"), Some((16, b"\0\x09\x08http/1.1".as_slice())), false),
        (OTHER, None, false),
    ] {
        let mut wire = Twice::new();
        let (client, server) = (hello(false, 0x0303, &[offers]), hello(true, 0x0303, chosen.as_slice()));
        for (dir, data) in [(Sent, client), (Received, server)] {
            wire.feed(P, dir, Chunk::new(&data, data.len() as u64), &mut |_| ());
        }
        assert_eq!(wire.tls().map(TlsFacts::is_http2), Some(expected), "{offers:?} {chosen:?}");
    }
}

/// One hello in two records.
#[test]
fn a_hello_over_two_records() {
    let whole = hello(false, 0x0303, &[NAME, PROTOCOLS]);
    for at in 6..whole.len() - 5 {
        let (one, two) = whole[5..].split_at(at);
        let record = |part: &[u8]| [&[22, 3, 1], &(part.len() as u16).to_be_bytes()[..], part].concat();
        check(
            &[(Sent, &[record(one), record(two)].concat())],
            (None, Some("host.test"), &["h2", "http/1.1"], None),
        );
    }
}

#[test]
fn names_that_are_none_are_not_told() {
    for (extension, host, offered) in [
        ((0, b"\0\x08\0\0\x05a\x1b[0m".as_slice()), None, &[][..]),
        ((0, b"\0\x03\0\0\0"), None, &[]),
        ((0, b"\0\x08\x01\0\x05abcde"), None, &[]),
        ((0, b"\0\x08\0\xff\xffabcde"), None, &[]),
        ((0, b""), None, &[]),
        ((16, b"\0\x09\x02\x0a\x0a\x02h2\x02\xff\xfe"), None, &["h2"]),
        ((16, b"\0\x05\xffabcd"), None, &[]),
        ((16, b"\0\xff\x02h2"), None, &[]),
    ] {
        check(&[(Sent, &hello(false, 0x0303, &[extension]))], (None, host, offered, None));
    }
    let long = [&b"\x01\x05\0\x01\x02"[..], &[b'a'; 258]].concat();
    check(&[(Sent, &hello(false, 0x0303, &[(0, &long)]))], (None, None, &[], None));
    let many = [&b"\0\x3c"[..], &b"\x02h2".repeat(20)].concat();
    check(&[(Sent, &hello(false, 0x0303, &[(16, &many)]))], (None, None, &["h2"; 8], None));
}

/// Of a hello that was not captured to its end what was read stands, and no version is guessed.
#[test]
fn what_was_not_captured_is_not_guessed() {
    let (client, server) = (hello(false, 0x0303, &[NAME, PROTOCOLS]), hello(true, 0x0303, &[OTHER, VERSION]));
    let mut wire = Twice::new();
    for (dir, data, captured) in [(Sent, &client, 80), (Received, &server, 60)] {
        wire.feed(P, dir, Chunk::new(&data[..captured], data.len() as u64), &mut |_| ());
    }
    assert_eq!(shown(wire.tls()), (None, Some("host.test".to_owned()), vec!["h2".to_owned()], None));
}

#[test]
fn goodbyes() {
    let opening = |version: (u16, &[u8])| [hello(false, 0x0303, &[]), hello(true, 0x0303, &[version])];
    let close = b"\x15\x03\x03\0\x02\x01\0".as_slice();
    let encrypted = b"\x15\x03\x03\0\x1aabcdefghijklmnopqrstuvwxyz".as_slice();
    let goodbye = |message| vec![Sign::Goodbye { by: C, message }];
    for (version, data, expected) in [
        (OTHER, close, goodbye("close_notify")),
        (OTHER, encrypted, goodbye("an encrypted alert")),
        (OTHER, b"\x15\x03\x03\0\x02\x02\x28", goodbye("a fatal alert")),
        (OTHER, b"\x15\x03\x03\0\x02\x01\x5a", vec![]),
        (OTHER, b"\x17\x03\x03\0\x02\x01\0", vec![]),
        (VERSION, b"\x15\x03\x03\0\x02\x02\x28", goodbye("a fatal alert")),
        (VERSION, encrypted, vec![]),
    ] {
        let [client, server] = opening(version);
        let (mut wire, mut signs) = (Twice::new(), Vec::new());
        for (user, dir, data) in [(P, Sent, client.as_slice()), (P, Received, &server), (C, Sent, data)] {
            wire.feed(user, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
        }
        assert_eq!(signs[1..], expected, "{}", data.escape_ascii());
    }
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    let client = hello(false, 0x0303, &[]);
    for (user, dir, data) in [(P, Sent, client.as_slice()), (P, Received, close)] {
        wire.feed(user, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    assert_eq!(signs[1..], [Sign::PeerGoodbye { reader: P, message: "close_notify" }]);
}

proptest! {
    /// Whatever lengths are in it: nothing panics, and names are visible and short.
    #[test]
    fn hostile_hellos(
        server in any::<bool>(),
        changes in prop::collection::vec((0usize..200, any::<u8>()), 0..12),
        piece in 1usize..200,
        captured in 0usize..300,
    ) {
        let mut data = hello(server, 0x0303, &[NAME, OTHER, PROTOCOLS, VERSIONS, (0, b"\xff\xff"), CHOICE, VERSION]);
        let mut wire = Twice::new();
        let opening = hello(false, 0x0303, &[]);
        wire.feed(P, Sent, Chunk::new(&opening, opening.len() as u64), &mut |_| ());
        for (at, byte) in changes {
            let at = at % data.len();
            data[at] = byte;
        }
        for part in data.chunks(piece) {
            wire.feed(C, Received, Chunk::new(&part[..captured.min(part.len())], part.len() as u64), &mut |_| ());
        }
        if let Some(facts) = wire.tls() {
            let names = facts.offered().iter().map(|name| &**name).chain(facts.server_name()).chain(facts.chosen());
            prop_assert!(names.into_iter().all(|name| name.len() < 256 && name.bytes().all(|b| b.is_ascii_graphic())));
            prop_assert!(facts.offered().len() <= 8);
        }
    }
}
