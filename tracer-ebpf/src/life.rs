//! Tasks are created, execute programs, and end.

use crate::kernel::{Probing, read};
use crate::maps::EXEC;
use crate::pending::Pending;
use crate::ring::{emit, tell_news};
use crate::settings::offset;
use crate::traced::{Me, mark, start_of};
use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::generated::bpf_probe_read_user;
use aya_ebpf::{macros::raw_tracepoint, programs::RawTracePointContext};
use forkscope_proto::process::{CLONE_FILES, CLONE_THREAD, CLONE_VFORK};
use forkscope_proto::{Config, Exec, Exit, Fork, Kind, Mark};

/// `TP_PROTO(struct task_struct *task, u64 clone_flags)` (include/trace/events/task.h), in the creator,
/// before the new task runs (`copy_process`, kernel/fork.c).
#[raw_tracepoint(tracepoint = "task_newtask")]
pub fn forkscope_fork(ctx: RawTracePointContext) -> i32 {
    let Some(me) = Me::<Probing>::if_traced() else { return 0 };
    let task: u64 = ctx.arg(0);
    let flags: u64 = ctx.arg(1);
    let child_tgid: u32 = read(task, offset!(task_tgid));
    let child_start = start_of(task);
    let is_thread = flags & CLONE_THREAD != 0;
    let shares = flags & CLONE_FILES != 0;
    if shares {
        me.add(Mark::SHARED);
    }
    if !is_thread {
        // As by posix_spawn(3): what the child shares until it executes another program is not alone
        // meanwhile (`file::is_alone`).
        if flags & CLONE_VFORK == 0 {
            me.add(Mark::KIN);
        }
        // A ring of io_uring is inherited, too.
        let uring = me.marks() & Mark::URING;
        let shared = if shares { Mark::SHARED } else { 0 };
        mark(child_tgid, Mark::TRACED | Mark::FORKED | uring | shared);
    }
    let signal: u64 = read(me.task, offset!(task_signal));
    let fork = Fork {
        header: me.header(Kind::Fork, 0, 0),
        flags,
        child_start,
        enter: Pending::of(me.tid).map_or(0, |pending| pending.time),
        child_tgid,
        child_tid: read(task, offset!(task_pid)),
        threads: read(signal, offset!(signal_nr_threads)),
        reserved: 0,
        comm: read(task, offset!(task_comm)),
    };
    emit((&raw const fork).cast(), size_of::<Fork>(), Kind::Fork);
    if !is_thread {
        tell_news();
    }
    0
}

/// `TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`, after the old image is gone.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
pub fn forkscope_exec(ctx: RawTracePointContext) -> i32 {
    let _: u64 = ctx.arg(0);
    let Some(me) = Me::<Probing>::if_traced() else { return 0 };
    // Exec ends the other threads and gives the process a table of its own (`begin_new_exec`, fs/exec.c).
    me.remove(Mark::SHARED | Mark::URING | Mark::COMPAT | Mark::FORKED | Mark::DISPLACED | Mark::KIN);
    let Some(room) = EXEC.get_ptr_mut(0) else { return 0 };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let room = unsafe { &mut *room };
    let mm: u64 = read(me.task, offset!(task_mm));
    let from: u64 = read(mm, offset!(mm_arg_start));
    let to: u64 = read(mm, offset!(mm_arg_end));
    let length = to.wrapping_sub(from).min(Config::MOST_DETAIL as u64) as u32;
    // SAFETY: the room is MOST_DETAIL bytes.
    let failed = unsafe { bpf_probe_read_user(room.payload.as_mut_ptr().cast(), length, from as *const _) };
    let length = if failed == 0 { length } else { 0 };
    room.record = Exec { header: me.header(Kind::Exec, 0, length), comm: read(me.task, offset!(task_comm)) };
    emit((&raw const *room).cast(), size_of::<Exec>() + length as usize, Kind::Exec);
    tell_news();
    0
}

/// `TP_PROTO(struct task_struct *p, ...)`, in the ending task, before it gives up its descriptor table
/// (`do_exit`, kernel/exit.c).
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn forkscope_task_exit(ctx: RawTracePointContext) -> i32 {
    let _: u64 = ctx.arg(0);
    // First of all: of two threads that end at once, one may find the process forgotten by the other.
    Pending::forget(bpf_get_current_pid_tgid() as u32);
    let Some(me) = Me::<Probing>::if_traced() else { return 0 };
    let signal: u64 = read(me.task, offset!(task_signal));
    let last = read::<u32>(signal, offset!(signal_live)) == 0;
    let own: u32 = read(me.task, offset!(task_exit_code));
    let group: u32 = read(signal, offset!(signal_group_exit_code));
    let exit = Exit {
        header: me.header(Kind::Exit, 0, 0),
        status: if last && group != 0 { group } else { own },
        last: u32::from(last),
    };
    emit((&raw const exit).cast(), size_of::<Exit>(), Kind::Exit);
    if last {
        mark(me.tgid, 0);
        tell_news();
    }
    0
}
