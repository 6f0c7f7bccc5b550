//! The exit of system calls: one record for each that matters, whether it worked or failed.

use crate::enter::{is_compat, spec};
use crate::kernel::{Access, Probing, Typed};
use crate::pending::{Pending, call as call_of};
use crate::ring::forkscope_ended;
use crate::traced::Me;
use crate::{call, mapped, routine, stack, stop, transfer};
use aya_ebpf::macros::{btf_tracepoint, raw_tracepoint};
use aya_ebpf::programs::{BtfTracePointContext, RawTracePointContext};
use forkscope_proto::arguments::may_be_urgent;
use forkscope_proto::{Enter, Mark, Shape, Spec};

/// `TP_PROTO(struct pt_regs *regs, long ret)` (include/trace/events/syscalls.h).
#[btf_tracepoint(function = "sys_exit")]
pub fn forkscope_exit(ctx: BtfTracePointContext) -> i32 {
    exited::<Typed>(ctx.arg(0), ctx.arg(1))
}

/// As [`forkscope_exit`], where the kernel has not what that one takes.
#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn forkscope_exit_probing(ctx: RawTracePointContext) -> i32 {
    exited::<Probing>(ctx.arg(0), ctx.arg(1))
}

/// Whether nothing is to be done for a call.
#[inline(always)]
fn is_ignored(spec: &Spec) -> bool {
    matches!((spec.shape, spec.enter), (Shape::Ignored, Enter::Nothing))
}

/// Whether something may have been taken of a call before it ended.
#[inline(always)]
fn may_be_taken<A: Access>(me: &Me<A>, spec: &Spec) -> bool {
    match spec.enter {
        Enter::Nothing => false,
        Enter::Blocking => me.marks() & Mark::DISPLACED != 0,
        Enter::Time | Enter::Target | Enter::Replaced => true,
    }
}

#[inline(always)]
fn exited<A: Access>(pt_regs: u64, ret: u64) -> i32 {
    // First of all, since it takes no call: most calls are of no interest, whoever makes them.
    if A::number(pt_regs).is_some_and(|number| !mapped::is_it(number) && spec(number).is_none_or(is_ignored))
    {
        return 0;
    }
    let Some(me) = Me::<A>::if_traced() else { return 0 };
    let (regs, ret) = (A::registers(pt_regs), ret as i64);
    mapped::ended(&me, pt_regs, &regs, ret);
    let Some(spec) = spec(regs.number) else { return 0 };
    if is_ignored(spec) || is_compat(&me) {
        return 0;
    }
    let pending = if may_be_taken(&me, spec) { Pending::of(me.tid) } else { None };
    let taken = pending.filter(|pending| pending.call == call_of(regs.number, regs.arg(0)));
    if !matches!(spec.shape, Shape::Ignored) {
        stack::at_call(&me, spec, &regs, pt_regs, ret);
    }
    stop::at_call(&me, regs.number, ret);
    // Nothing is taken of such a call that would have to be forgotten: a process in which
    // something is has all told.
    if routine::says_nothing_new(&me, &regs, ret) {
        return 0;
    }
    match spec.shape {
        Shape::Ignored => {}
        Shape::Send | Shape::Receive => transfer::ended(&me, spec, &regs, ret, taken),
        Shape::Plain | Shape::Transfer => call::ended(&me, spec, &regs, ret, taken),
    }
    if pending.is_some() {
        Pending::forget(me.tid);
    }
    // Last of all: the verifier would look at what comes after it once more for each of the two ways.
    if may_be_urgent(regs.number as u16, ret) {
        forkscope_ended(regs.number as u16, ret);
    }
    0
}
