//! What was taken of a call that goes on, until its exit: at its entry by the thread itself, or by another
//! that displaced what it is on. A thread is in one call at a time.

use aya_ebpf::bindings::BPF_NOEXIST;
use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use forkscope_proto::FileRef;

/// By thread id. Where it is full nothing is taken, and a call's exit finds what it finds.
#[map]
static PENDING: HashMap<u32, Pending> = HashMap::with_max_entries(16_384, 0);

/// What was taken of a call.
#[repr(C)]
pub struct Pending {
    /// When it was entered, as `Header::time`; 0: another thread took it.
    pub time: u64,
    pub file: FileRef,
    /// As [`crate::file::describe`] returns it.
    pub tcp: u64,
    /// As [`call`] returns it.
    pub call: u64,
}

/// A call as one number: its own, and its first argument, which is the descriptor of those that wait.
#[inline(always)]
pub fn call(number: u64, first: u64) -> u64 {
    number << 32 | first & u64::from(u32::MAX)
}

impl Pending {
    /// Takes it down for the current thread.
    #[inline(always)]
    pub fn keep(self, tid: u32) {
        let _ = PENDING.insert(tid, self, 0);
    }

    /// Takes it down for another thread, unless somebody has: what a call is on is what was there first.
    #[inline(always)]
    pub fn leave(self, tid: u32) {
        let _ = PENDING.insert(tid, self, u64::from(BPF_NOEXIST));
    }

    /// What was taken of the call that a thread is in.
    #[inline(always)]
    pub fn of(tid: u32) -> Option<&'static Self> {
        // SAFETY: nobody writes to what is there, and the thread gives it back when it has done with it.
        unsafe { PENDING.get(tid) }
    }

    /// The call has ended, or the thread.
    #[inline(always)]
    pub fn forget(tid: u32) {
        let _ = PENDING.remove(tid);
    }
}
