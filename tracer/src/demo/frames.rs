//! Frames of HTTP/2 (RFC 9113, sections 4 and 6): as many kinds as a small call needs.

use std::io;

/// What a client says first (RFC 9113, section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes before the payload: its length (3), kind (1), flags (1), stream (4).
const HEADER: usize = 9;

/// The longest payload that an end takes which has announced no other limit (RFC 9113, section 4.2).
const LONGEST: usize = 16_384;

/// Kinds of frames, by their numbers on the wire.
pub(super) mod kind {
    pub(in crate::demo) const DATA: u8 = 0;
    pub(in crate::demo) const HEADERS: u8 = 1;
    pub(in crate::demo) const RST_STREAM: u8 = 3;
    pub(in crate::demo) const SETTINGS: u8 = 4;
    pub(in crate::demo) const PING: u8 = 6;
    pub(in crate::demo) const GOAWAY: u8 = 7;
}

/// Flags. Their meaning hangs on the kind of frame: ACK and END_STREAM are the same bit.
pub(super) mod flag {
    pub(in crate::demo) const ACK: u8 = 1;
    pub(in crate::demo) const END_STREAM: u8 = 1;
    pub(in crate::demo) const END_HEADERS: u8 = 4;
}

/// One frame. Stream 0 is the connection itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    /// SETTINGS that change nothing: each end must send some, first of all.
    pub(super) fn settings() -> Self {
        Self { kind: kind::SETTINGS, flags: 0, stream: 0, payload: Vec::new() }
    }

    /// The client's goodbye: no stream of the server's was seen, nothing was wrong (RFC 9113, section 6.8).
    pub(super) fn goodbye() -> Self {
        Self { kind: kind::GOAWAY, flags: 0, stream: 0, payload: vec![0; 8] }
    }

    /// The frame that this one must be answered with at once, if any: SETTINGS with an empty one,
    /// PING with its own bytes.
    pub(super) fn acknowledgement(&self) -> Option<Self> {
        let payload = match self.kind {
            _ if self.has(flag::ACK) => return None,
            kind::SETTINGS => Vec::new(),
            kind::PING => self.payload.clone(),
            _ => return None,
        };
        Some(Self { kind: self.kind, flags: flag::ACK, stream: 0, payload })
    }

    /// Whether the flag is set.
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The frame as it goes over the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend_from_slice(&length[1..]);
        bytes.extend_from_slice(&[self.kind, self.flags]);
        bytes.extend_from_slice(&self.stream.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Takes the first frame out of what was received; none: it has not come whole yet.
    pub(super) fn take(received: &mut Vec<u8>) -> io::Result<Option<Self>> {
        let Some(&[a, b, c, kind, flags, s0, s1, s2, s3]) = received.first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        if length > LONGEST {
            let message = format!("a frame of {length} bytes, where {LONGEST} are the most");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if received.len() < HEADER + length {
            return Ok(None);
        }
        let payload = received.drain(..HEADER + length).skip(HEADER).collect();
        // The first bit is reserved, and to be ignored.
        let stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
        Ok(Some(Self { kind, flags, stream, payload }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_the_wire() {
        let check = |frame: &Frame, bytes: &[u8]| {
            assert_eq!(frame.bytes(), bytes);
            let mut received = [bytes, b"rest"].concat();
            assert_eq!(Frame::take(&mut received).unwrap().as_ref(), Some(frame));
            assert_eq!(received, b"rest");
        };
        check(&Frame::settings(), b"\0\0\0\x04\0\0\0\0\0");
        check(&Frame::goodbye(), b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0");
        let data = Frame { kind: kind::DATA, flags: flag::END_STREAM, stream: 3, payload: b"hi".to_vec() };
        check(&data, b"\0\0\x02\0\x01\0\0\0\x03hi");
    }

    #[test]
    fn part_of_a_frame_stays() {
        let whole = Frame::goodbye().bytes();
        for end in 0..whole.len() {
            let mut received = whole[..end].to_vec();
            assert_eq!(Frame::take(&mut received).unwrap(), None);
            assert_eq!(received, whole[..end]);
        }
    }

    #[test]
    fn too_long_is_an_error() {
        assert!(Frame::take(&mut b"\0\x40\x01\0\0\0\0\0\x01".to_vec()).is_err());
        assert!(Frame::take(&mut b"\0\x40\0\0\0\0\0\0\x01".to_vec()).is_ok());
    }

    #[test]
    fn what_is_acknowledged() {
        let answer = Frame::settings().acknowledgement().unwrap();
        assert_eq!(answer.bytes(), b"\0\0\0\x04\x01\0\0\0\0");
        assert_eq!(answer.acknowledgement(), None);
        let ping = Frame { kind: kind::PING, flags: 0, stream: 0, payload: b"12345678".to_vec() };
        assert_eq!(ping.acknowledgement().unwrap().payload, b"12345678");
        assert_eq!(Frame::goodbye().acknowledgement(), None);
    }
}
