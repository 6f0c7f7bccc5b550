//! The headers of PostgreSQL's messages: a tag and a length that counts itself; none but
//! the length in the first.

use crate::protocol::speech::{Fit, Note, Side};
use crate::protocol::walker::Head;

/// Tag and length.
const HEADER: usize = 5;

/// The largest message that either side accepts: PQ_LARGE_MESSAGE_LIMIT, 1 GB (libpq/libpq.h).
const MOST: u32 = 0x3fff_ffff;

/// The largest first packet: MAX_STARTUP_PACKET_LENGTH (libpq/pqcomm.h).
const STARTUP_MOST: u32 = 10_000;

/// A message cut by the transfer's end is believed where none was expected up to this length.
const BELIEVED: u32 = 1 << 16;

/// How the codes of first packets begin: of a session, of all others.
const STARTUP: [u8; 3] = [0, 3, 0];
const ENCRYPTION: [u8; 3] = [4, 0xd2, 0x16];

/// What a client's first packet asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// A session: protocol 3.
    Startup,
    /// SSLRequest or GSSENCRequest: the server answers with one byte.
    Encryption,
    /// CancelRequest: no answer.
    Cancel,
}

/// The tags of what a client sends, and of what a server does ("Message Formats").
const CLIENT: &[u8] = b"QPBEDCHSXFpfdc";
const SERVER: &[u8] = b"EDCHSdcRKZTINAGWVvnst123";

/// The first packet's length and code.
fn startup(bytes: &[u8]) -> Option<(u32, Code)> {
    let [a, b, c, d, code @ ..] = *bytes.first_chunk::<8>()?;
    let length = u32::from_be_bytes([a, b, c, d]);
    let code = match u32::from_be_bytes(code) {
        0x0003_0000..=0x0003_ffff => Code::Startup,
        80_877_103 | 80_877_104 if length == 8 => Code::Encryption,
        80_877_102 if (16..=256 + 12).contains(&length) => Code::Cancel,
        _ => return None,
    };
    (8..=STARTUP_MOST).contains(&length).then_some((length, code))
}

/// What the first packet with this header asks for.
pub(super) fn startup_code(head: &[u8]) -> Option<Code> {
    startup(head).map(|(_, code)| code)
}

/// The header of a client's message without a tag.
pub(super) fn startup_head(bytes: &[u8]) -> Head {
    match startup(bytes) {
        Some((length, _)) => Head::Message { head: 8, body: u64::from(length - 8) },
        None if bytes.len() < 8 => Head::Short(8 - bytes.len()),
        None => Head::Bad,
    }
}

/// Does a client's first packet begin here? Of versions only 3.0 and 3.2 exist.
pub(super) fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    note(0..8);
    let (_, code) = startup(data)?;
    (code != Code::Startup || data[6] == 0 && matches!(data[7], 0 | 2)).then_some(Side::Client)
}

/// The first bytes of such a packet: of its length, and of one of its codes.
pub(super) fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let (length, code) = data.split_at(data.len().min(4));
    let [_, _, high, _] = STARTUP_MOST.to_be_bytes();
    let most = [0, 0, high, u8::MAX];
    let begun = data.len() < 8
        && length.iter().zip(most).all(|(&byte, most)| byte <= most)
        && [STARTUP, ENCRYPTION].iter().any(|known| known.starts_with(code));
    note(0..if begun { data.len() } else { 0 });
    begun
}

/// A tagged message's length with its tag; may a client send it, and may a server?
fn tagged(&[tag, a, b, c, d]: &[u8; HEADER]) -> Option<(u32, bool, bool)> {
    let length = u32::from_be_bytes([a, b, c, d]);
    let (client, server) = match (tag, length) {
        (_, length) if !(4..=MOST).contains(&length) => return None,
        (b'S' | b'H', 4) => (true, false),
        (b'S' | b'H', _) => (false, true),
        (b'X' | b'c' | b'I' | b'n' | b's' | b'1'..=b'3', 5..) => return None,
        (b'Z', length) if length != 5 => return None,
        _ => (CLIENT.contains(&tag), SERVER.contains(&tag)),
    };
    (client || server).then_some((length + 1, client, server))
}

/// A tagged message's header, where one begins.
pub(super) fn head(bytes: &[u8]) -> Head {
    match bytes.first_chunk().map(tagged) {
        None => Head::Short(HEADER - bytes.len()),
        Some(Some((length, ..))) => {
            Head::Message { head: HEADER, body: u64::from(length).saturating_sub(HEADER as u64) }
        }
        Some(None) => Head::Bad,
    }
}

/// Do messages of one side tile these bytes?
pub(super) fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (mut rest, mut seen) = (data, 0u64);
    let (mut client, mut server, mut last) = (true, true, 0);
    while let Some(header) = rest.first_chunk::<HEADER>() {
        let (length, from_client, from_server) = tagged(header)?;
        client &= from_client;
        server &= from_server;
        last = length;
        let at = data.len() - rest.len();
        note(at..at + HEADER);
        seen += u64::from(length);
        rest = usize::try_from(length).ok().and_then(|length| rest.get(length..)).unwrap_or_default();
    }
    let from = match (client, server) {
        (false, false) => return None,
        (true, false) => Some(Side::Client),
        (false, true) => Some(Side::Server),
        (true, true) => None,
    };
    note(data.len() - rest.len()..data.len());
    let cut = rest.first().is_some_and(|tag| !CLIENT.contains(tag) && !SERVER.contains(tag));
    (seen > 0 && !cut && last <= BELIEVED.max(if seen == len { MOST } else { 0 }))
        .then_some(Fit { sure: seen == len, from })
}
