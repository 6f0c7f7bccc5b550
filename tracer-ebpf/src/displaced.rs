//! A thread closes or replaces a number while others of its process are in a call on it: they go
//! on with the file that was there. It is taken down for them, so that nothing need be taken at
//! the entries of their calls.

use crate::enter::spec;
use crate::kernel::{Access, InCall, Probing, read};
use crate::maps::FOUND;
use crate::pending::{self, Pending};
use crate::settings::offset;
use crate::traced::Me;
use forkscope_proto::{Enter, Mark, Spec};

/// Threads are looked at in so many turns of so many: the verifier looks at each turn of a loop, and
/// compares it with all before.
const TURNS: (usize, usize) = (16, 16);

/// The current thread, whose registers are there, displaces what is behind a number: it is in
/// [`FOUND`], and `tcp` as [`crate::file::look`] returned it. A global function for the verifier, as
/// the one that copies vectors is.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_displaced(pt_regs: u64, fd: i32, tcp: u64) -> u32 {
    let task = Probing::task();
    // Every thread has its registers at the same place of its kernel stack (`task_pt_regs`,
    // arch/x86/include/asm/processor.h).
    let on_stack = pt_regs.wrapping_sub(read(task, offset!(task_stack)));
    let head = read::<u64>(task, offset!(task_signal)).wrapping_add(u64::from(offset!(signal_thread_head)));
    let mut node: u64 = read(head, 0);
    for _ in 0..TURNS.0 {
        if node == head {
            break;
        }
        node = forkscope_displaced_from(node, head, on_stack, fd, tcp);
    }
    0
}

/// Looks at some threads of a process, from the one with this node of their list on, to its head at most;
/// returns where it got. Likewise global.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_displaced_from(
    mut node: u64,
    head: u64,
    on_stack: u64,
    fd: i32,
    tcp: u64,
) -> u64 {
    for _ in 0..TURNS.1 {
        // It is 0 where it could not be read.
        if node == head || node == 0 {
            return head;
        }
        let other = node.wrapping_sub(u64::from(offset!(task_thread_node)));
        let regs = read::<u64>(other, offset!(task_stack)).wrapping_add(on_stack);
        if InCall::of(regs).is_some_and(|call| call.first as i32 == fd) {
            forkscope_displaced_for(other, regs, tcp);
        }
        node = read(node, 0);
    }
    node
}

/// What is in [`FOUND`] is displaced for another thread: its task, and where its
/// registers are. Likewise global.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_displaced_for(other: u64, regs: u64, tcp: u64) -> u32 {
    // SAFETY: the scratch is this CPU's own while the program runs.
    let Some(file) = FOUND.get_ptr(0).map(|found| unsafe { *found }) else { return 0 };
    let (Some(me), Some(call)) = (Me::<Probing>::known(), InCall::of(regs)) else { return 0 };
    let blocks = |spec: &Spec| matches!(spec.enter, Enter::Blocking);
    // A thread that has unshared its table has something else there (unshare(2)).
    let has_same_table = read::<u64>(other, offset!(task_files)) == read::<u64>(me.task, offset!(task_files));
    if !has_same_table || !spec(call.number).is_some_and(blocks) {
        return 0;
    }
    // Before the place is taken: the other's exit looks for it then.
    if me.marks() & Mark::DISPLACED == 0 {
        me.add(Mark::DISPLACED);
    }
    let tid: u32 = read(other, offset!(task_pid));
    Pending { time: 0, file, tcp, call: pending::call(call.number, call.first) }.leave(tid);
    if InCall::of(regs).is_none() {
        // It has ended meanwhile, and may have looked before.
        Pending::forget(tid);
    }
    0
}
