//! Where the threads of a process stand that makes no progress, read without stopping it.

use crate::event::ProcKey;
use crate::source::proc;
use forkscope_proto::Stack;

/// The most threads that are looked at.
const MOST_THREADS: usize = 8;
/// How much of a stack is read: nobody waits for room here.
const MOST: usize = 8 * Stack::MOST;

/// A thread in a system call.
pub(super) struct Standing {
    pub(super) tid: u32,
    /// Program counter and stack pointer. The frame pointer is not to be seen so, and 0.
    pub(super) registers: [u64; 3],
    pub(super) bytes: Vec<u8>,
}

/// The threads that are in a call, by number.
pub(super) fn threads(process: ProcKey) -> Vec<Standing> {
    let tids = proc::thread_numbers(process.tgid).into_iter().take(MOST_THREADS);
    let mut threads = Vec::new();
    for tid in tids {
        let Some([ip, sp]) = proc::stands_at(process.tgid, tid) else { continue };
        let bytes = proc::memory_by_pieces(process.tgid, sp, MOST, Stack::PIECE);
        threads.push(Standing { tid, registers: [ip, sp, 0], bytes });
    }
    // What was read may have been another's, if the number was given anew meanwhile.
    if proc::key(process.tgid).is_ok_and(|key| key == process) { threads } else { Vec::new() }
}
