//! For tests: sessions of real clients, as they stood on the wire. Made by other
//! implementations than this one.

use super::twice::Twice;
use super::{Chunk, Direction, Protocol, REGISTRY, Sign, User};
use Direction::{Received, Sent};
use proptest::prelude::*;

const P: User = User(1);

/// A session: what it speaks, its transfers, and how many requests, replies and goodbyes are in it.
struct Captured {
    name: &'static str,
    protocol: Protocol,
    text: &'static str,
    requests: usize,
    replies: usize,
    goodbyes: &'static [&'static str],
}

macro_rules! captured {
    ($($name:literal $protocol:ident $requests:literal $replies:literal $goodbyes:expr;)*) => {
        [$(Captured {
            name: $name,
            protocol: Protocol::$protocol,
            text: include_str!(concat!("captured/", $name, ".txt")),
            requests: $requests,
            replies: $replies,
            goodbyes: &$goodbyes,
        }),*]
    };
}

/// Each file says in its first line what it is. A line begins with the sender, client or server, or `+` where
/// it goes on with the one before, and has its bytes in hexadecimal.
const ALL: [Captured; 9] = captured! {
    "amqp_pika" Amqp 7 7 ["Connection.Close"];
    "amqp_py" Amqp 6 6 ["Connection.Close"];
    "kafka_bootstrap" Kafka 3 3 [];
    "kafka_produce" Kafka 2 2 [];
    "mongodb" MongoDb 3 3 [];
    "mqtt_311" Mqtt 7 7 ["DISCONNECT"];
    "mqtt_5" Mqtt 7 7 ["DISCONNECT"];
    "tls12" Tls 0 0 ["an encrypted alert"];
    "tls13" Tls 0 0 [];
};

impl Captured {
    fn transfers(&self) -> Vec<(Direction, Vec<u8>)> {
        let mut transfers: Vec<(Direction, Vec<u8>)> = Vec::new();
        for line in self.text.lines().filter(|line| !line.starts_with('#')) {
            let (sender, digits) = line.split_once(' ').expect("a sender and its bytes");
            let bytes = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
            let bytes = bytes.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal"));
            match sender {
                "C" => transfers.push((Sent, bytes.collect())),
                "S" => transfers.push((Received, bytes.collect())),
                _ => transfers.last_mut().expect("a transfer").1.extend(bytes),
            }
        }
        transfers
    }
}

/// The signs of transfers that one process sends and receives.
fn signs(transfers: &[(Direction, Vec<u8>)]) -> (Twice, Vec<Sign>) {
    let (mut wire, mut signs) = (Twice::new(), Vec::new());
    wire.client_is(Sent);
    for (dir, data) in transfers {
        wire.feed(P, *dir, Chunk::new(data, data.len() as u64), &mut |sign| signs.push(sign));
    }
    (wire, signs)
}

/// What one process alone says must never look like the work of two: whatever was seen of it.
#[track_caller]
fn healthy(signs: &[Sign], how: &str) {
    for sign in signs {
        let fine = match *sign {
            Sign::Reply { requester, .. } => requester.is_none_or(|by| by == P),
            Sign::StreamReused { .. } | Sign::Torn { .. } | Sign::Answer { .. } => false,
            Sign::UsedAfterEnd { .. } | Sign::Cancelled { .. } => false,
            _ => true,
        };
        assert!(fine, "{sign:?} {how}");
    }
}

fn goodbyes(signs: &[Sign]) -> Vec<&'static str> {
    let message = |sign: &Sign| match *sign {
        Sign::Goodbye { message, .. } => Some(message),
        _ => None,
    };
    signs.iter().filter_map(message).collect()
}

#[test]
fn sessions_of_real_clients_are_read() {
    for session in &ALL {
        let (wire, signs) = signs(&session.transfers());
        let name = session.name;
        assert_eq!(wire.protocol(), session.protocol, "{name}");
        healthy(&signs, name);
        assert_eq!(goodbyes(&signs), session.goodbyes, "{name}");
        let requests = signs.iter().filter(|sign| matches!(sign, Sign::Request { .. })).count();
        let reply = |sign: &&Sign| matches!(sign, Sign::Reply { requester: Some(P), sure: true, .. });
        let replies = signs.iter().filter(reply).count();
        let all = signs.iter().filter(|sign| matches!(sign, Sign::Reply { .. })).count();
        assert_eq!((requests, replies, all), (session.requests, session.replies, session.replies), "{name}");
    }
}

/// Each transfer comes in two, cut at this byte of it.
fn cut(transfers: &[(Direction, Vec<u8>)], at: usize) -> Vec<(Direction, Vec<u8>)> {
    let mut all = Vec::new();
    for (dir, data) in transfers {
        let (one, two) = data.split_at(at.min(data.len()));
        all.extend([one, two].into_iter().filter(|part| !part.is_empty()).map(|part| (*dir, part.to_vec())));
    }
    all
}

#[test]
fn sessions_cut_at_each_byte_are_the_same() {
    for session in &ALL {
        let transfers = session.transfers();
        let whole = signs(&transfers).1;
        let longest = transfers.iter().map(|(_, data)| data.len()).max().unwrap_or(0);
        for at in 1..=longest {
            let (wire, signs) = signs(&cut(&transfers, at));
            let how = format!("{} cut at {at}", session.name);
            healthy(&signs, &how);
            assert_eq!(goodbyes(&signs), session.goodbyes, "{how}");
            // Of MongoDB's header a part shows nothing, and no transfer begins with a whole one.
            if session.protocol == Protocol::MongoDb && at < 20 {
                continue;
            }
            assert_eq!(wire.protocol(), session.protocol, "{how}");
            // MQTT's packet ids are read where they come in one transfer with the header.
            if session.protocol != Protocol::Mqtt {
                assert_eq!(signs, whole, "{how}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn sessions_in_pieces_look_like_one_process(
        session in 0..ALL.len(),
        lengths in prop::collection::vec(1usize..90, 1..20),
        captured in prop_oneof![Just(usize::MAX), 32usize..64],
        late in any::<bool>(),
    ) {
        let mut wire = Twice::new();
        if late {
            wire.skip(Sent);
            wire.skip(Received);
        }
        let first = lengths[0];
        let (mut signs, mut lengths) = (Vec::new(), lengths.iter().cycle());
        for (dir, data) in ALL[session].transfers() {
            let mut rest = data.as_slice();
            while !rest.is_empty() {
                let length = lengths.next().map_or(1, |length| *length).min(rest.len());
                let (piece, after) = rest.split_at(length);
                rest = after;
                let chunk = Chunk::new(&piece[..captured.min(length)], length as u64);
                wire.feed(P, dir, chunk, &mut |sign| signs.push(sign));
            }
        }
        healthy(&signs, ALL[session].name);
        // Where no transfer begins with a message, binary numbers may look like anything.
        if !late && first >= 32 {
            prop_assert_eq!(wire.protocol(), ALL[session].protocol);
        }
    }

    /// Lengths and numbers may be anything.
    #[test]
    fn sessions_with_changed_bytes_panic_nowhere(
        session in 0..ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut transfers = ALL[session].transfers();
        for (place, byte) in changes {
            let (_, data) = &mut transfers[place.index(usize::MAX) % 4];
            let at = place.index(data.len());
            data[at] = byte;
        }
        signs(&transfers);
    }
}

/// What others speak that begins, or looks, a little like something that is read here.
const OTHERS: [(&str, &[u8]); 16] = [
    ("ZooKeeper, a session", b"\0\0\0\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x27\x10\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ("ZooKeeper, getData", b"\0\0\0\x12\0\0\0\x01\0\0\0\x04\0\0\0\x05/name\0"),
    ("ZooKeeper, ping", b"\0\0\0\x08\xff\xff\xff\xfe\0\0\0\x0b"),
    ("Thrift, framed", b"\0\0\0\x1a\x80\x01\0\x01\0\0\0\x04ping\0\0\0\x01\x0b\0\x01\0\0\0\x02hi\0"),
    ("Cassandra, STARTUP", b"\x04\0\0\0\x01\0\0\0\x16\0\x01\0\x0bCQL_VERSION\0\x053.0.0"),
    ("Cassandra, QUERY", b"\x04\0\0\x01\x07\0\0\0\x0f\0\0\0\x08SELECT 1\0\x01\0"),
    ("LDAP, bind", b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"),
    ("LDAP, bind response", b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0"),
    ("LDAP, long form", b"\x30\x84\0\0\0\x10\x02\x01\x01\x60\x84\0\0\0\x07\x02\x01\x03\x04\0\x80\0"),
    ("memcached, binary get", b"\x80\0\0\x05\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0Hello"),
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    ("X11", b"l\0\x0b\0\0\0\0\0\0\0\0\0"),
    ("SMB 2", b"\0\0\0\x24\xfeSMB\x40\0\0\0\0\0\0\0\0\0\x1f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ("NATS", b"INFO {\"server_id\":\"x\"}\r\n"),
    ("AMQP 1.0", b"AMQP\0\x01\0\0"),
    ("zeros", &[0; 64]),
];

#[test]
fn what_others_speak_is_not_recognised() {
    for (name, data) in OTHERS {
        for dir in [Sent, Received] {
            let mut wire = Twice::new();
            for _ in 0..3 {
                wire.feed(P, dir, Chunk::new(data, data.len() as u64), &mut |_| ());
            }
            assert_eq!(wire.protocol(), Protocol::Unknown, "{name}");
        }
    }
}

/// No transfer of a session is taken for the beginning of another protocol's, nor surely for its middle.
#[test]
fn no_protocol_takes_another_s_bytes_for_its_own() {
    for session in &ALL {
        for (_, data) in session.transfers() {
            for length in [data.len() as u64, data.len() as u64 + 500] {
                let chunk = Chunk::new(&data, length);
                for speech in REGISTRY.iter().filter(|speech| speech.protocol != session.protocol) {
                    let how = format!("{} as {}: {}", session.name, speech.name, data.escape_ascii());
                    assert!(chunk.opens(speech.opens).is_none(), "{how}");
                    assert!(!chunk.fits(speech.fits).is_some_and(|fit| fit.sure), "{how}");
                }
            }
        }
    }
}

/// Bytes of no protocol, from a fixed seed: of what is read by numbers alone nothing is recognised.
#[test]
fn noise_is_not_recognised() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    };
    for round in 0..20_000 {
        let mut data: Vec<u8> = (0..8).flat_map(|_| next()).collect();
        // Numbers of binary protocols are mostly small.
        if round % 2 == 0 {
            data.iter_mut().step_by(2).for_each(|byte| *byte &= 3);
        }
        let mut wire = Twice::new();
        wire.feed(P, Sent, Chunk::new(&data, data.len() as u64), &mut |_| ());
        assert_eq!(wire.protocol(), Protocol::Unknown, "{}", data.escape_ascii());
    }
}
