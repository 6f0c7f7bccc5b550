//! AMQP 0-9-1's frames (specification, 2.3.5 and 4.2.3): type, channel, size; the
//! payload; an octet that ends it.

use super::method::{Method, Whose};
use crate::protocol::speech::{Fit, Note, Side};
use crate::protocol::walker::Head;

/// Type, channel, size.
const HEADER: usize = 7;

/// The same, and a method's class and number.
const METHOD_HEADER: usize = HEADER + 4;

/// The octet at each frame's end.
const END: u8 = 0xce;

/// What a client sends first (4.2.2), and a server that speaks another version answers.
const PROTOCOL: &[u8] = b"AMQP\0\0\x09\x01";

/// A frame's types.
const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;
const CONTENT_BODY: u8 = 3;
const HEARTBEAT: u8 = 8;

/// The class of all content (4.2.6.1), and what its header has at least: class, weight, size, flags.
const BASIC: u16 = 60;
const CONTENT_HEADER_LEAST: u32 = 14;

/// The most that a frame can be negotiated to be in practice; RabbitMQ's default is 128 KiB.
const MOST: u32 = 1 << 27;

/// A frame cut by the transfer's end is believed where none was expected up to this size.
const BELIEVED: u32 = 1 << 17;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) channel: u16,
    size: u32,
    /// Of a method: its class and number; of a content header: its class and weight.
    pub(super) numbers: (u16, u16),
}

impl Frame {
    /// What a frame's header says: the length of a header is that of [`Frame::header`].
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[kind, a, b, c, d, e, f] = bytes.first_chunk::<HEADER>()?;
        let size = u32::from_be_bytes([c, d, e, f]);
        let mut frame = Self { kind, channel: u16::from_be_bytes([a, b]), size, numbers: (0, 0) };
        if frame.header() == METHOD_HEADER {
            let &[a, b, c, d] = bytes[HEADER..].first_chunk::<4>()?;
            frame.numbers = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        }
        Some(frame).filter(|frame| frame.is_legal())
    }

    /// Its method.
    pub(super) fn method(self) -> Option<&'static Method> {
        Method::find(self.numbers).filter(|_| self.kind == METHOD)
    }

    /// The bytes of a header of this type: with the two numbers where it has them.
    fn header(self) -> usize {
        if matches!(self.kind, METHOD | CONTENT_HEADER) { METHOD_HEADER } else { HEADER }
    }

    /// The whole frame's length, with its end.
    fn length(self) -> u64 {
        HEADER as u64 + u64::from(self.size) + 1
    }

    /// Class 10 belongs to channel 0, all others to channels of their own (4.2.3).
    fn is_legal(self) -> bool {
        let kind = match self.kind {
            METHOD => {
                self.size >= 4 && self.method().is_some() && (self.channel == 0) == (self.numbers.0 == 10)
            }
            CONTENT_HEADER => {
                self.size >= CONTENT_HEADER_LEAST && self.numbers == (BASIC, 0) && self.channel != 0
            }
            CONTENT_BODY => self.channel != 0,
            HEARTBEAT => self.channel == 0 && self.size == 0,
            _ => false,
        };
        kind && self.size <= MOST
    }
}

/// The client's protocol header.
pub(super) fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    data.starts_with(PROTOCOL).then(|| {
        note(0..PROTOCOL.len());
        Side::Client
    })
}

/// The first bytes of it.
pub(super) fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let begun = PROTOCOL.starts_with(data);
    note(0..if begun { data.len() } else { 0 });
    begun
}

/// The header of the frame, or the protocol header, that begins here.
pub(super) fn head(bytes: &[u8]) -> Head {
    let prefix = bytes.len().min(PROTOCOL.len());
    if prefix > 0 && bytes[..prefix] == PROTOCOL[..prefix] {
        return match PROTOCOL.len() - prefix {
            0 => Head::Message { head: prefix, body: 0 },
            lacks => Head::Short(lacks),
        };
    }
    let header = match bytes.first() {
        Some(&(METHOD | CONTENT_HEADER)) => METHOD_HEADER,
        Some(&(CONTENT_BODY | HEARTBEAT)) | None => HEADER,
        Some(_) => return Head::Bad,
    };
    if bytes.len() < header {
        return Head::Short(header - bytes.len());
    }
    match Frame::parse(bytes) {
        Some(frame) => Head::Message { head: header, body: frame.length() - header as u64 },
        None => Head::Bad,
    }
}

/// Do whole frames of one side tile these bytes, each with its end where that was captured?
pub(super) fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    if let Some(side) = opens(data, note) {
        return Some(Fit { sure: true, from: Some(side) });
    }
    let (mut rest, mut seen, mut ends, mut telling) = (data, 0u64, 0u32, false);
    let (mut client, mut server) = (true, true);
    let mut last = 0;
    while rest.len() >= HEADER && !(rest.len() < METHOD_HEADER && matches!(rest[0], METHOD | CONTENT_HEADER))
    {
        let frame = Frame::parse(rest)?;
        let at = data.len() - rest.len();
        note(at..at + frame.header());
        if let Some(method) = frame.method() {
            client &= matches!(method.whose, Whose::Client | Whose::Either);
            server &= !matches!(method.whose, Whose::Client);
            telling = true;
        }
        let end = usize::try_from(frame.length()).ok()?;
        match rest.get(end - 1) {
            Some(&END) => ends += 1,
            Some(_) => return None,
            None => {}
        }
        note(at + end - 1..at + end);
        (seen, last) = (seen + frame.length(), frame.size);
        rest = rest.get(end..).unwrap_or_default();
    }
    let from = match (client, server) {
        (false, false) => return None,
        (true, false) => Some(Side::Client),
        (false, true) => Some(Side::Server),
        (true, true) => None,
    };
    note(data.len() - rest.len()..data.len());
    let cut = rest.first().is_some_and(|&kind| !matches!(kind, METHOD..=CONTENT_BODY | HEARTBEAT));
    let whole = seen == len && ends > 0;
    (seen > 0 && !cut && (whole || last <= BELIEVED))
        .then_some(Fit { sure: ends > 0 && (telling || whole), from })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::kept::nothing;

    #[test]
    fn frames() {
        // bytes, whole length -> a frame begins here and is sure
        for (data, len, fit) in [
            (&b"\x08\0\0\0\0\0\0\xce"[..], 8, Some(true)),
            (b"\x08\0\0\0\0\0\0\xcd", 8, None),
            (b"\x08\0\0\0\0\0\x01\0\xce", 9, None),
            (b"\x01\0\x01\0\0\0\x05\0\x14\0\x0a\0\xce", 13, Some(true)),
            (b"\x01\0\0\0\0\0\x05\0\x14\0\x0a\0\xce", 13, None),
            (b"\x01\0\x01\0\0\0\x05\0\x14\0\x0b\0\xce", 13, Some(true)),
            (b"\x01\0\x01\0\0\0\x05\0\x15\0\x0a\0\xce", 13, None),
            (b"\x01\0\x01\0\0\0\x50\0\x3c\0\x28", 88, Some(false)),
            (b"\x03\0\x01\0\0\0\x02hi\xce", 10, Some(true)),
            (b"\x03\0\x01\0\0\x02\0hi", 520, Some(false)),
            (b"\x03\0\x01\0\x04\0\0hi", 400_000, None),
            (b"AMQP\0\0\x09\x01", 8, Some(true)),
            (b"AMQP\0\x01\0\0", 8, None),
            (b"", 0, None),
        ] {
            let found = fits(data, len, &mut nothing).map(|fit| fit.sure);
            assert_eq!(found, fit, "{}", data.escape_ascii());
        }
    }
}
