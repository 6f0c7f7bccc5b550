//! The fields whose values say something, and the static table (RFC 7541, appendix A).

use super::huffman;
use super::value::{Value, Verb};

/// What a field is called, as far as its value is of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// `:method`.
    Method,
    /// `:path`.
    Path,
    /// `:status`.
    Status,
    /// `content-type`.
    ContentType,
    /// `grpc-status`.
    GrpcStatus,
    /// Any other: its value is passed over, never read.
    Other,
    /// It stands in a part of the dynamic table that was not seen.
    Unknown,
}

/// The names that are looked for.
const SOUGHT: [(Name, &[u8]); 5] = [
    (Name::Method, b":method"),
    (Name::Path, b":path"),
    (Name::Status, b":status"),
    (Name::ContentType, b"content-type"),
    (Name::GrpcStatus, b"grpc-status"),
];

/// Bytes of the longest of them, as it is or coded.
const LONGEST: usize = 12;

/// Each of them coded: one text has one code.
static CODED: [([u8; LONGEST], usize); SOUGHT.len()] = {
    let (mut all, mut at) = ([([0; LONGEST], 0); SOUGHT.len()], 0);
    while at < SOUGHT.len() {
        all[at] = huffman::encode(SOUGHT[at].1);
        at += 1;
    }
    all
};

/// Compares a name with those that are looked for, as it comes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Match {
    /// Those that it may still be, one bit each.
    may_be: u8,
    huffman: bool,
    at: usize,
}

impl Match {
    /// A name of so many bytes begins.
    pub(super) fn begin(huffman: bool, length: u32) -> Self {
        let mut new = Self { may_be: 0, huffman, at: 0 };
        for which in 0..SOUGHT.len() {
            new.may_be |= u8::from(new.text(which).len() == length as usize) << which;
        }
        new
    }

    /// More of it comes. How many of these bytes may be part of a name that is looked for: only they say
    /// something.
    pub(super) fn push(&mut self, part: &[u8]) -> usize {
        let mut longest = 0;
        let may_be = self.may_be;
        for which in (0..SOUGHT.len()).filter(|which| may_be >> which & 1 == 1) {
            let text = &self.text(which)[self.at..];
            let same = text.iter().zip(part).take_while(|(one, other)| one == other).count();
            if same < part.len() {
                self.may_be &= !(1 << which);
            }
            longest = longest.max(same);
        }
        self.at += part.len();
        longest
    }

    /// The name, complete.
    pub(super) fn name(self) -> Name {
        SOUGHT.get(self.may_be.trailing_zeros() as usize).map_or(Name::Other, |(name, _)| *name)
    }

    fn text(&self, which: usize) -> &'static [u8] {
        let (coded, length) = &CODED[which];
        if self.huffman { &coded[..*length] } else { SOUGHT[which].1 }
    }
}

/// Entries of the static table.
pub(super) const STATIC: u32 = 61;

/// Bytes of the names in the static table, in its order.
#[rustfmt::skip]
const NAME_LENGTHS: [u8; STATIC as usize] = [
    10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14, 15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14, 16, 13, 12, 6,
    4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12, 18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16,
];

/// What a field of the static table is called, and how many bytes that has.
pub(super) fn static_name(index: u32) -> (Name, u32) {
    let name = match index {
        2..=3 => Name::Method,
        4..=5 => Name::Path,
        8..=14 => Name::Status,
        31 => Name::ContentType,
        _ => Name::Other,
    };
    let length = NAME_LENGTHS.get((index as usize).wrapping_sub(1)).copied().unwrap_or(0);
    (name, length.into())
}

/// What a field of the static table says.
pub(super) fn static_value(index: u32) -> Value {
    match index {
        2 => Value::Verb(Verb::Get),
        3 => Value::Verb(Verb::Post),
        4 => Value::Path("/".into()),
        5 => Value::Path("/index.html".into()),
        8 => Value::Code(200),
        9 => Value::Code(204),
        10 => Value::Code(206),
        11 => Value::Code(304),
        12 => Value::Code(400),
        13 => Value::Code(404),
        14 => Value::Code(500),
        31 => Value::Grpc(false),
        _ => Value::Unread,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Kept;

    /// The name, however it is cut in two.
    fn name(huffman: bool, text: &[u8]) -> Name {
        let cut = |at: usize| {
            let mut found = Match::begin(huffman, text.len() as u32);
            let (first, rest) = text.split_at(at);
            let told = found.push(first) + found.push(rest);
            assert!(found.name() == Name::Other || told == text.len());
            found.name()
        };
        let whole = cut(text.len());
        assert!((0..text.len()).all(|at| cut(at) == whole), "{text:?}");
        whole
    }

    #[test]
    fn no_more_of_a_name_is_told_than_what_is_alike() {
        for (parts, told) in [
            (&[b":pxth".as_slice()][..], &[2][..]),
            (&[b":pa", b"xh"], &[3, 0]),
            (&[b"x", b"path"], &[0, 0]),
            (&[b":", b"", b"path"], &[1, 0, 4]),
        ] {
            let mut found = Match::begin(false, 5);
            let seen: Vec<_> = parts.iter().map(|part| found.push(part)).collect();
            assert_eq!(seen, told, "{parts:?}");
        }
    }

    #[test]
    fn names_are_known_in_both_forms() {
        for (which, text) in SOUGHT {
            let (coded, length) = huffman::encode::<LONGEST>(text);
            assert_eq!((name(false, text), name(true, &coded[..length])), (which, which));
            assert_eq!(name(false, &text[1..]), Name::Other);
            assert!(!coded[..length].contains(&Kept::FILL), "what is not kept must not look like a name");
            let mut other = text.to_vec();
            *other.last_mut().expect("not empty") ^= 1;
            assert_eq!(name(false, &other), Name::Other);
        }
        assert_eq!((name(false, b""), name(true, &[0; 99])), (Name::Other, Name::Other));
    }
}
