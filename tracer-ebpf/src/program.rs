//! What each object for the kernel has.

/// The kernel hands helper functions such as `bpf_probe_read_kernel` only to GPL-compatible programs.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // SAFETY: no code path panics: the verifier would refuse a program that could reach this.
    unsafe { core::hint::unreachable_unchecked() }
}
