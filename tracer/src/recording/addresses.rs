//! Addresses of the kernel's structures: they say which open files are the same one, and are not for a disk.

use forkscope_proto::{FileRef, Plaintext};
use std::hash::{BuildHasher, RandomState};

/// Puts another number in the place of an address: always the same one for the same,
/// and none that leads back.
///
/// A keyed hash and no table: what is open may change for days, and a table would grow or forget. The key is
/// made for one recording and kept nowhere. Two addresses get the same number once in 2^64 pairs; and even
/// then they are told apart, unless they are of one kind and one inode.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    key: RandomState,
}

impl Addresses {
    /// The number for an address; 0, which is none, stays 0.
    pub(super) fn number(&self, address: u64) -> u64 {
        if address == 0 { 0 } else { self.key.hash_one(address).max(1) }
    }

    /// The same of a call of OpenSSL, where the address of its session is the program's.
    pub(super) fn hide(&self, record: &Plaintext) -> Plaintext {
        let file = FileRef { file: self.number(record.file.file), ..record.file };
        Plaintext { file, session: self.number(record.session), ..*record }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_stays_and_addresses_go() {
        let (one, other) = (Addresses::default(), Addresses::default());
        let address = 0xffff_8881_0123_4500;
        assert_eq!(one.number(address), one.number(address));
        assert_ne!(one.number(address), one.number(address + 256));
        assert_ne!(one.number(address), other.number(address));
        assert_ne!(one.number(address), address);
        assert_eq!(one.number(0), 0);
    }
}
