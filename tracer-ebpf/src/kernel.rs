//! Reading kernel and user memory.

use aya_ebpf::helpers::generated::{bpf_probe_read_kernel, bpf_probe_read_user};
use core::mem::MaybeUninit;

/// Plain data for which any bytes, and zero, are a value.
pub trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for u16 {}
impl Plain for u32 {}
impl Plain for i32 {}
impl Plain for u64 {}
impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Reads from kernel memory; zero where the memory cannot be read (the helper clears its target then).
#[inline(always)]
pub fn read<T: Plain>(base: u64, offset: u32) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    let from = base.wrapping_add(u64::from(offset));
    // SAFETY: the target is valid for its size, and the helper writes all of it, also when it fails.
    unsafe {
        bpf_probe_read_kernel(value.as_mut_ptr().cast(), size_of::<T>() as u32, from as *const _);
        value.assume_init()
    }
}

/// Reads from the user memory of the current task; zero where it cannot be read.
#[inline(always)]
pub fn read_user<T: Plain>(from: u64) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    // SAFETY: as in [`read`].
    unsafe {
        bpf_probe_read_user(value.as_mut_ptr().cast(), size_of::<T>() as u32, from as *const _);
        value.assume_init()
    }
}

/// Registers of a system call: the start of x86-64's `struct pt_regs` (arch/x86/include/asm/ptrace.h),
/// an ABI that user space sees through ptrace(2).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Registers {
    before: [u64; 7],
    r10: u64,
    r9: u64,
    r8: u64,
    ax_cx: [u64; 2],
    dx: u64,
    si: u64,
    di: u64,
    /// The system call's number.
    pub number: u64,
}
impl Plain for Registers {}

impl Registers {
    /// Argument `index` of the call; the arguments are intact at its exit, too.
    #[inline(always)]
    pub fn arg(&self, index: u8) -> u64 {
        match index {
            0 => self.di,
            1 => self.si,
            2 => self.dx,
            3 => self.r10,
            4 => self.r8,
            _ => self.r9,
        }
    }

    /// All six arguments.
    #[inline(always)]
    pub fn args(&self) -> [u64; 6] {
        [self.di, self.si, self.dx, self.r10, self.r8, self.r9]
    }
}
