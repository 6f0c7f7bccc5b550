//! The exit of system calls: one record for each that matters, whether it worked or failed.

use crate::enter::{is_compat, spec};
use crate::kernel::{Registers, read};
use crate::maps::PENDING;
use crate::traced::Me;
use crate::{call, mapped, stack, stop, transfer};
use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};
use forkscope_proto::{Enter, Shape};

/// `TP_PROTO(struct pt_regs *regs, long ret)` (include/trace/events/syscalls.h).
#[raw_tracepoint(tracepoint = "sys_exit")]
pub fn forkscope_exit(ctx: RawTracePointContext) -> i32 {
    let Some(me) = Me::if_traced() else { return 0 };
    let regs: Registers = read(ctx.arg::<u64>(0), 0);
    mapped::ended(&me, &regs, ctx.arg::<u64>(1) as i64);
    let Some(spec) = spec(regs.number) else { return 0 };
    if matches!((spec.shape, spec.enter), (Shape::Ignored, Enter::Nothing)) || is_compat(&me) {
        return 0;
    }
    let ret = ctx.arg::<u64>(1) as i64;
    let taken = if matches!(spec.enter, Enter::Nothing) {
        None
    } else {
        // SAFETY: the value is copied before the entry is removed; only this thread changes it.
        unsafe { PENDING.get(me.tid) }.copied().filter(|pending| pending.nr == regs.number)
    };
    if !matches!(spec.shape, Shape::Ignored) {
        stack::at_call(&me, spec, &regs, ctx.arg(0), ret);
    }
    stop::at_call(&me, regs.number, ret);
    match spec.shape {
        Shape::Ignored => {}
        Shape::Send | Shape::Receive => transfer::ended(&me, spec, &regs, ret, taken.as_ref()),
        Shape::Plain | Shape::Transfer => call::ended(&me, spec, &regs, ret, taken.as_ref()),
    }
    if taken.is_some() {
        let _ = PENDING.remove(me.tid);
    }
    0
}
