//! What holds for every protocol, whatever the bytes.

use super::kept::nothing;
use super::twice::Twice;
use super::*;
use Direction::{Received, Sent};
use proptest::prelude::*;

const P: User = User(1);
const C: User = User(2);

/// How a session of each protocol begins.
const BEGINNINGS: [(Protocol, Direction, &[u8]); 14] = [
    (Protocol::Http2, Sent, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    (Protocol::Tls, Sent, b"\x16\x03\x01\0\x06\x01\0\0\x02\x03\x03"),
    (Protocol::Postgres, Sent, b"\0\0\0\x0d\0\x03\0\0user\0"),
    (Protocol::Postgres, Sent, b"\0\0\0\x08\x04\xd2\x16\x2f"),
    (Protocol::Mysql, Received, b"\x20\0\0\0\x0a8.0.36\0........................"),
    (Protocol::Http1, Sent, b"GET / HTTP/1.1\r\n\r\n"),
    (Protocol::Http1, Sent, b"GET http://u:p@host/ HTTP/1.1\r\n\r\n"),
    (Protocol::Redis, Sent, b"*1\r\n$4\r\nPING\r\n"),
    (Protocol::Amqp, Sent, b"AMQP\0\0\x09\x01"),
    (Protocol::Kafka, Sent, b"\0\0\0\x0e\0\x12\0\0\0\0\0\x01\0\x04name"),
    (
        Protocol::MongoDb,
        Sent,
        b"\x2d\0\0\0\x07\0\0\0\0\0\0\0\xd4\x07\0\0\0\0\0\0admin.$cmd\0\0\0\0\0\xff\xff\xff\xff\x06\0\0\0\0\0",
    ),
    (Protocol::MongoDb, Sent, b"\x1a\0\0\0\x07\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x05\0\0\0\0"),
    (Protocol::Mqtt, Sent, b"\x10\x0c\0\x04MQTT\x05\x02\0\x3c\0\0"),
    (Protocol::Mqtt, Sent, b"\x10\x0e\0\x06MQIsdp\x03\x02\0\x3c\0\0"),
];

#[test]
fn every_protocol_is_recognised_by_its_beginning() {
    for (protocol, dir, data) in BEGINNINGS {
        // Of MySQL's greeting and of MongoDB's first command the header is read at once.
        let least = match protocol {
            Protocol::Mysql => 4,
            Protocol::MongoDb => 16,
            _ => 1,
        };
        for piece in [1, 3, 5, data.len()].map(|piece| piece.max(least)) {
            let (mut wire, mut signs) = (Twice::new(), Vec::new());
            for data in data.chunks(piece) {
                wire.feed(P, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
            }
            assert_eq!(wire.protocol(), protocol, "in pieces of {piece}");
            assert_eq!(signs.first(), Some(&Sign::Recognised(protocol)));
        }
        let speech = protocol.speech().expect("it is read");
        assert!((speech.opens)(data, &mut nothing).is_some(), "{protocol:?}");
        assert!(!fits_mid_stream(protocol, Chunk::new(data, data.len() as u64)), "{protocol:?}");
    }
}

#[test]
fn the_middle_of_a_session_is_recognised_after_a_late_attach() {
    let query = b"Q\0\0\0\x0dSELECT 1\0".as_slice();
    let record = b"\x17\x03\x03\0\x03abc".as_slice();
    let opened = b"\x17\x03\x03\x40\0abc".as_slice();
    for (protocol, transfers) in [
        (Protocol::Postgres, &[(query, 14)][..]),
        (Protocol::Tls, &[(record, 8)]),
        (Protocol::Unknown, &[(opened, 4000)]),
        (Protocol::Tls, &[(opened, 4000), (opened, 4000)]),
        (Protocol::Unknown, &[(opened, 4000), (b"hello", 5), (opened, 4000)]),
        (Protocol::Mysql, &[(b"\x09\0\0\0\x03select 1", 13)]),
        (Protocol::Unknown, &[(b"+OK ready\r\n", 11), (b"+OK\r\n", 5)]),
        (Protocol::Http1, &[(b"HTTP/1.1 204 No Content\r\n\r\n", 27)]),
    ] {
        let mut wire = Twice::new();
        wire.skip(Sent);
        wire.skip(Received);
        for &(data, len) in transfers {
            wire.feed(P, Sent, Chunk::new(data, len), &mut |_| ());
        }
        assert_eq!(wire.protocol(), protocol, "{transfers:?}");
    }
}

#[test]
fn tls_begins_inside_a_postgres_session() {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    let hello = b"\x16\x03\x01\0\x06\x01\0\0\x02\x03\x03".as_slice();
    for (dir, data) in [(Sent, b"\0\0\0\x08\x04\xd2\x16\x2f".as_slice()), (Received, b"S"), (Sent, hello)] {
        wire.feed(P, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    assert_eq!(signs, [Protocol::Postgres, Protocol::Tls].map(Sign::Recognised));
}

#[test]
fn a_record_cut_by_another_process() {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    let hello = b"\x16\x03\x01\0\x06\x01\0\0\x02\x03\x03".as_slice();
    let (long, own) = (b"\x17\x03\x03\0\x64only a part".as_slice(), b"\x17\x03\x03\0\x03abc".as_slice());
    for (user, data) in [(P, hello), (P, long), (C, own)] {
        wire.feed(user, Sent, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    assert_eq!(signs, [Sign::Recognised(Protocol::Tls), Sign::Torn { by: C, cut: P, missing: 89 }]);
}

#[test]
fn replies_of_http1_are_given_to_who_asked_first() {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    let ask = b"GET / HTTP/1.1\r\n\r\n".as_slice();
    let reply = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();
    for (user, dir, data) in [(P, Sent, ask), (C, Sent, ask), (C, Received, reply), (P, Received, reply)] {
        wire.feed(user, dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    assert_eq!(
        signs[1..],
        [
            Sign::Request { by: P },
            Sign::Request { by: C },
            Sign::Reply { requester: Some(P), reader: C, sure: true },
            Sign::Reply { requester: Some(C), reader: P, sure: false },
        ]
    );
}

/// Transfers that begin as some protocol does, and go on as they like.
fn transfer() -> impl Strategy<Value = (bool, bool, Vec<u8>, u64)> {
    let noise = prop::collection::vec(any::<u8>(), 0..80);
    let text = prop::collection::vec(
        prop::sample::select(b"*$+-:\r\n0123456789QSZDTX\x17\x03\0\0\0\x01\x04".to_vec()),
        0..80,
    );
    let known = prop::sample::select(BEGINNINGS.to_vec()).prop_map(|(_, _, data)| data.to_vec());
    let data = (prop_oneof![Just(Vec::new()), known], prop_oneof![noise, text]);
    (any::<bool>(), any::<bool>(), data.prop_map(|(a, b)| [a, b].concat()), 0u64..200)
}

proptest! {
    #[test]
    fn no_bytes_panic(transfers in prop::collection::vec(transfer(), 0..30), skip in 0usize..40) {
        let mut wire = Twice::new();
        for (at, (child, sent, data, more)) in transfers.iter().enumerate() {
            let (user, dir) = (if *child { C } else { P }, if *sent { Sent } else { Received });
            if at == skip {
                wire.skip(dir);
            }
            // Sometimes less was transferred than "captured", sometimes far more.
            let len = if *more == 199 { u64::MAX } else { (data.len() as u64 + more).saturating_sub(60) };
            wire.feed(user, dir, Chunk::new(data, len), &mut |_| ());
            for speech in REGISTRY {
                (speech.opens)(data, &mut nothing);
                fits_mid_stream(speech.protocol, Chunk::new(data, len));
            }
        }
    }
}

#[test]
fn a_goodbye_and_nothing_else() {
    // AMQP: a method frame on channel 0 (2.3.5), Connection.Close (10, 50) with a code,
    // a text, and two numbers.
    let amqp = b"\x01\0\0\0\0\0\x0b\0\x0a\0\x32\0\xc8\0\0\0\0\0\xce";
    let all: [(Protocol, &[u8], bool); 18] = [
        (Protocol::Postgres, b"X\0\0\0\x04", true),
        (Protocol::Postgres, b"Q\0\0\0\x0dSELECT 1\0", false),
        (Protocol::Postgres, b"Q\0\0\0\x0dSELECT 1\0X\0\0\0\x04", false),
        (Protocol::Mysql, b"\x01\0\0\0\x01", true),
        (Protocol::Mysql, b"\x09\0\0\0\x03SELECT 1", false),
        // It is answered: somebody waits for that.
        (Protocol::Redis, b"*1\r\n$4\r\nQUIT\r\n", false),
        (Protocol::Redis, b"*1\r\n$4\r\nPING\r\n", false),
        (Protocol::Http2, b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0", true),
        (Protocol::Http2, b"\0\0\x08\x06\0\0\0\0\0\0\0\0\x01\0\0\0\0", false),
        (Protocol::Http2, b"\0\0\0\x04\x01\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0", false),
        (Protocol::Tls, b"\x15\x03\x03\0\x1a12345678901234567890123456", true),
        // Terminate and close_notify in TLS 1.3: nobody can tell, but a question is longer.
        (Protocol::Tls, b"\x17\x03\x03\0\x161234567890123456789012", true),
        (
            Protocol::Tls,
            b"\x17\x03\x03\0\x161234567890123456789012\x17\x03\x03\0\x131234567890123456789",
            true,
        ),
        (Protocol::Tls, b"\x17\x03\x03\0\x1f1234567890123456789012345678901", false),
        (Protocol::Tls, b"\x17\x03\x03\0\x1612345678", false),
        (Protocol::Amqp, amqp, true),
        (Protocol::Mqtt, b"\xe0\0", true),
        (Protocol::Unknown, b"QUIT\r\n", false),
    ];
    for (protocol, bytes, is_goodbye) in all {
        let chunk = Chunk::new(bytes, bytes.len() as u64);
        for chunk in [chunk, chunk.without_frames()] {
            assert_eq!(says_goodbye(protocol, chunk), is_goodbye, "{protocol:?} {}", bytes.escape_ascii());
        }
    }
}
