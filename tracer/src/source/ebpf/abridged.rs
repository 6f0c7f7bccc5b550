//! A kernel's type information as aya wants it, without what aya does not look at.
//!
//! To load a program on a tracepoint with BTF, aya looks up the number of one type by its name. Given all
//! that the kernel has, it would make 20 MB of values for that.

use super::btf::Btf;

/// Words of a type that has nothing but a kind, and of a typedef (`struct btf_type`,
/// include/uapi/linux/btf.h).
const WORDS: usize = 3;
/// `BTF_KIND_TYPEDEF`.
const TYPEDEF: u32 = 8 << 24;

/// Type information with the types that the tracepoints' programs have, under the numbers that the kernel has
/// them under; all others are unknown. `None`: this kernel has not all of them.
pub(super) fn abridged(kernel: &Btf, tracepoints: &[&str]) -> Option<Vec<u8>> {
    let names: Vec<String> = tracepoints.iter().map(|tracepoint| format!("btf_trace_{tracepoint}")).collect();
    let ids = names.iter().map(|name| kernel.typedef(name)).collect::<Option<Vec<u32>>>()?;
    // Type 0 is `void`, and is not written.
    let mut types = vec![0_u32; *ids.iter().max()? as usize * WORDS];
    let mut strings = vec![0];
    for (name, id) in names.iter().zip(ids) {
        let at = (id as usize).checked_sub(1)? * WORDS;
        types[at..at + WORDS].copy_from_slice(&[strings.len() as u32, TYPEDEF, 0]);
        strings.extend_from_slice(name.as_bytes());
        strings.push(0);
    }
    let length = size_of_val(&types[..]) as u32;
    let header = [0x0001_eb9f, 24, 0, length, length, strings.len() as u32];
    let mut bytes: Vec<u8> = header.iter().chain(&types).flat_map(|word| word.to_ne_bytes()).collect();
    bytes.extend_from_slice(&strings);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aya::Endianness;

    #[test]
    fn aya_finds_the_types_under_their_numbers() {
        let (Ok(kernel), Ok(whole)) = (Btf::of_kernel(), aya::Btf::from_sys_fs()) else { return };
        let bytes = abridged(&kernel, &["sys_enter", "sys_exit"]).expect("every kernel with BTF has them");
        let abridged = aya::Btf::parse(&bytes, Endianness::default()).expect("well-formed");
        assert!(abridged.to_bytes().len() < whole.to_bytes().len());
        assert_eq!(kernel.typedef("no_such_type"), None);
        let again = Btf::parse(bytes).expect("well-formed");
        for name in ["btf_trace_sys_enter", "btf_trace_sys_exit"] {
            assert!(again.typedef(name).is_some());
            assert_eq!(again.typedef(name), kernel.typedef(name), "{name}");
        }
    }
}
