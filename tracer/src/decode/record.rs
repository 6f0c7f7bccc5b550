//! One record.

use crate::event::{Event, ProcKey, TakenStack, What};
use forkscope_proto as proto;
use proto::{Header, Kind};
use thiserror::Error;
use zerocopy::{FromBytes, Immutable, KnownLayout};

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// Shorter than the record it claims to be, or not aligned to 8 bytes.
    #[error("a record is cut short")]
    Short,
    /// A kind that this version does not know.
    #[error("a record is of an unknown kind")]
    UnknownKind,
    /// A stack: it is no event, but belongs to one ([`decode_stack`]).
    #[error("a stack is no event")]
    Stack,
}

/// Reads the record at the start of `bytes`, which must be aligned to 8 bytes. Never panics.
///
/// # Errors
/// [`Refused`] where the bytes are no whole record of a known kind.
pub fn decode(bytes: &[u8]) -> Result<Event<'_>, Refused> {
    let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| Refused::Short)?;
    let kind = Kind::from_number(header.kind).ok_or(Refused::UnknownKind)?;
    let what = match kind {
        Kind::Fork => What::Fork(fixed(bytes)?),
        Kind::Exec => with_payload(bytes, header).map(|(record, payload)| What::Exec(record, payload))?,
        Kind::Exit => What::Exit(fixed(bytes)?),
        Kind::Call => with_payload(bytes, header).map(|(record, payload)| What::Call(record, payload))?,
        Kind::Io => with_payload(bytes, header).map(|(record, payload)| What::Io(record, payload))?,
        Kind::Socket => with_payload(bytes, header).map(|(record, payload)| What::Socket(record, payload))?,
        Kind::Uring => What::Uring(fixed(bytes)?),
        Kind::Passed => What::Passed(fixed(bytes)?),
        Kind::Compat => What::Compat,
        Kind::Plaintext => {
            with_payload(bytes, header).map(|(record, payload)| What::Plaintext(record, payload))?
        }
        Kind::Stack => return Err(Refused::Stack),
    };
    let process = ProcKey { tgid: header.tgid, start: header.start };
    Ok(Event { time: header.time, process, tid: header.tid, what })
}

/// Reads the stack at the start of `bytes`, aligned likewise. Never panics.
///
/// # Errors
/// [`Refused`] where the bytes are no whole stack.
pub fn decode_stack(bytes: &[u8]) -> Result<TakenStack, Refused> {
    let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| Refused::Short)?;
    let (record, payload): (&proto::Stack, _) = with_payload(bytes, header)?;
    let process = ProcKey { tgid: header.tgid, start: header.start };
    let at = proto::StackAt::from_number(record.at).ok_or(Refused::UnknownKind)?;
    let (nr, fd, registers) = (header.nr, record.fd, [record.ip, record.sp, record.bp]);
    Ok(TakenStack {
        time: header.time,
        process,
        tid: header.tid,
        at,
        nr,
        fd,
        registers,
        bytes: payload.into(),
    })
}

type Record<'a, R> = Result<(&'a R, &'a [u8]), Refused>;

fn fixed<R: FromBytes + KnownLayout + Immutable>(bytes: &[u8]) -> Result<&R, Refused> {
    R::ref_from_prefix(bytes).map(|(record, _)| record).map_err(|_| Refused::Short)
}

fn with_payload<'a, R: FromBytes + KnownLayout + Immutable>(
    bytes: &'a [u8],
    header: &Header,
) -> Record<'a, R> {
    let (record, rest) = R::ref_from_prefix(bytes).map_err(|_| Refused::Short)?;
    let payload = rest.get(..header.payload as usize).ok_or(Refused::Short)?;
    Ok((record, payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    fn io_with(payload: &[u8], claimed: u32) -> Vec<u8> {
        let header = Header { kind: Kind::Io as u16, tgid: 7, payload: claimed, ..Header::default() };
        let io = proto::Io { header, fd: 3, ret: 5, ..proto::Io::default() };
        [io.as_bytes(), payload].concat()
    }

    #[test]
    fn a_record_and_its_payload_are_read() {
        let bytes = io_with(b"hello", 5);
        let event = decode(&bytes).expect("whole");
        assert_eq!(event.process.tgid, 7);
        assert!(matches!(event.what, What::Io(io, b"hello") if io.fd == 3));
    }

    #[test]
    fn a_stack_is_read_apart() {
        let header = Header { kind: Kind::Stack as u16, tid: 8, payload: 3, ..Header::default() };
        let stack = proto::Stack { header, ip: 5, at: 3, fd: 6, ..proto::Stack::default() };
        let bytes = [stack.as_bytes(), b"abc"].concat();
        assert_eq!(decode(&bytes).err(), Some(Refused::Stack));
        let taken = decode_stack(&bytes).expect("whole");
        assert_eq!((taken.tid, taken.fd, taken.registers[0], &taken.bytes[..]), (8, 6, 5, &b"abc"[..]));
        assert_eq!(decode_stack(&bytes[..66]).err(), Some(Refused::Short));
    }

    #[test]
    fn what_is_cut_or_unknown_is_refused() {
        assert_eq!(decode(&io_with(b"hell", 5)).err(), Some(Refused::Short));
        assert_eq!(decode(&[]).err(), Some(Refused::Short));
        let unknown = Header { kind: 99, ..Header::default() };
        assert_eq!(decode(unknown.as_bytes()).err(), Some(Refused::UnknownKind));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(words in proptest::collection::vec(any::<u64>(), 0..80), kind in 0u16..13) {
            let mut words = words;
            if let Some(word) = words.get_mut(3) {
                *word = (*word & !0xffff) | u64::from(kind);
            }
            let _ = decode(words.as_bytes());
            let _ = decode_stack(words.as_bytes());
        }
    }
}
