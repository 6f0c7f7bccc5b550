//! With `--record-payload headers` nothing secret is in the file, wherever it stands in a conversation and
//! however that was cut into transfers.

use super::chunk::In;
use super::format::Preamble;
use super::sample::{Owned, Record, header};
use super::*;
use crate::protocol::{Chunk, Direction, Kept, User, Wire};
use Direction::{Received, Sent};
use forkscope_proto::{self as proto, Kind, calls};

/// Stands wherever a secret can. No three of its bytes stand next to each other elsewhere.
const SECRET: &str = "~Zq#Kw~";

/// Conversations: what was sent and received, one after the other. `@` stands for
/// [`SECRET`], as long as it is.
const CONVERSATIONS: [&[(Direction, &[u8])]; 18] = [
    &[
        (Sent, b"GET /@?key=@ HTTP/1.1\r\nHost: @\r\nCookie: @\r\nAuthorization: Basic @\r\n\r\n"),
        (Received, b"HTTP/1.1 200 @\r\nSet-Cookie: @\r\n\r\n@"),
        (Sent, b"POST /@ HTTP/1.1\r\nContent-Length: 7\r\n\r\n@"),
    ],
    &[(Sent, b"GET http://u:@@h/@ HTTP/1.1\r\nProxy-Authorization: @\r\n\r\n@"), (Received, b"@")],
    &[(Sent, b"@ HTTP/1.1\r\n"), (Sent, b"@")],
    &[(Sent, b"PUT @"), (Received, b"@"), (Sent, b"@")],
    &[(Sent, b"PUT @\r\n@"), (Sent, b"GET @\n@")],
    &[(Sent, b"GET apikey=@"), (Sent, b"@"), (Sent, b"@\r\n@")],
    &[(Sent, b"@@"), (Received, b"@@")],
    &[(Received, b"220 @\r\n"), (Sent, b"USER @\r\n"), (Sent, b"PASS @\r\n")],
    &[
        (Sent, b"*3\r\n$4\r\nAUTH\r\n$7\r\n@\r\n$7\r\n@\r\n"),
        (Received, b"+@\r\n"),
        (Sent, b"*3\r\n$3\r\nSET\r\n$7\r\n@\r\n$7\r\n@\r\n*2\r\n$3\r\nGET\r\n$7\r\n@\r\n"),
        (Received, b"$7\r\n@\r\n-ERR @\r\n*1\r\n$7\r\n@\r\n"),
    ],
    &[
        (Sent, b"\0\0\0\x17\0\x03\0\0user\0@\0\0\0"),
        (Received, b"R\0\0\0\x0c\0\0\0\x05abcd"),
        (Sent, b"p\0\0\0\x0c@\0"),
        (Received, b"S\0\0\0\x0d@\0\0Z\0\0\0\x05I"),
        (Sent, b"Q\0\0\0\x13select @\0P\0\0\0\x0c@\0S\0\0\0\x04"),
        (Received, b"D\0\0\0\x0b@E\0\0\0\x0b@Z\0\0\0\x05I"),
    ],
    &[
        (Received, b"\x28\0\0\0\x0a8.@\0............................."),
        (Sent, b"\x07\0\0\x01@"),
        (Received, b"\x07\0\0\x02@"),
        (Sent, b"\x0f\0\0\0\x03select @"),
        (Received, b"\x01\0\0\x01\x01\x07\0\0\x02@\x07\0\0\x03@\x07\0\0\x04@"),
    ],
    &[(Received, b"\x4a\0\0\0\x0a8.0.@ @"), (Sent, b"@")],
    &[
        (Sent, b"\x16\x03\x01\0\x0d\x01\0\0\x09\x03\x03@"),
        (Received, b"\x16\x03\x03\0\x07@\x17\x03\x03\0\x07@"),
    ],
    &[
        (
            Sent,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x3f\x01\x04\0\0\0\x01\x42\x04POST\x44\x0c/p?k=@\
             \x10\x06cookie\x07@\0\x07@\x07@\x1f\x08\x07@\0\0\x07\0\x01\0\0\0\x01@\0\0\x0f\x07\0\0\0\0\0\0\0\0\0\0\0\0\0@",
        ),
        (
            Received,
            b"\0\0\0\x04\0\0\0\0\0\0\0\x24\x01\x04\0\0\0\x01\x48\x03200\x77\x07@\0\x0cgrpc-message\x07@\
             \0\0\x07\0\x01\0\0\0\x01@",
        ),
    ],
    &[
        (
            Sent,
            b"\x16\x03\x01\0\x46\x01\0\0\x42\x03\x03@@@@abcd\x07@\0\x02\x13\x01\x01\0\0\x10\0\x0a\0\x07@\0\x17\0\x01~",
        ),
        (Received, b"\x16\x03\x03\0\x2c\x02\0\0\x28\x03\x03@@@@abcd\0\x13\x01\0\x16\x03\x03\0\x0b\x0b\0\0\x07@"),
        (Sent, b"\x15\x03\x03\0\x0e@@"),
    ],
    &[
        (Sent, b"AMQP\0\0\x09\x01"),
        (Received, b"\x01\0\0\0\0\0\x0b\0\x0a\0\x0a@\xce"),
        (Sent, b"\x01\0\0\0\0\0\x0b\0\x0a\0\x0b@\xce\x01\0\x01\0\0\0\x0b\0\x3c\0\x28@\xce"),
        (Sent, b"\x02\0\x01\0\0\0\x12\0\x3c\0\0@@\xce\x03\0\x01\0\0\0\x0e@@\xce\x01\0\0\0\0\0\x0b\0\x0a\0\x32@\xce"),
    ],
    &[
        (Sent, b"\0\0\0\x11\0\x12\0\0\0\0\0\x01\0\x07@"),
        (Received, b"\0\0\0\x0b\0\0\0\x01@"),
        (Sent, b"\0\0\0\x18\0\0\0\x03\0\0\0\x02\0\x07@@\0\0\0\x18\0\x01\0\x03\0\0\0\x03\0\x07@@"),
        (Received, b"\0\0\0\x0b\0\0\0\x02@\0\0\0\x12\0\0\0\x03@@"),
    ],
    &[
        (Sent, b"\x10\x1a\0\x04MQTT\x04\xc2\0\x3c\0\x07@\0\x05abcde"),
        (Received, b"\x20\x02\0\0"),
        (Sent, b"\x32\x12\0\x07@\0\x07@\x82\x0c\0\x08\0\x07@\x01"),
        (Received, b"\x40\x02\0\x07\x30\x10\0\x07@@\x90\x03\0\x08\x01"),
    ],
];

/// A transfer of these bytes.
fn transfer(dir: Direction, payload: &[u8]) -> Owned {
    let nr = if dir == Sent { calls::SENDTO } else { calls::RECVFROM };
    let header =
        proto::Header { kind: Kind::Io as u16, nr, payload: payload.len() as u32, ..Default::default() };
    let record = Record::Io(proto::Io { header, ..Default::default() });
    Owned { time: 0, process: Default::default(), tid: 0, record, payload: payload.to_vec() }
}

/// The same, handed to OpenSSL.
fn inside_tls(payload: &[u8]) -> Owned {
    let header =
        proto::Header { kind: Kind::Plaintext as u16, payload: payload.len() as u32, ..Default::default() };
    let record = Record::Plaintext(proto::Plaintext { header, ..Default::default() });
    Owned { time: 0, process: Default::default(), tid: 0, record, payload: payload.to_vec() }
}

/// All that is in the file when a conversation was recorded that passed in pieces of so
/// many bytes, first the first.
fn recorded(steps: &[(Direction, &[u8])], first: usize, then: usize, payload: Payload) -> Vec<u8> {
    let (mut file, mut wire, kept) = (Vec::new(), Wire::new(), Kept::default());
    let mut recorder = Recorder::begin(&mut file, &header(payload)).expect("memory");
    for (dir, text) in steps {
        let said = |&byte: &u8| if byte == b'@' { SECRET.as_bytes().to_vec() } else { vec![byte] };
        let text: Vec<u8> = text.iter().flat_map(said).collect();
        let (begin, rest) = text.split_at(first.min(text.len()));
        for piece in [begin].into_iter().chain(rest.chunks(then)) {
            kept.clear();
            wire.feed(User(1), *dir, Chunk::new(piece, piece.len() as u64).noting(&kept), &mut |_| ());
            recorder.event(&transfer(*dir, piece).event(), &kept).expect("memory");
            recorder.event(&inside_tls(piece).event(), &kept).expect("memory");
        }
    }
    recorder.end(&End::default()).expect("memory");
    let (mut raw, mut all) = (Vec::new(), file.clone());
    let length = u32::from_le_bytes(file[12..16].try_into().expect("four bytes"));
    let mut chunks = In::new(&file[size_of::<Preamble>() + length as usize..]).expect("memory");
    while chunks.read(&mut raw).expect("whole").is_some() {
        all.extend_from_slice(&raw);
    }
    all
}

#[test]
fn no_secret_is_in_the_file_however_it_passed() {
    let parts: Vec<&[u8]> = SECRET.as_bytes().windows(3).collect();
    for steps in CONVERSATIONS {
        for (first, then) in (1..90).flat_map(|first| [1, 2, 7, 1000].map(|then| (first, then))) {
            let all = recorded(steps, first, then, Payload::Headers);
            let found = all.windows(3).find(|bytes| parts.contains(bytes));
            assert_eq!(found, None, "{steps:?} in pieces of {first}, then {then}");
        }
        let all = recorded(steps, 1000, 1000, Payload::All);
        assert!(all.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()), "what is looked for");
    }
}
