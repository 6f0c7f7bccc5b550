//! The entry of system calls: only what is gone or changed when the call ends.

use crate::file::behind;
use crate::kernel::{Registers, read};
use crate::maps::{PENDING, Pending};
use crate::settings::offset;
use crate::stack;
use crate::traced::{Me, now};
use aya_ebpf::{EbpfContext as _, macros::raw_tracepoint, programs::RawTracePointContext};
use forkscope_proto::{Enter, FileRef, Kind, ProcState, Spec, calls};

/// How calls are read.
static SPECS: [Spec; calls::TABLE] = calls::SPECS;

/// `TS_COMPAT`: the task is in a 32-bit call (arch/x86/include/asm/thread_info.h).
const TS_COMPAT: u32 = 2;

/// How the call with this number is read.
#[inline(always)]
pub fn spec(number: u64) -> Option<&'static Spec> {
    SPECS.get(number as usize & (calls::TABLE - 1)).filter(|_| number < calls::TABLE as u64)
}

/// Whether the task is in a 32-bit call, whose numbers and arguments mean something else. The process is
/// reported once.
#[inline(always)]
pub fn is_compat(me: &Me) -> bool {
    if read::<u32>(me.task, offset!(task_status)) & TS_COMPAT == 0 {
        return false;
    }
    if me.flags() & ProcState::COMPAT == 0 {
        me.set_flag(ProcState::COMPAT);
        let header = me.header(Kind::Compat, 0, 0);
        crate::maps::emit((&raw const header).cast(), size_of_val(&header), Kind::Compat);
    }
    true
}

/// `TP_PROTO(struct pt_regs *regs, long id)` (include/trace/events/syscalls.h).
#[raw_tracepoint(tracepoint = "sys_enter")]
pub fn forkscope_enter(ctx: RawTracePointContext) -> i32 {
    let _ = ctx.as_ptr();
    let Some(me) = Me::if_traced() else { return 0 };
    let number: u64 = ctx.arg(1);
    let Some(spec) = spec(number) else { return 0 };
    if stack::may_fork(number) && !is_compat(&me) {
        stack::at_fork(&me, number, ctx.arg(0));
    }
    let shared = me.flags() & (ProcState::SHARED | ProcState::URING) != 0;
    let worth = match spec.enter {
        Enter::Nothing => false,
        Enter::Target | Enter::Replaced => true,
        Enter::Time | Enter::Blocking => shared,
    };
    if !worth || is_compat(&me) {
        return 0;
    }
    let regs: Registers = read(ctx.arg::<u64>(0), 0);
    let file = match spec.enter {
        Enter::Target => behind(&me, regs.arg(0) as i32, false),
        Enter::Blocking if spec.fd != Spec::NO_FD => behind(&me, regs.arg(spec.fd) as i32, false),
        Enter::Replaced => behind(&me, regs.arg(1) as i32, false),
        _ => FileRef::NONE,
    };
    let _ = PENDING.insert(me.tid, Pending { time: now(), file, nr: number }, 0);
    0
}
