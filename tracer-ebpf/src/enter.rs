//! The entry of system calls: only what is gone or changed when the call ends.

use crate::file::look;
use crate::kernel::{Access, Probing, Typed};
use crate::pending::Pending;
use crate::settings::offset;
use crate::stack;
use crate::traced::{Me, now};
use aya_ebpf::macros::{btf_tracepoint, raw_tracepoint};
use aya_ebpf::programs::{BtfTracePointContext, RawTracePointContext};
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

/// Whether something is taken at the call's entry: what changes while it runs, by the call itself or by others.
#[inline(always)]
pub fn is_kept<A: Access>(me: &Me<A>, spec: &Spec) -> bool {
    match spec.enter {
        Enter::Nothing => false,
        Enter::Target | Enter::Replaced => true,
        Enter::Time | Enter::Blocking => keeps_place(me),
    }
}

/// Whether something is taken at most calls' entries: of a process with threads, or with io_uring.
#[inline(always)]
pub fn keeps_place<A: Access>(me: &Me<A>) -> bool {
    me.marks() & (Mark::SHARED | Mark::URING) != 0
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
    // First of all, since it takes no call: most calls are of no interest, whoever makes them.
    let Some(spec) = spec(number) else { return 0 };
    if matches!(spec.enter, Enter::Nothing) && !stack::may_fork(number) {
        return 0;
    }
    let Some(me) = Me::<A>::if_traced() else { return 0 };
    if stack::may_fork(number) && !is_compat(&me) {
        stack::at_fork(&me, number, pt_regs);
    }
    if !is_kept(&me, spec) || is_compat(&me) {
        return 0;
    }
    let regs = A::registers(pt_regs);
    let (file, tcp) = match spec.enter {
        Enter::Target => look::<A>(regs.arg(0) as i32, 0),
        Enter::Blocking if spec.fd != Spec::NO_FD => look::<A>(regs.arg(spec.fd) as i32, 0),
        Enter::Replaced => look::<A>(regs.arg(1) as i32, 0),
        _ => (FileRef::NONE, 0),
    };
    Pending { time: now(), file, tcp, nr: number }.keep(me.tid);
    0
}
