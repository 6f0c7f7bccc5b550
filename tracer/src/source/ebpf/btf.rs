//! Where the members of kernel structs lie, from the running kernel's type information.
//!
//! Format: Documentation/bpf/btf.rst of the kernel. Only what a look-up of member offsets needs is read, in
//! one pass and without a copy: a general parser takes ten times as long for the 120,000 types of a kernel.

use super::btf_bytes::Bytes;
use thiserror::Error;

/// Where the kernel shows its own type information.
pub const KERNEL: &str = "/sys/kernel/btf/vmlinux";

/// Why an offset could not be told.
#[derive(Debug, Error)]
pub enum BtfError {
    /// The kernel shows no type information.
    #[error(
        "cannot read {KERNEL}: {0}. forkscope needs a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of Debian, Ubuntu and Fedora are"
    )]
    Unreadable(#[from] std::io::Error),
    /// The bytes are not type information, or end too early.
    #[error("the kernel's type information in {KERNEL} is malformed")]
    Malformed,
    /// A struct or member is not in this kernel.
    #[error("this kernel has no `{0}`: forkscope does not know its layout")]
    Missing(String),
}

/// Kinds of types (`BTF_KIND_*`).
mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const FUNC: u32 = 12;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const ENUM64: u32 = 19;
}

/// A kernel's type information.
pub struct Btf {
    bytes: Bytes,
    strings: usize,
    /// Where each type begins in `bytes`, by its id.
    types: Vec<u32>,
    /// The ids of structs, in order.
    structs: Vec<u32>,
}

/// A member found: its offset in bytes and its type's id.
#[derive(Clone, Copy)]
struct Member {
    offset: u32,
    type_id: u32,
}

impl Btf {
    /// Reads the running kernel's type information.
    ///
    /// # Errors
    /// Where the kernel shows none, or it is malformed.
    pub fn of_kernel() -> Result<Self, BtfError> {
        Self::of(Bytes::of(KERNEL)?).ok_or(BtfError::Malformed)
    }

    /// Takes type information apart; `None` where it is malformed.
    #[must_use]
    pub fn parse(bytes: Vec<u8>) -> Option<Self> {
        Self::of(Bytes::Own(bytes))
    }

    fn of(bytes: Bytes) -> Option<Self> {
        /// Bytes of a type on average, at least: room for as many is made at once.
        const TYPE: usize = 20;
        const MAGIC: u32 = 0xeb9f;
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        if word(0)? & 0xffff != MAGIC {
            return None;
        }
        let header = word(4)? as usize;
        let (first, length) = (header + word(8)? as usize, word(12)? as usize);
        let strings = header + word(16)? as usize;
        let mut types = Vec::with_capacity(length.min(bytes.len()) / TYPE);
        types.push(0);
        let mut structs = Vec::new();
        let mut at = first;
        while at < first + length {
            let info = word(at + 4)?;
            let (kind, count) = (info >> 24 & 0x1f, (info & 0xffff) as usize);
            if kind == kind::STRUCT {
                structs.push(types.len() as u32);
            }
            types.push(u32::try_from(at).ok()?);
            at += 12
                + match kind {
                    kind::INT | kind::VAR | kind::DECL_TAG => 4,
                    kind::ARRAY => 12,
                    kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * count,
                    kind::ENUM | kind::FUNC_PROTO => 8 * count,
                    _ => 0,
                };
        }
        Some(Self { bytes, strings, types, structs })
    }

    /// The offset in bytes of a member named by its path, for example `sock.__sk_common.skc_family`: a
    /// struct, then members, each looked for in anonymous structs and unions too.
    ///
    /// # Errors
    /// Where the kernel has no such struct or member.
    pub fn offset(&self, path: &str) -> Result<u32, BtfError> {
        self.find(path).ok_or_else(|| BtfError::Missing(path.to_owned()))
    }

    /// The number of the typedef with a name.
    #[must_use]
    pub fn typedef(&self, name: &str) -> Option<u32> {
        self.number(kind::TYPEDEF, name)
    }

    /// The number of the function with a name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<u32> {
        self.number(kind::FUNC, name)
    }

    /// The number of the struct with a name.
    #[must_use]
    pub fn structure(&self, name: &str) -> Option<u32> {
        self.structs.iter().copied().find(|&id| self.is_named(self.word(id, 0), name))
    }

    fn number(&self, wanted: u32, name: &str) -> Option<u32> {
        let is_it = |&id: &u32| {
            self.kind_and_count(id).is_some_and(|(kind, _)| kind == wanted)
                && self.is_named(self.word(id, 0), name)
        };
        (1..self.types.len() as u32).find(is_it)
    }

    fn find(&self, path: &str) -> Option<u32> {
        let mut names = path.split('.');
        let root = names.next()?;
        let mut here = Member { offset: 0, type_id: self.structure(root)? };
        for name in names {
            let member = self.member(here.type_id, name)?;
            here = Member { offset: here.offset + member.offset, type_id: member.type_id };
        }
        Some(here.offset)
    }

    fn member(&self, id: u32, name: &str) -> Option<Member> {
        const MODIFIERS: [u32; 4] = [8, 9, 10, 11];
        let (kind, count) = self.kind_and_count(id)?;
        if MODIFIERS.contains(&kind) {
            return self.member(self.word(id, 8)?, name);
        }
        if kind != kind::STRUCT && kind != kind::UNION {
            return None;
        }
        let with_bitfields = self.word(id, 4)? >> 31 == 1;
        (0..count).find_map(|index| {
            let at = 12 + 12 * index;
            let bits = self.word(id, at + 8)? & if with_bitfields { 0x00ff_ffff } else { u32::MAX };
            let (own, type_id) = (self.word(id, at), self.word(id, at + 4)?);
            if self.is_named(own, "") {
                return self.member(type_id, name).map(|m| Member { offset: m.offset + bits / 8, ..m });
            }
            self.is_named(own, name).then_some(Member { offset: bits / 8, type_id })
        })
    }

    fn kind_and_count(&self, id: u32) -> Option<(u32, usize)> {
        let info = self.word(id, 4)?;
        Some((info >> 24 & 0x1f, (info & 0xffff) as usize))
    }

    /// The word `at` bytes into a type.
    fn word(&self, id: u32, at: usize) -> Option<u32> {
        let at = *self.types.get(id as usize)? as usize + at;
        Some(u32::from_ne_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    /// Whether the name at an offset in the strings is this one.
    fn is_named(&self, offset: Option<u32>, name: &str) -> bool {
        let rest = offset.and_then(|offset| self.bytes.get(self.strings + offset as usize..));
        rest.and_then(|rest| rest.strip_prefix(name.as_bytes())).is_some_and(|rest| rest.first() == Some(&0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct outer { u32 a; struct { u32 b; }; struct inner in; }`, `struct inner { u32 x; u32 y; }`.
    fn example() -> Vec<u8> {
        let strings = b"\0int\0outer\0a\0b\0in\0inner\0x\0y\0";
        let name = |wanted: &str| {
            let with_nul = [wanted.as_bytes(), b"\0"].concat();
            strings.windows(with_nul.len()).position(|w| w == with_nul).expect("in the table") as u32
        };
        let composite = |count: u32| kind::STRUCT << 24 | count;
        let types: Vec<u32> = [
            vec![name("int"), kind::INT << 24, 4, 32],
            vec![name("inner"), composite(2), 8, name("x"), 1, 0, name("y"), 1, 32],
            vec![0, composite(1), 4, name("b"), 1, 0],
            vec![name("outer"), composite(3), 16, name("a"), 1, 0, 0, 3, 32, name("in"), 2, 64],
        ]
        .concat();
        let header =
            [0x0001_eb9f, 24, 0, types.len() as u32 * 4, types.len() as u32 * 4, strings.len() as u32];
        let words: Vec<u8> = header.iter().chain(&types).flat_map(|word| word.to_ne_bytes()).collect();
        [words, strings.to_vec()].concat()
    }

    #[test]
    fn members_are_found_through_anonymous_structs() {
        let btf = Btf::parse(example()).expect("well-formed");
        for (path, offset) in [("outer.a", 0), ("outer.b", 4), ("outer.in.y", 12), ("inner.y", 4)] {
            assert_eq!(btf.offset(path).ok(), Some(offset), "{path}");
        }
        assert!(matches!(btf.offset("outer.c"), Err(BtfError::Missing(_))));
    }

    #[test]
    fn cut_bytes_are_refused() {
        let whole = example();
        for length in 0..24 {
            assert!(Btf::parse(whole[..length].to_vec()).is_none(), "{length} bytes");
        }
    }
}
