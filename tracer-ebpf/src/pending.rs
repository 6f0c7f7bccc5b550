//! What is taken at the entry of a call, until its exit.
//!
//! A thread has one place. In a process with threads, where something is taken of most calls, it has that from its first such
//! call until it ends: to write there is a look-up, where a new entry for each call is an insertion and a removal, which take
//! locks. In others it has it during the call.

use aya_ebpf::macros::map;
use aya_ebpf::maps::HashMap;
use forkscope_proto::FileRef;

/// The places, by thread id. Where they are all taken nothing is kept, and a call's exit finds what it finds.
#[map]
static PENDING: HashMap<u32, Pending> = HashMap::with_max_entries(65_536, 0);

/// No number of a call: the thread is in none of which anything was taken.
const NO_CALL: u64 = u64::MAX;

/// What was taken at the entry of a call.
#[repr(C)]
pub struct Pending {
    /// As `Header::time`.
    pub time: u64,
    pub file: FileRef,
    /// As [`crate::file::describe`] returns it.
    pub tcp: u64,
    pub nr: u64,
}

impl Pending {
    /// Takes it down for a thread.
    #[inline(always)]
    pub fn keep(self, tid: u32) {
        match PENDING.get_ptr_mut(tid) {
            // SAFETY: only the thread itself uses its place, until it gives it back.
            Some(place) => unsafe { *place = self },
            None => {
                let _ = PENDING.insert(tid, self, 0);
            }
        }
    }

    /// What was taken of the call that a thread is in.
    #[inline(always)]
    pub fn of(tid: u32) -> Option<&'static mut Self> {
        // SAFETY: as above; a program asks once.
        unsafe { PENDING.get_ptr_mut(tid).map(|place| &mut *place) }.filter(|pending| pending.nr != NO_CALL)
    }

    /// The call has ended, of a thread that keeps its place.
    #[inline(always)]
    pub fn end(&mut self) {
        self.nr = NO_CALL;
    }

    /// The place is given back: by the thread when its call or it itself has ended, or once it goes on under another id.
    #[inline(always)]
    pub fn forget(tid: u32) {
        let _ = PENDING.remove(tid);
    }
}
