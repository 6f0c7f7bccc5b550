//! Addresses that programs take for those of structures: how the compiled object says so, and how
//! the kernel wants it said.

use super::btf::Btf;
use forkscope_proto::{CAST, Types};

/// The kernel's function (kernel/bpf/helpers.c, since Linux 6.2).
const FUNCTION: &str = "bpf_rdonly_cast";

/// `BPF_JMP | BPF_CALL` of a helper (Documentation/bpf/standardization/instruction-set.rst): its
/// number is in the upper half.
const CALL: u64 = 0x85;
/// `BPF_PSEUDO_KFUNC_CALL` in place of a source register: the call is of a function of the
/// kernel, by its number in BTF.
const OF_KERNEL: u64 = 2 << 12;
/// Moves the first argument into the result.
const MOVE: u64 = 0xbf | 1 << 12;

/// What a kernel has for that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Casts {
    function: Option<u32>,
    pub(super) types: Types,
}

impl Casts {
    /// None, where the kernel lacks the function or a type.
    pub(super) fn of(kernel: &Btf) -> Self {
        let find = || {
            let structure = |name| kernel.structure(name);
            let types = Types {
                file: structure("file")?,
                inode: structure("inode")?,
                super_block: structure("super_block")?,
                dentry: structure("dentry")?,
                tcp_sock: structure("tcp_sock")?,
                word: structure("timespec64")?,
            };
            Some(Self { function: Some(kernel.function(FUNCTION)?), types })
        };
        find().unwrap_or_default()
    }

    /// The object with its casts as this kernel takes them. Where it has none they are never reached, and
    /// become what every kernel takes.
    pub(super) fn written_into(&self, object: &[u8]) -> Vec<u64> {
        let cast = CALL | u64::from(CAST) << 32;
        let instead = self.function.map_or(MOVE, |id| CALL | OF_KERNEL | u64::from(id) << 32);
        // Instructions lie at multiples of their eight bytes, and so does the object in
        // memory then, as aya wants it.
        let (words, rest) = object.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let words = words.iter().chain(std::iter::once(&last)).map(|word| u64::from_le_bytes(*word));
        words.map(|word| if word == cast { instead } else { word }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_casts_and_a_kernel_with_the_function_takes_them() {
        let object = super::super::load::OBJECT;
        let plain = Casts::default().written_into(object);
        let with = Casts { function: Some(1), ..Casts::default() }.written_into(object);
        assert!(with.iter().zip(&plain).filter(|(one, other)| one != other).count() > 0);
        let Ok(kernel) = Btf::of_kernel() else { return };
        let found = Casts::of(&kernel);
        assert_eq!(found.function, kernel.function(FUNCTION));
        let Types { file, inode, super_block, dentry, tcp_sock, word } = found.types;
        let types = [file, inode, super_block, dentry, tcp_sock, word];
        assert!(types.iter().all(|id| (*id != 0) == found.function.is_some()), "{found:?}");
    }

    #[test]
    fn calls_become_those_of_the_kernel() {
        let exit = 0x95_u64;
        let call = CALL | u64::from(CAST) << 32;
        let bytes: Vec<u8> =
            [exit, call, exit].iter().flat_map(|word| word.to_le_bytes()).chain([7]).collect();
        let with = Casts { function: Some(0x1234), ..Casts::default() };
        assert_eq!(with.written_into(&bytes), [exit, 0x1234_0000_2085, exit, 7]);
        assert_eq!(Casts::default().written_into(&bytes), [exit, MOVE, exit, 7]);
    }
}
