//! Counts the messages in one direction of a stream of gRPC: each has a prefix of five bytes (gRPC over
//! HTTP/2, Length-Prefixed-Message).

use crate::protocol::speech::Note;

/// A flag, and the length of the message.
const PREFIX: usize = 5;

/// The place among the messages of one direction.
///
/// ```text
///   Not (no gRPC, or not known to be) --- HEADERS say that it is ---> At --- bytes of a prefix were not seen ---> Lost
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Messages {
    #[default]
    Not,
    /// Bytes of a prefix so far, and of the message still to come.
    At {
        have: u8,
        left: u32,
    },
    Lost,
}

impl Messages {
    /// Are their prefixes to be read?
    pub(super) fn are_read(self) -> bool {
        matches!(self, Self::At { .. })
    }

    /// Bytes of DATA went by: of so many, these were captured. Says how many messages began.
    pub(super) fn read(&mut self, data: &[u8], len: u64, note: Note<'_>) -> u32 {
        let (mut at, mut begun) = (0, 0);
        while at < len
            && let Self::At { have, left } = self
        {
            if *have == 0 && *left > 0 {
                let step = u64::from(*left).min(len - at);
                *left -= step as u32;
                at += step;
                continue;
            }
            let place = usize::try_from(at).unwrap_or(usize::MAX);
            // Most are whole.
            if *have == 0
                && let Some(&[0..=1, length @ ..]) =
                    data.get(place..).and_then(|rest| rest.first_chunk::<PREFIX>())
            {
                note(place..place + PREFIX);
                *left = u32::from_be_bytes(length);
                at += PREFIX as u64;
                begun += 1;
                continue;
            }
            // The flag is 0 or 1.
            match data.get(place).filter(|&&byte| *have > 0 || byte <= 1) {
                Some(&byte) => {
                    note(place..place + 1);
                    *left = if *have == 0 { 0 } else { *left << 8 | u32::from(byte) };
                    *have += 1;
                    at += 1;
                }
                None => *self = Self::Lost,
            }
            if let Self::At { have, .. } = self
                && usize::from(*have) == PREFIX
            {
                *have = 0;
                begun += 1;
            }
        }
        begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::kept::nothing;

    /// Transfers with how many bytes each has beyond those captured; messages begun, and
    /// whether the place is known.
    fn check(transfers: &[(&[u8], u64)], begun: u32, known: bool) {
        let mut messages = Messages::At { have: 0, left: 0 };
        let read = |&(data, more): &(&[u8], u64)| messages.read(data, data.len() as u64 + more, &mut nothing);
        assert_eq!(transfers.iter().map(read).sum::<u32>(), begun, "{transfers:?}");
        assert_eq!(messages.are_read(), known, "{transfers:?}");
    }

    #[test]
    fn messages_are_counted_over_any_split() {
        check(&[(b"\0\0\0\0\x03abc\x01\0\0\0\0", 0)], 2, true);
        check(&[(b"\0\0\0\0", 0), (b"\x03a", 0), (b"bc\x01\0", 0), (b"\0\0\0", 0)], 2, true);
        check(&[(b"\0\0\0\x01\0a", 255), (b"\0\0\0\0\0", 0)], 2, true);
        check(&[(b"\0\0\0\x01\0a", 256), (b"\0\0\0\0\0", 0)], 1, false);
        check(&[(b"\0\0", 1)], 0, false);
        check(&[(b"\x02\0\0\0\0", 0)], 0, false);
        check(&[(b"\0\xff\xff\xff\xff", u64::from(u32::MAX)), (b"\0\0\0\0\0", 0)], 2, true);
    }
}
