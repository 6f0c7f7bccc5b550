//! Numbers and strings in columns: small numbers take few bytes.

use super::error::Broken;

/// Adds a number: 7 bits a byte, lowest first; the top bit says that more follow.
pub(super) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Adds a number that may be negative, near zero mostly.
pub(super) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// Adds bytes with their number before them.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// What is left to read of a column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl<'a> Rest<'a> {
    /// As [`put`] added it.
    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, Broken> {
        match self.0.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.0 = rest;
                Ok(byte.into())
            }
            _ => self.long_number(),
        }
    }

    /// The same, of more than one byte.
    fn long_number(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Broken::Damaged)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Broken::Damaged)
    }

    /// As [`put_signed`] added it.
    #[inline]
    pub(super) fn signed(&mut self) -> Result<i64, Broken> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number of 32 bits.
    pub(super) fn small(&mut self) -> Result<u32, Broken> {
        u32::try_from(self.number()?).map_err(|_| Broken::Damaged)
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Result<u8, Broken> {
        self.take(1).map(|bytes| bytes[0])
    }

    /// So many bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Broken> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(Broken::Damaged)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// As [`put_bytes`] added them.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let count = usize::try_from(self.number()?).map_err(|_| Broken::Damaged)?;
        self.take(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_put_is_read(number: u64, signed: i64, bytes: Vec<u8>) {
            let mut out = Vec::new();
            put(&mut out, number);
            put_signed(&mut out, signed);
            put_bytes(&mut out, &bytes);
            let mut rest = Rest(&out);
            prop_assert_eq!(rest.number(), Ok(number));
            prop_assert_eq!(rest.signed(), Ok(signed));
            prop_assert_eq!(rest.bytes(), Ok(&bytes[..]));
            prop_assert_eq!(rest.byte(), Err(Broken::Damaged));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut rest = Rest(&bytes);
            while rest.number().is_ok() && rest.bytes().is_ok() {}
        }
    }
}
