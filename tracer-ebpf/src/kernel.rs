//! Reading kernel and user memory.

use crate::settings::offset;
use crate::{file, routine};
use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::generated::{
    bpf_get_current_task, bpf_get_current_task_btf, bpf_probe_read_kernel, bpf_probe_read_user,
    bpf_task_pt_regs,
};
use core::mem::{MaybeUninit, offset_of, transmute};
use forkscope_proto::{CAST, FileRef, PassedFd};

/// Plain data for which any bytes, and zero, are a value.
pub trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for u16 {}
impl Plain for u32 {}
impl Plain for i32 {}
impl Plain for u64 {}
impl Plain for FileRef {}
impl Plain for PassedFd {}
impl<T: Plain, const N: usize> Plain for [T; N] {}

/// How a program reads the kernel's structures.
pub trait Access: Copy {
    /// The current thread's `struct task_struct`.
    fn task() -> u64;
    /// The current thread.
    fn current() -> Current;
    /// A member of the structure at `base`, which [`Access::task`], a typed argument or a member that is a
    /// pointer to a structure led to; zero where it cannot be read.
    fn member<T: Plain>(base: u64, offset: u32) -> T;
    /// A member of a structure of which only the address is known, and which of the
    /// [`Types`](forkscope_proto::Types) it is of; zero where it cannot be read.
    fn at<T: Plain>(address: u64, kind: u32, offset: u32) -> T;
    /// The number of a call, from the tracepoint's `struct pt_regs`; `None`: a look at it alone does not pay.
    fn number(pt_regs: u64) -> Option<u64>;
    /// The registers of a call, from there, too.
    fn registers(pt_regs: u64) -> Registers;
    /// What is behind a number of the current thread's table; see [`file::look`].
    fn look(fd: i32, how: u32) -> u64;
    /// Whether a call of the process `tgid` that has ended with `ret` tells what one before has told,
    /// not long ago, of what is behind a number of the current thread's table; if not, it is
    /// remembered. See [`routine`].
    fn is_repeat(number: u32, fd: i32, ret: i64, tgid: u32) -> bool;
}

/// Who runs.
#[derive(Clone, Copy)]
pub struct Current {
    pub tgid: u32,
    pub tid: u32,
    /// Its `struct task_struct`; `None`: not asked for yet, since that is a call.
    pub task: Option<u64>,
}

/// By a helper function: on every kernel and for every address.
#[derive(Clone, Copy)]
pub struct Probing;

impl Access for Probing {
    #[inline(always)]
    fn task() -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_get_current_task() }
    }

    #[inline(always)]
    fn current() -> Current {
        let id = bpf_get_current_pid_tgid();
        Current { tgid: (id >> 32) as u32, tid: id as u32, task: None }
    }

    #[inline(always)]
    fn member<T: Plain>(base: u64, offset: u32) -> T {
        read(base, offset)
    }

    #[inline(always)]
    fn at<T: Plain>(address: u64, _: u32, offset: u32) -> T {
        read(address, offset)
    }

    #[inline(always)]
    fn number(_: u64) -> Option<u64> {
        None
    }

    #[inline(always)]
    fn registers(pt_regs: u64) -> Registers {
        read(pt_regs, Registers::AT)
    }

    #[inline(always)]
    fn look(fd: i32, how: u32) -> u64 {
        file::forkscope_look_probing(fd, how)
    }

    #[inline(always)]
    fn is_repeat(number: u32, fd: i32, ret: i64, tgid: u32) -> bool {
        routine::forkscope_is_repeat_probing(number, fd, ret, tgid) != 0
    }
}

/// By plain loads, which cost next to nothing: the verifier knows the types of pointers, and the kernel makes
/// a load zero that would fault. For programs on tracepoints with BTF, since Linux 5.11; where types are not
/// known by themselves, since 6.2.
#[derive(Clone, Copy)]
pub struct Typed;

impl Access for Typed {
    #[inline(always)]
    fn task() -> u64 {
        // SAFETY: the helper has no preconditions.
        unsafe { bpf_get_current_task_btf() as u64 }
    }

    #[inline(always)]
    fn current() -> Current {
        let task = Self::task();
        Current {
            tgid: Self::member(task, offset!(task_tgid)),
            tid: Self::member(task, offset!(task_pid)),
            task: Some(task),
        }
    }

    #[inline(always)]
    fn at<T: Plain>(address: u64, kind: u32, offset: u32) -> T {
        // A constant for the verifier, which does not look at what is not done then.
        if kind == 0 { read(address, offset) } else { Self::member(cast(address, kind), offset) }
    }

    #[inline(always)]
    fn member<T: Plain>(base: u64, offset: u32) -> T {
        // SAFETY: the verifier checks that the type at `base` has such a member there.
        unsafe { (base.wrapping_add(u64::from(offset)) as *const T).read_volatile() }
    }

    #[inline(always)]
    fn number(pt_regs: u64) -> Option<u64> {
        // SAFETY: the tracepoint's argument is a `struct pt_regs`.
        Some(unsafe { (&raw const (*Registers::of(pt_regs)).number).read_volatile() })
    }

    #[inline(always)]
    fn registers(pt_regs: u64) -> Registers {
        let from = Registers::of(pt_regs);
        // SAFETY: the tracepoint's argument is a `struct pt_regs`. Only what may be asked for is loaded.
        unsafe {
            Registers {
                r10: (&raw const (*from).r10).read_volatile(),
                r9: (&raw const (*from).r9).read_volatile(),
                r8: (&raw const (*from).r8).read_volatile(),
                ax_cx: [0; 2],
                dx: (&raw const (*from).dx).read_volatile(),
                si: (&raw const (*from).si).read_volatile(),
                di: (&raw const (*from).di).read_volatile(),
                number: (&raw const (*from).number).read_volatile(),
            }
        }
    }

    #[inline(always)]
    fn look(fd: i32, how: u32) -> u64 {
        file::forkscope_look(fd, how)
    }

    #[inline(always)]
    fn is_repeat(number: u32, fd: i32, ret: i64, tgid: u32) -> bool {
        routine::forkscope_is_repeat(number, fd, ret, tgid) != 0
    }
}

/// Takes an address for that of a structure. It becomes no call: the verifier puts a move in its place.
#[inline(always)]
fn cast(address: u64, kind: u32) -> u64 {
    // SAFETY: nothing of the kind is ever called here: it is how a call with this number is written down.
    let cast: unsafe extern "C" fn(u64, u32) -> u64 = unsafe { transmute(CAST as usize) };
    // SAFETY: any address may be given, and what is read through it is zero where that would fault.
    unsafe { cast(address, kind) }
}

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

/// Where the registers of the current thread are, for a program that is not told. Since Linux 5.15.
#[inline(always)]
pub fn current_registers() -> u64 {
    // SAFETY: the helper takes the current task.
    unsafe { bpf_task_pt_regs(bpf_get_current_task_btf()) as u64 }
}

/// The call that a thread is in: what of its registers says so.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct InCall {
    result: i64,
    cx_dx_si: [u64; 3],
    /// The call's first argument.
    pub first: u64,
    pub number: u64,
}
impl Plain for InCall {}

impl InCall {
    /// Offset in `struct pt_regs`.
    const AT: u32 = Registers::END - size_of::<Self>() as u32;

    /// The call of the thread whose registers are there; `None`: it is in none. A call's result is `-ENOSYS`
    /// until it ends (`entry_SYSCALL_64`, arch/x86/entry/entry_64.S; `do_syscall_64`).
    #[inline(always)]
    pub fn of(pt_regs: u64) -> Option<Self> {
        const ENOSYS: i64 = -38;
        let call: Self = read(pt_regs, Self::AT);
        (call.result == ENOSYS).then_some(call)
    }
}

/// Registers of a system call: of x86-64's `struct pt_regs` (arch/x86/include/asm/ptrace.h), an ABI that user
/// space sees through ptrace(2), those from r10 on. Not what lies before it: programs that copy this have a
/// stack of 512 bytes, all calls together.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Registers {
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
    /// Offset in `struct pt_regs`: r15, r14, r13, r12, bp, bx and r11 come before.
    const AT: u32 = 7 * 8;
    /// Offset of what follows them there.
    pub const END: u32 = Self::AT + size_of::<Self>() as u32;

    /// Where they are, in the structure at `pt_regs`.
    #[inline(always)]
    fn of(pt_regs: u64) -> *const Self {
        pt_regs.wrapping_add(u64::from(Self::AT)) as *const Self
    }

    /// The number alone.
    #[inline(always)]
    pub fn number_at(pt_regs: u64) -> u64 {
        read(pt_regs, Self::AT + offset_of!(Self, number) as u32)
    }

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
