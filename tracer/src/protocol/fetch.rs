//! What will be looked at soon is fetched from memory while something else is done.

/// Bytes that are fetched at once.
const LINE: usize = 64;

/// Has the processor fetch this, and does not wait for it.
#[inline]
pub(crate) fn fetch<T: ?Sized>(what: &T) {
    let (first, size) = (std::ptr::from_ref(what).cast::<u8>(), size_of_val(what));
    for at in (0..size).step_by(LINE) {
        fetch_line(first.wrapping_add(at));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn fetch_line(at: *const u8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: a hint, which is of no consequence whatever the address is (Intel's manual, PREFETCHh).
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn fetch_line(_: *const u8) {}
