//! Clearing and copying in place, eight bytes at a time. Left to the compiler it is a call that goes byte by
//! byte, and one more call below a function takes more stack than the 512 bytes that all together have
//! (`check_max_stack_depth`, kernel/bpf/verifier.c; until Linux 6.7 each call takes 32).

use crate::kernel::Plain;

const WORD: usize = size_of::<u64>();

/// Makes plain data zero.
#[inline(always)]
pub fn clear<T: Plain>(to: &mut T) {
    const { assert!(size_of::<T>() % WORD == 0 && align_of::<T>() == WORD) };
    let to = (&raw mut *to).cast::<u64>();
    for at in 0..size_of::<T>() / WORD {
        // SAFETY: a part of the data, of which any bytes are a value.
        unsafe { to.add(at).write_volatile(0) };
    }
}

/// Copies plain data.
#[inline(always)]
pub fn copy<T: Plain>(to: &mut T, from: &T) {
    const { assert!(size_of::<T>() % WORD == 0 && align_of::<T>() == WORD) };
    let (to, from) = ((&raw mut *to).cast::<u64>(), (&raw const *from).cast::<u64>());
    for at in 0..size_of::<T>() / WORD {
        // SAFETY: as in [`clear`].
        unsafe { to.add(at).write_volatile(from.add(at).read_volatile()) };
    }
}
