//! Where in its program a thread is: registers, and the top of its stack, where users ask for stacks.

use crate::kernel::{Access, Plain, Registers, read, read_user};
use crate::maps::STACK;
use crate::ring::emit_at_once;
use crate::settings;
use crate::traced::Me;
use aya_ebpf::helpers::generated::bpf_probe_read_user;
use forkscope_proto::process::CLONE_THREAD;
use forkscope_proto::{Kind, Spec, Stack, StackAt, calls};

/// Offset of `bp` in x86-64's `struct pt_regs` (arch/x86/include/asm/ptrace.h).
const BP: u32 = 32;
/// Offset of `ip` there, behind the call's number.
const IP: u32 = Registers::END;

/// What follows the call's number in `struct pt_regs`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Place {
    ip: u64,
    cs: u64,
    flags: u64,
    sp: u64,
}
impl Plain for Place {}

/// A call has ended with `ret`; `pt_regs` is where its registers are. Its record follows.
#[inline(always)]
pub fn at_call<A: Access>(me: &Me<A>, spec: &Spec, regs: &Registers, pt_regs: u64, ret: i64) {
    if !settings::stacks() || !spec.gate.wants(|at| regs.arg(at)) {
        return;
    }
    if let Some(at) = Stack::wanted(regs.number as u16, ret) {
        let fd = if spec.fd == Spec::NO_FD { -1 } else { regs.arg(spec.fd) as i32 };
        take(me, regs.number, pt_regs, at, fd);
    }
}

/// A call begins that may make a process.
#[inline(always)]
pub fn at_fork<A: Access>(me: &Me<A>, regs: &Registers, pt_regs: u64) {
    if !settings::stacks() {
        return;
    }
    let number = regs.number;
    let flags = match number as u16 {
        calls::CLONE => regs.arg(0),
        // The first field of `struct clone_args` (clone(2)).
        calls::CLONE3 => read_user(regs.arg(0)),
        calls::FORK | calls::VFORK => 0,
        _ => return,
    };
    if flags & CLONE_THREAD == 0 {
        take(me, number, pt_regs, StackAt::Fork, -1);
    }
}

/// Copies the memory from `sp` on into the payload of [`STACK`]'s record; returns how many bytes. A global
/// function for the verifier, as the one that copies vectors is.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_stack(sp: u64) -> u32 {
    let Some(room) = STACK.get_ptr_mut(0) else { return 0 };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let to = unsafe { (*room).payload.as_mut_ptr() };
    for piece in 0..Stack::MOST / Stack::PIECE {
        let at = piece * Stack::PIECE;
        let from = sp.wrapping_add(at as u64);
        // SAFETY: the room is twice MOST.
        let failed = unsafe { bpf_probe_read_user(to.add(at).cast(), Stack::PIECE as u32, from as *const _) };
        if failed != 0 {
            return at as u32;
        }
    }
    Stack::MOST as u32
}

#[inline(always)]
fn take<A: Access>(me: &Me<A>, number: u64, pt_regs: u64, at: StackAt, fd: i32) {
    let place: Place = read(pt_regs, IP);
    let bp: u64 = read(pt_regs, BP);
    let copied = forkscope_stack(place.sp);
    // The mask changes nothing: it is the bound that the verifier sees. Through memory, since the compiler,
    // which looks into the function, would leave it out.
    // SAFETY: a local value.
    let copied = unsafe { (&raw const copied).read_volatile() } & (2 * Stack::MOST as u32 - 1);
    let Some(room) = STACK.get_ptr_mut(0) else { return };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let record = unsafe { &mut (*room).record };
    *record = Stack {
        header: me.header(Kind::Stack, number, copied),
        ip: place.ip,
        sp: place.sp,
        bp,
        at: at as u32,
        fd,
    };
    // What its addresses mean, user space can see only as long as the process lives.
    emit_at_once(room.cast::<u8>().cast_const(), size_of::<Stack>() + copied as usize, Kind::Stack);
}
