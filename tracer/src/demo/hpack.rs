//! Header fields in HPACK (RFC 7541), in the forms that need no state at either end: out of the static table,
//! or written out, neither Huffman-coded nor added to the dynamic table.

/// A header field, by the way it is written. Numbers are those of the static table (RFC 7541, appendix A).
pub(super) enum Field<'a> {
    /// Name and value are the table's.
    Indexed(usize),
    /// The name is the table's.
    Named(usize, &'a str),
    /// Neither is. The name is in lower case (RFC 9113, section 8.2.1).
    Literal(&'a str, &'a str),
}

/// A block of header fields: the payload of a HEADERS frame.
pub(super) fn encode(fields: &[Field<'_>]) -> Vec<u8> {
    let mut block = Vec::new();
    for field in fields {
        match *field {
            // Section 6.1: a bit that is set, and the number.
            Field::Indexed(index) => integer(&mut block, 0x80, 7, index),
            // Section 6.2.2: four clear bits, and the name's number, or 0 and the name.
            Field::Named(index, value) => {
                integer(&mut block, 0, 4, index);
                string(&mut block, value);
            }
            Field::Literal(name, value) => {
                integer(&mut block, 0, 4, 0);
                string(&mut block, name);
                string(&mut block, value);
            }
        }
    }
    block
}

/// Section 5.2: a clear bit (not Huffman-coded), the length, the characters.
fn string(block: &mut Vec<u8>, text: &str) {
    integer(block, 0, 7, text.len());
    block.extend_from_slice(text.as_bytes());
}

/// Section 5.1: in the last `bits` of a byte that starts with `pattern`, or from there in groups
/// of 7 bits, lowest first.
fn integer(block: &mut Vec<u8>, pattern: u8, bits: u32, value: usize) {
    let most = (1 << bits) - 1;
    let Some(mut rest) = value.checked_sub(most) else {
        block.push(pattern | low_bits(value));
        return;
    };
    block.push(pattern | low_bits(most));
    while rest >= 0x80 {
        block.push(0x80 | low_bits(rest & 0x7f));
        rest >>= 7;
    }
    block.push(low_bits(rest));
}

/// The lowest byte of a number.
fn low_bits(value: usize) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7541, appendix C.1.
    #[test]
    fn integers() {
        let check = |bits, value, bytes: &[u8]| {
            let mut block = Vec::new();
            integer(&mut block, 0, bits, value);
            assert_eq!(block, bytes, "{value} in {bits} bits");
        };
        check(5, 10, &[10]);
        check(5, 31, &[31, 0]);
        check(5, 1337, &[31, 0b1001_1010, 0b0000_1010]);
        check(8, 42, &[42]);
    }

    /// The examples of RFC 7541, appendix C.2, and a number that does not fit the first byte.
    #[test]
    fn fields() {
        let check = |field, bytes: &[u8]| assert_eq!(encode(&[field]), bytes);
        check(Field::Indexed(2), b"\x82");
        check(Field::Named(4, "/sample/path"), b"\x04\x0c/sample/path");
        check(Field::Literal("te", "trailers"), b"\0\x02te\x08trailers");
        check(Field::Named(31, "application/grpc"), b"\x0f\x10\x10application/grpc");
    }
}
