//! The entry of system calls. Of the few that give up what is behind a descriptor it is taken, since it is
//! gone at the exit, and of those that copy the table the time. All others pass by.

use crate::displaced;
use crate::file::{AGAIN, is_alone, look};
use crate::kernel::{Access, Probing, Typed, read};
use crate::pending::{Pending, call};
use crate::settings::offset;
use crate::stack;
use crate::traced::{Me, now};
use aya_ebpf::macros::{btf_tracepoint, raw_tracepoint};
use aya_ebpf::programs::{BtfTracePointContext, RawTracePointContext};
use forkscope_proto::net::peer_has_ended;
use forkscope_proto::{Enter, FileRef, Kind, Mark, Spec, calls};

/// How calls are read.
static SPECS: [Spec; calls::TABLE] = calls::SPECS;

/// `TS_COMPAT`: the task is in a 32-bit call (arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;

/// How the call with this number is read.
#[inline(always)]
pub fn spec(number: u64) -> Option<&'static Spec> {
    SPECS.get(number as usize & (calls::TABLE - 1)).filter(|_| number < calls::TABLE as u64)
}

/// Whether the thread is in a 32-bit call, whose numbers and arguments mean something else. The process is
/// reported once.
#[inline(always)]
pub fn is_compat<A: Access>(me: &Me<A>) -> bool {
    if A::member::<u32>(me.task, offset!(task_status)) & TS_COMPAT == 0 {
        return false;
    }
    if me.marks() & Mark::COMPAT == 0 {
        me.add(Mark::COMPAT);
        let header = me.header(Kind::Compat, 0, 0);
        crate::ring::emit((&raw const header).cast(), size_of_val(&header), Kind::Compat);
    }
    true
}

/// `TP_PROTO(struct pt_regs *regs, long id)` (include/trace/events/syscalls.h).
#[btf_tracepoint(function = "sys_enter")]
pub fn forkscope_enter(ctx: BtfTracePointContext) -> i32 {
    entered::<Typed>(ctx.arg(0), ctx.arg(1))
}

/// As [`forkscope_enter`], where the kernel has not what that one takes.
#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn forkscope_enter_probing(ctx: RawTracePointContext) -> i32 {
    entered::<Probing>(ctx.arg(0), ctx.arg(1))
}

#[inline(always)]
fn entered<A: Access>(pt_regs: u64, number: u64) -> i32 {
    // First of all, since it takes no call: nothing is taken of most calls, whoever makes them.
    let Some(spec) = spec(number).filter(|spec| spec.enter.is_taken()) else { return 0 };
    let Some(me) = Me::<A>::if_traced() else { return 0 };
    if is_compat(&me) {
        return 0;
    }
    let regs = A::registers(pt_regs);
    let is_shared = me.marks() & Mark::SHARED != 0;
    let call = call(number, regs.arg(0));
    if matches!(spec.enter, Enter::Time) {
        stack::at_fork(&me, &regs, pt_regs);
        if is_shared && spec.gate.wants(|at| regs.arg(at)) {
            Pending { time: now(), file: FileRef::NONE, tcp: 0, call }.keep(me.tid);
        }
        return 0;
    }
    let fd = if matches!(spec.enter, Enter::Replaced) { regs.arg(1) } else { regs.arg(0) } as i32;
    let (file, tcp) = look::<A>(fd, 0);
    let has_others = file.is_some() && !is_alone::<A>(file.file);
    // Who closes a connection may have been told by poll(2) alone that its peer had ended it.
    if has_others && tcp != 0 && peer_has_ended(read::<u8>(tcp, offset!(sock_state)).into()) {
        look::<A>(fd, AGAIN);
    }
    Pending { time: now(), file, tcp, call }.keep(me.tid);
    // Others in a call on it hold a reference meanwhile (`fdget`, fs/file.c).
    if is_shared && has_others {
        // The verifier knows it for a pointer, which a global function does not take.
        // What is read is a number.
        displaced::forkscope_displaced(read((&raw const pt_regs) as u64, 0), fd, tcp);
    }
    0
}
