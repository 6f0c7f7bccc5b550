//! HPACK's Huffman code (RFC 7541, 5.2 and appendix B), bit by bit.

/// One more than the values of a byte: the end of a string.
pub(super) const EOS: u16 = 256;

const SYMBOLS: usize = EOS as usize + 1;

/// Bits of the longest code.
const LONGEST: usize = 30;

/// Bits of each symbol's code. The code is canonical: this says it whole.
#[rustfmt::skip]
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15,
    6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20,
    20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23,
    24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22,
    22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27,
    24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26,
    26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// The code, for reading: by length the first code, its symbol's place, and how many there are.
struct Code {
    first: [u32; LONGEST + 1],
    place: [u16; LONGEST + 1],
    count: [u16; LONGEST + 1],
    /// In the order of their codes.
    symbols: [u16; SYMBOLS],
    codes: [u32; SYMBOLS],
}

static CODE: Code = code();

const fn code() -> Code {
    let mut all = Code {
        first: [0; LONGEST + 1],
        place: [0; LONGEST + 1],
        count: [0; LONGEST + 1],
        symbols: [0; SYMBOLS],
        codes: [0; SYMBOLS],
    };
    let (mut length, mut next, mut place) = (1, 0, 0);
    while length <= LONGEST {
        next <<= 1;
        all.first[length] = next;
        all.place[length] = place;
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                all.symbols[place as usize] = symbol as u16;
                all.codes[symbol] = next;
                all.count[length] += 1;
                place += 1;
                next += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    all
}

/// The bits of a code that is not complete.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    code: u32,
    length: u8,
}

impl Bits {
    /// One more bit, and the symbol that it completes.
    pub(super) fn push(&mut self, bit: bool) -> Option<u16> {
        self.code = self.code << 1 | u32::from(bit);
        self.length += 1;
        let length = usize::from(self.length);
        let after = self.code.wrapping_sub(CODE.first[length]);
        if self.code < CODE.first[length] || after >= u32::from(CODE.count[length]) {
            return None;
        }
        *self = Self::default();
        Some(CODE.symbols[usize::from(CODE.place[length]) + after as usize])
    }

    /// May they be the beginning of this symbol's code?
    pub(super) fn may_become(self, symbol: u8) -> bool {
        let left = LENGTHS[usize::from(symbol)].checked_sub(self.length);
        left.is_some_and(|left| CODE.codes[usize::from(symbol)] >> left == self.code)
    }

    /// How many they are.
    pub(super) fn len(self) -> u8 {
        self.length
    }

    /// Are they what fills up the last byte: the beginning of [`EOS`]?
    pub(super) fn are_padding(self) -> bool {
        self.code == (1 << self.length) - 1
    }
}

/// The fewest bytes that a string has which is coded in so many.
pub(super) fn least(coded: u32) -> u32 {
    (coded.saturating_mul(8)).saturating_sub(7).div_ceil(LONGEST as u32)
}

/// Codes a short text: the bytes, and how many of them count.
pub(super) const fn encode<const MOST: usize>(text: &[u8]) -> ([u8; MOST], usize) {
    let code = code();
    let (mut out, mut bits, mut at) = ([0; MOST], 0, 0);
    while at < text.len() {
        let symbol = text[at] as usize;
        let mut left = LENGTHS[symbol];
        while left > 0 {
            left -= 1;
            out[bits / 8] |= ((code.codes[symbol] >> left & 1) as u8) << (7 - bits % 8);
            bits += 1;
        }
        at += 1;
    }
    while bits % 8 != 0 {
        out[bits / 8] |= 1 << (7 - bits % 8);
        bits += 1;
    }
    (out, bits / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(coded: &[u8]) -> (String, bool) {
        let (mut bits, mut text) = (Bits::default(), String::new());
        for byte in coded {
            for at in (0..8).rev() {
                text.extend(bits.push(byte >> at & 1 == 1).and_then(|symbol| char::from_u32(symbol.into())));
            }
        }
        (text, bits.are_padding())
    }

    /// Examples of RFC 7541, C.4 and C.6.
    #[test]
    fn the_examples_of_the_rfc() {
        for (text, coded) in [
            ("www.example.com", &b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..]),
            ("no-cache", b"\xa8\xeb\x10\x64\x9c\xbf"),
            ("custom-key", b"\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f"),
            ("302", b"\x64\x02"),
            ("307", b"\x64\x0e\xff"),
            ("private", b"\xae\xc3\x77\x1a\x4b"),
            (
                "Mon, 21 Oct 2013 20:13:21 GMT",
                b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
            ),
        ] {
            let (out, length) = encode::<32>(text.as_bytes());
            assert_eq!(&out[..length], coded, "{text}");
            assert_eq!(decode(coded), (text.to_owned(), true));
            assert!(least(length as u32) <= text.len() as u32);
        }
    }

    #[test]
    fn each_symbol_is_read_again() {
        for symbol in 0..SYMBOLS as u16 {
            let (mut bits, length) = (Bits::default(), LENGTHS[usize::from(symbol)]);
            let code = CODE.codes[usize::from(symbol)];
            let read: Vec<_> = (0..length).rev().filter_map(|at| bits.push(code >> at & 1 == 1)).collect();
            assert_eq!(read, [symbol]);
        }
        assert_eq!(CODE.codes[usize::from(EOS)], (1 << 30) - 1, "appendix B");
    }
}
