//! The headers of Kafka's messages (Kafka protocol guide, "Protocol Primitives" and "Headers"): a
//! length that does not count itself; of a request its key, version, correlation id and client; of a
//! response the correlation id.

use crate::protocol::Kept;
use crate::protocol::speech::{Fit, Note, Side};
use crate::protocol::walker::Head;

/// Length, key, version, correlation id.
const REQUEST: usize = 12;

/// The same, and the length of the client's name.
const NAMED: usize = REQUEST + 2;

/// Length, correlation id.
const RESPONSE: usize = 8;

/// The largest request that a broker takes: `socket.request.max.bytes`, by default 100 MB.
const MOST: u32 = 100 << 20;

/// Keys and versions in use stay below these by far enough; private keys do not exist.
const KEY_MOST: u16 = 127;
const VERSION_MOST: u16 = 31;

/// The longest name of a client that is believed.
const NAME_MOST: u16 = 255;

pub(super) const PRODUCE: u16 = 0;

/// What sessions open with, each with its newest version: which versions the broker speaks, how to
/// log in, where topics are.
const OPENINGS: [(u16, u16); 3] = [(API_VERSIONS, 4), (SASL_HANDSHAKE, 1), (METADATA, 13)];
const METADATA: u16 = 3;
const SASL_HANDSHAKE: u16 = 17;
const API_VERSIONS: u16 = 18;

/// The longest of those that are believed.
const OPENING_MOST: u32 = u16::MAX as u32;

/// A request's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    length: u32,
    pub(super) key: u16,
    version: u16,
    pub(super) correlation: u32,
}

impl Request {
    /// The header of a request, if it is one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, d, e, f, g, h, correlation @ ..] = bytes.first_chunk::<REQUEST>()?;
        let request = Self {
            length: u32::from_be_bytes([a, b, c, d]),
            key: u16::from_be_bytes([e, f]),
            version: u16::from_be_bytes([g, h]),
            correlation: u32::from_be_bytes(correlation),
        };
        let legal = (10..=MOST).contains(&request.length)
            && request.key <= KEY_MOST
            && request.version <= VERSION_MOST;
        legal.then_some(request)
    }

    /// The same, where a client names itself in it, as far as that was captured. Its name is not noted: what
    /// stands for it is taken for text. One that is null or empty is not believed: too much looks like it.
    fn named(bytes: &[u8]) -> Option<Self> {
        let request = Self::parse(bytes)?;
        let &[a, b] = bytes[REQUEST..].first_chunk::<2>()?;
        let (length, name) = (u16::from_be_bytes([a, b]), &bytes[NAMED..]);
        let name = &name[..name.len().min(length.into())];
        let text = name.iter().all(|&byte| byte.is_ascii_graphic() || byte == b' ' || byte == Kept::FILL);
        let holds = u32::from(length) + 10 <= request.length;
        (text && holds && (1..=NAME_MOST).contains(&length)).then_some(request)
    }

    /// The whole message's length.
    fn whole(self) -> u64 {
        4 + u64::from(self.length)
    }
}

/// Does a client's first request begin here?
pub(super) fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    let request = Request::named(data)?;
    let known = OPENINGS.iter().any(|&(key, newest)| request.key == key && request.version <= newest);
    (known && request.length <= OPENING_MOST).then(|| {
        note(0..NAMED);
        Side::Client
    })
}

/// The first bytes of one.
pub(super) fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let begun = data.len() < NAMED
        && data.iter().enumerate().all(|(at, &byte)| match at {
            // The high bytes of the length, the key, the version, and the name's length.
            0 | 1 | 4 | 6 | 12 => byte == 0,
            5 => OPENINGS.iter().any(|&(key, _)| key == u16::from(byte)),
            7 => OPENINGS.iter().any(|&(key, newest)| key == u16::from(data[5]) && newest >= u16::from(byte)),
            13 => byte != 0,
            // The length's low bytes and the correlation id.
            _ => true,
        });
    note(0..if begun { data.len() } else { 0 });
    begun
}

/// Do requests tile these bytes?
pub(super) fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (mut rest, mut seen) = (data, 0u64);
    while rest.len() >= NAMED {
        let request = Request::named(rest)?;
        let at = data.len() - rest.len();
        note(at..at + NAMED);
        seen += request.whole();
        rest = usize::try_from(request.whole()).ok().and_then(|long| rest.get(long..)).unwrap_or_default();
    }
    note(data.len() - rest.len()..data.len());
    // A header cut by the end: the high byte of the next one's length.
    let cut = rest.first().is_some_and(|&byte| u32::from(byte) > MOST >> 24);
    (seen > 0 && !cut).then_some(Fit { sure: seen == len, from: Some(Side::Client) })
}

/// Do responses tile these bytes, in a session that is known to be one?
pub(super) fn resumes(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (mut rest, mut seen) = (data, 0u64);
    while let Some(header) = rest.first_chunk() {
        let length = response(header)?;
        let at = data.len() - rest.len();
        note(at..at + 4);
        seen += 4 + u64::from(length);
        rest = usize::try_from(4 + length).ok().and_then(|long| rest.get(long..)).unwrap_or_default();
    }
    (seen == len && seen > 0).then_some(Fit { sure: true, from: Some(Side::Server) })
}

/// The length of a response.
fn response(&header: &[u8; RESPONSE]) -> Option<u32> {
    let [a, b, c, d, ..] = header;
    Some(u32::from_be_bytes([a, b, c, d])).filter(|length| (4..=MOST).contains(length))
}

/// The header of the request that begins here.
pub(super) fn request_head(bytes: &[u8]) -> Head {
    match Request::parse(bytes) {
        Some(request) => Head::Message { head: REQUEST, body: request.whole() - REQUEST as u64 },
        None if bytes.len() < REQUEST => Head::Short(REQUEST - bytes.len()),
        None => Head::Bad,
    }
}

/// The header of the response that begins here.
pub(super) fn response_head(bytes: &[u8]) -> Head {
    match bytes.first_chunk().map(response) {
        None => Head::Short(RESPONSE - bytes.len()),
        Some(Some(length)) => Head::Message { head: RESPONSE, body: u64::from(length) - 4 },
        Some(None) => Head::Bad,
    }
}

/// The correlation id in the header of a response.
pub(super) fn correlation(head: &[u8]) -> Option<u32> {
    let &[.., a, b, c, d] = head.first_chunk::<RESPONSE>()?;
    Some(u32::from_be_bytes([a, b, c, d]))
}
