//! HTTP/2 frame headers (RFC 9113, 4.1 and 6).

use crate::protocol::speech::Side;
use std::fmt;
use std::ops::Range;

/// Bytes of a frame header (RFC 9113, 4.1).
pub(super) const HEADER: usize = 9;

/// The largest payload unless the receiver allowed more: SETTINGS_MAX_FRAME_SIZE's initial value (6.5.2).
const DEFAULT_MAX: u32 = 1 << 14;

const END_STREAM: u8 = 0x01;
const ACK: u8 = 0x01;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const PRIORITY: u8 = 0x20;

/// The type of an HTTP/2 frame (RFC 9113, 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// A part of a request's or a response's content.
    Data,
    /// Opens a stream, answers on it, or ends it with trailers.
    Headers,
    /// Deprecated priority of a stream.
    Priority,
    /// Ends a stream at once.
    RstStream,
    /// Parameters of the connection.
    Settings,
    /// Announces a stream that the server will open.
    PushPromise,
    /// Asks whether the peer lives, or answers that.
    Ping,
    /// No new streams: the session ends.
    Goaway,
    /// Credit for the peer to send.
    WindowUpdate,
    /// More of a HEADERS or PUSH_PROMISE.
    Continuation,
    /// A type that RFC 9113 does not define.
    Other(u8),
}

impl FrameKind {
    fn from_wire(code: u8) -> Self {
        match code {
            0 => Self::Data,
            1 => Self::Headers,
            2 => Self::Priority,
            3 => Self::RstStream,
            4 => Self::Settings,
            5 => Self::PushPromise,
            6 => Self::Ping,
            7 => Self::Goaway,
            8 => Self::WindowUpdate,
            9 => Self::Continuation,
            other => Self::Other(other),
        }
    }

    /// How many are told apart: those of RFC 9113, and all others as one.
    pub(super) const COUNT: usize = Self::NAMES.len();

    /// Their names, by [`FrameKind::index`].
    pub(super) const NAMES: [&str; 11] = [
        "DATA",
        "HEADERS",
        "PRIORITY",
        "RST_STREAM",
        "SETTINGS",
        "PUSH_PROMISE",
        "PING",
        "GOAWAY",
        "WINDOW_UPDATE",
        "CONTINUATION",
        "other",
    ];

    /// Its place among those that are told apart.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Data => 0,
            Self::Headers => 1,
            Self::Priority => 2,
            Self::RstStream => 3,
            Self::Settings => 4,
            Self::PushPromise => 5,
            Self::Ping => 6,
            Self::Goaway => 7,
            Self::WindowUpdate => 8,
            Self::Continuation => 9,
            Self::Other(_) => 10,
        }
    }

    /// Is it part of a stream's answer, when a client reads it?
    pub(super) fn answers(self) -> bool {
        matches!(self, Self::Data | Self::Headers | Self::RstStream | Self::Continuation)
    }

    /// The flags that the type defines.
    fn flags(self) -> u8 {
        match self {
            Self::Data => END_STREAM | PADDED,
            Self::Headers => END_STREAM | END_HEADERS | PADDED | PRIORITY,
            Self::Settings | Self::Ping => ACK,
            Self::PushPromise => END_HEADERS | PADDED,
            Self::Continuation => END_HEADERS,
            Self::Priority | Self::RstStream | Self::Goaway | Self::WindowUpdate | Self::Other(_) => 0,
        }
    }
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(f, "frame of type {code}"),
            known => f.write_str(Self::NAMES[known.index()]),
        }
    }
}

/// One frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) stream: u32,
    pub(super) length: u32,
    pub(super) flags: u8,
}

impl Frame {
    /// Length (24 bits), type, flags, a reserved bit that is ignored, stream (31 bits): 4.1.
    pub(super) fn parse(&[a, b, c, kind, flags, s @ ..]: &[u8; HEADER]) -> Self {
        Self {
            kind: FrameKind::from_wire(kind),
            stream: u32::from_be_bytes(s) & (u32::MAX >> 1),
            length: u32::from_be_bytes([0, a, b, c]),
            flags,
        }
    }

    /// Are length and stream what the type demands? Unknown types and flags are to be ignored (4.1, 5.5).
    pub(super) fn is_legal(self) -> bool {
        let (length, on_stream) = (self.length, self.stream != 0);
        match self.kind {
            FrameKind::Data | FrameKind::Headers | FrameKind::Continuation => on_stream,
            FrameKind::Priority => on_stream && length == 5,
            FrameKind::RstStream => on_stream && length == 4,
            FrameKind::Settings => {
                !on_stream && length.is_multiple_of(6) && (self.flags & ACK == 0 || length == 0)
            }
            FrameKind::PushPromise => on_stream && length >= 4,
            FrameKind::Ping => !on_stream && length == 8,
            FrameKind::Goaway => !on_stream && length >= 8,
            FrameKind::WindowUpdate => length == 4,
            FrameKind::Other(_) => true,
        }
    }

    /// Is it what a frame looks like where none was expected: a known type, only its own flags, the default
    /// size?
    pub(super) fn is_plausible(self) -> bool {
        let known = !matches!(self.kind, FrameKind::Other(_)) && self.flags & !self.kind.flags() == 0;
        let headless = self.kind == FrameKind::Headers && self.length == 0;
        known && self.is_legal() && self.length <= DEFAULT_MAX && !headless
    }

    /// Is it the sender's last frame of its stream, but for its continuations?
    pub(super) fn ends_stream(self) -> bool {
        matches!(self.kind, FrameKind::Data | FrameKind::Headers) && self.flags & END_STREAM != 0
    }

    /// Does its payload begin with the length of padding at its end?
    pub(super) fn is_padded(self) -> bool {
        self.kind.flags() & self.flags & PADDED != 0
    }

    /// Bytes that stand between that and the block of fields: a priority (6.2), a promised stream (6.6).
    pub(super) fn before_block(self) -> u32 {
        match self.kind {
            FrameKind::Headers if self.flags & PRIORITY != 0 => 5,
            FrameKind::PushPromise => 4,
            _ => 0,
        }
    }

    /// Is it the last of its block of fields (6.2, 6.6, 6.10)?
    pub(super) fn ends_block(self) -> bool {
        self.kind.flags() & self.flags & END_HEADERS != 0
    }

    /// Where the block of fields begins in its payload.
    pub(super) fn first_field(self) -> usize {
        usize::from(self.is_padded()) + self.before_block() as usize
    }

    /// Who sent these HEADERS, by the first field of the captured block that tells: a request begins with
    /// pseudo-headers of requests, a response with `:status` (RFC 9113, 8.3; static table: RFC 7541, appendix
    /// A). And the bytes of the payload that told.
    pub(super) fn side(self, body: &[u8]) -> Option<(Side, Range<usize>)> {
        match self.kind {
            FrameKind::Headers => {}
            FrameKind::PushPromise => return Some((Side::Server, 0..0)),
            _ => return None,
        }
        let first = self.first_field();
        for (at, byte) in body.get(first..)?.iter().enumerate() {
            // Indexed, literal with incremental indexing, literal without, literal never
            // (RFC 7541, 6.1 and 6.2).
            let index = match *byte {
                // In the dynamic table, which may not be known.
                0xbe..0xff => continue,
                byte @ 0x80.. => byte & 0x7f,
                byte @ 0x40..0x80 => byte & 0x3f,
                byte @ 0x00..0x20 => byte & 0x0f,
                _ => return None,
            };
            let side = match index {
                1..=7 => Side::Client,
                8..=14 => Side::Server,
                _ => return None,
            };
            return Some((side, first..first + at + 1));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_judged_by_their_type() {
        // (length, type, flags, stream) -> legal, plausible
        for (length, kind, flags, stream, legal, plausible) in [
            (5, 0, 0, 3, true, true),
            (5, 0, 0, 0, false, false),
            (5, 0, 0x10, 3, true, false),
            (20000, 0, 0, 3, true, false),
            (0, 1, 4, 3, true, false),
            (5, 2, 0, 1, true, true),
            (4, 2, 0, 1, false, false),
            (4, 3, 0, 7, true, true),
            (0, 4, 1, 0, true, true),
            (6, 4, 1, 0, false, false),
            (12, 4, 0, 0, true, true),
            (13, 4, 0, 0, false, false),
            (6, 4, 0, 1, false, false),
            (8, 6, 1, 0, true, true),
            (7, 6, 0, 0, false, false),
            (8, 7, 0, 0, true, true),
            (4, 8, 0, 0, true, true),
            (4, 8, 0, 9, true, true),
            (3, 16, 0, 0, true, false),
        ] {
            let frame = Frame { kind: FrameKind::from_wire(kind), stream, length, flags };
            assert_eq!((frame.is_legal(), frame.is_plausible()), (legal, plausible), "{frame:?}");
        }
    }

    #[test]
    fn the_first_fields_tell_the_side() {
        for (flags, body, side) in [
            (4, &[0x83][..], Some(Side::Client)),
            (4, &[0x88], Some(Side::Server)),
            (4, &[0x48, 3], Some(Side::Server)),
            (4, &[0x44, 1, b'/'], Some(Side::Client)),
            (4 | PRIORITY, &[0, 0, 0, 0, 9, 0x83], Some(Side::Client)),
            (4 | PADDED, &[1, 0x88, 0], Some(Side::Server)),
            (4, &[0xbe], None),
            (4, &[0xbe, 0xc4, 0x83], Some(Side::Client)),
            (4, &[0xbe, 0x5f, 0x83], None),
            (4, &[0xff, 0x83], None),
            (4, &[], None),
        ] {
            let frame = Frame { kind: FrameKind::Headers, stream: 1, length: body.len() as u32, flags };
            assert_eq!(frame.side(body).map(|(side, _)| side), side, "{body:?}");
        }
    }
}
