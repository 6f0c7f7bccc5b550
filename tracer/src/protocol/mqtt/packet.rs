//! MQTT's packets (MQTT 3.1.1 and 5.0, section 2): type and flags, a length of one to four bytes.

use crate::protocol::Kept;
use crate::protocol::speech::{Fit, Note, Side};
use crate::protocol::walker::Head;
use std::ops::Range;

/// How CONNECT goes on after its length: the protocol's name (3.1.2.1; 3.1 had another), and its levels.
const PROTOCOLS: [(&[u8], &[u8]); 2] = [(b"\0\x04MQTT", &[4, 5]), (b"\0\x06MQIsdp", &[3])];

/// A bridge of some servers says so in the level's highest bit.
const BRIDGE: u8 = 0x80;

/// A packet's types (2.1.2).
pub(super) const CONNECT: u8 = 1;
pub(super) const CONNACK: u8 = 2;
pub(super) const PUBLISH: u8 = 3;
pub(super) const PUBACK: u8 = 4;
pub(super) const PUBREC: u8 = 5;
pub(super) const PUBREL: u8 = 6;
pub(super) const PUBCOMP: u8 = 7;
pub(super) const SUBSCRIBE: u8 = 8;
pub(super) const SUBACK: u8 = 9;
pub(super) const UNSUBSCRIBE: u8 = 10;
pub(super) const UNSUBACK: u8 = 11;
pub(super) const PINGREQ: u8 = 12;
pub(super) const PINGRESP: u8 = 13;
pub(super) const DISCONNECT: u8 = 14;

/// What a packet's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) kind: u8,
    flags: u8,
    /// Bytes of type and length.
    head: usize,
    /// Bytes after them.
    body: u32,
}

impl Packet {
    /// A packet's type and length, if they are one's; the error is how many bytes are wanting at least.
    pub(super) fn parse(bytes: &[u8]) -> Option<Result<Self, usize>> {
        let Some((&first, rest)) = bytes.split_first() else { return Some(Err(2)) };
        let mut body = 0;
        for (at, &byte) in rest.iter().take(4).enumerate() {
            body |= u32::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                let packet = Self { kind: first >> 4, flags: first & 0xf, head: at + 2, body };
                let shortest = at == 0 || byte != 0;
                return (shortest && packet.is_legal()).then_some(Ok(packet));
            }
        }
        // The longest body is that of four bytes: nothing is wanting to be of one of these types.
        (rest.len() < 4 && Self::may_be(first)).then_some(Err(1))
    }

    /// Can a packet begin with this byte (2.1.3)?
    fn may_be(first: u8) -> bool {
        match (first >> 4, first & 0xf) {
            // Twice delivered and at most once; more than exactly once.
            (PUBLISH, flags) => flags & 6 != 6 && flags & 14 != 8,
            (PUBREL | SUBSCRIBE | UNSUBSCRIBE, flags) => flags == 2,
            (kind, flags) => kind != 0 && flags == 0,
        }
    }

    /// Do flags and length go with the type?
    fn is_legal(self) -> bool {
        Self::may_be(self.kind << 4 | self.flags)
            && match self.kind {
                CONNECT => self.body >= 12,
                PUBLISH => self.body >= 3,
                SUBSCRIBE => self.body >= 6,
                UNSUBSCRIBE => self.body >= 5,
                SUBACK => self.body >= 3,
                CONNACK | PUBACK | PUBREC | PUBREL | PUBCOMP | UNSUBACK => self.body >= 2,
                PINGREQ | PINGRESP => self.body == 0,
                _ => true,
            }
    }

    /// Who may send it, where only one side may.
    fn side(self) -> Option<Side> {
        match self.kind {
            CONNECT | SUBSCRIBE | UNSUBSCRIBE | PINGREQ => Some(Side::Client),
            CONNACK | SUBACK | UNSUBACK | PINGRESP => Some(Side::Server),
            _ => None,
        }
    }

    fn whole(self) -> u64 {
        self.head as u64 + u64::from(self.body)
    }

    /// Has it a packet id (2.2.1)? A PUBLISH, where it is to be acknowledged.
    pub(super) fn has_id(self) -> bool {
        match self.kind {
            PUBLISH => self.flags & 6 != 0,
            PUBACK | PUBREC | PUBREL | PUBCOMP | SUBSCRIBE | SUBACK | UNSUBSCRIBE | UNSUBACK => true,
            _ => false,
        }
    }

    /// Where its packet id stands in its body, in as much of that as there is: in a PUBLISH after the topic.
    pub(super) fn id(self, body: &[u8]) -> Option<Range<usize>> {
        let start = if self.kind == PUBLISH { 2 + topic(body)? } else { 0 };
        (self.has_id() && body.len() >= start + 2).then_some(start..start + 2)
    }
}

/// The length of a PUBLISH's topic.
fn topic(body: &[u8]) -> Option<usize> {
    let &[a, b] = body.first_chunk()?;
    Some(u16::from_be_bytes([a, b]).into())
}

/// The number at a place.
pub(super) fn number(body: &[u8], at: &Range<usize>) -> Option<u16> {
    let &[a, b] = body.get(at.clone())?.first_chunk()?;
    Some(u16::from_be_bytes([a, b]))
}

/// A packet's type and length, where one begins.
pub(super) fn head(bytes: &[u8]) -> Head {
    match Packet::parse(bytes) {
        Some(Ok(packet)) => Head::Message { head: packet.head, body: packet.body.into() },
        Some(Err(lacks)) => Head::Short(lacks),
        None => Head::Bad,
    }
}

/// A CONNECT.
pub(super) fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    let packet = Packet::parse(data)?.ok().filter(|packet| packet.kind == CONNECT)?;
    let rest = &data[packet.head..];
    let (name, levels) = PROTOCOLS.iter().find(|(name, _)| rest.starts_with(name))?;
    // The lowest flag is reserved (3.1.2.3).
    let &[level, flags, ..] = rest[name.len()..].first_chunk::<2>()?;
    (levels.contains(&(level & !BRIDGE)) && flags & 1 == 0).then(|| {
        note(0..packet.head + name.len() + 2);
        Side::Client
    })
}

/// The first bytes of one.
pub(super) fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let begun = data.first() == Some(&(CONNECT << 4))
        && match Packet::parse(data) {
            None => false,
            Some(Err(_)) => true,
            Some(Ok(packet)) => {
                let rest = &data[packet.head..];
                PROTOCOLS.iter().any(|(name, levels)| match rest.strip_prefix(*name) {
                    None => name.starts_with(rest),
                    Some([]) => true,
                    Some([level]) => levels.contains(&(level & !BRIDGE)),
                    Some(_) => false,
                })
            }
        };
    note(0..if begun { data.len() } else { 0 });
    begun
}

/// Do packets tile these bytes, in a session that is known to be one?
pub(super) fn resumes(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    tile(data, len, note, |_, _| true)
}

/// Do packets tile these bytes, of which some say more than their length: what is published or subscribed to
/// has a name? One alone may be something else's content.
pub(super) fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    if let Some(side) = opens(data, note) {
        return Some(Fit { sure: true, from: Some(side) });
    }
    tile(data, len, note, is_named)
}

fn tile(data: &[u8], len: u64, note: Note<'_>, is_one: fn(Packet, &[u8]) -> bool) -> Option<Fit> {
    let (mut rest, mut seen, mut packets) = (data, 0u64, 0u32);
    let (mut client, mut server) = (true, true);
    while !rest.is_empty() {
        let packet = Packet::parse(rest)?.ok()?;
        let body = &rest[packet.head..];
        if !is_one(packet, &body[..body.len().min(packet.body as usize)]) {
            return None;
        }
        client &= packet.side() != Some(Side::Server);
        server &= packet.side() != Some(Side::Client);
        packets += 1;
        let at = data.len() - rest.len();
        note(at..at + packet.head);
        if packet.kind == PUBLISH {
            note(at + packet.head..at + packet.head + 2);
        }
        seen += packet.whole();
        rest = usize::try_from(packet.whole()).ok().and_then(|long| rest.get(long..)).unwrap_or_default();
    }
    let from = match (client, server) {
        (false, false) => return None,
        (true, false) => Some(Side::Client),
        (false, true) => Some(Side::Server),
        (true, true) => None,
    };
    (packets > 0 && seen == len).then_some(Fit { sure: packets > 1, from })
}

/// Is it a PUBLISH with a topic (3.3.2.1), as far as that was captured? The topic is not noted: what stands
/// for it is taken for text.
fn is_named(packet: Packet, body: &[u8]) -> bool {
    let Some(length) = topic(body).filter(|_| packet.kind == PUBLISH) else { return false };
    let name = &body[2..body.len().min(2 + length)];
    let room = packet.body as usize - 2;
    let text = |byte: &u8| *byte == Kept::FILL || !byte.is_ascii_control() && !b"+#".contains(byte);
    (1..=room).contains(&length) && name.iter().all(text)
}
