//! Waits on futexes, as their system calls say them.

use super::SeenCall;

/// `futex` (arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.18).
const FUTEX: u64 = 202;
/// `futex_wait`, since Linux 6.7.
const FUTEX_WAIT2: u64 = 455;

/// `FUTEX_PRIVATE_FLAG` of futex(2), and `FUTEX2_PRIVATE` of futex_wait: only threads with the
/// same memory may wake it.
const PRIVATE: u64 = 128;
/// `FUTEX_CLOCK_REALTIME` (futex(2)).
const REALTIME: u64 = 256;
/// Operations that wait while a word has a value: `FUTEX_WAIT` and `FUTEX_WAIT_BITSET`
/// (include/uapi/linux/futex.h). A priority-inheriting lock that another process' thread holds is not
/// waited for: that call fails.
const WAITS: [u64; 2] = [0, 9];

/// `FUTEX_WAITERS` and `FUTEX_TID_MASK`: how the word of a robust lock says who holds it
/// (Documentation/locking/ robust-futex-ABI.rst). musl's locks say it likewise.
const WAITERS: u32 = 0x8000_0000;
/// See [`WAITERS`].
const TID_MASK: u32 = 0x3fff_ffff;
/// The value of glibc's locks while somebody waits for them (nptl/lowlevellock.c).
const CONTENDED: u32 = 2;
/// Bits of the kind of a `pthread_mutex_t` that say its type, and whether it elides locks
/// (glibc, nptl/pthreadP.h).
const KIND: u32 = 0x303;

/// A call that waits on a futex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FutexWait {
    /// Its address.
    pub address: u64,
    /// The value that it had when the call began to wait.
    pub value: u32,
    /// Only threads with the same memory may wake it.
    pub private: bool,
    /// The call ends by itself.
    pub timed: bool,
}

impl FutexWait {
    /// How many words [`FutexWait::owner`] needs at most.
    pub const WORDS: usize = 5;

    /// The thread that holds the lock that is waited for, as the words at its address say. `None`: they do
    /// not say so, or this is no such lock.
    ///
    /// Either the word itself has the number; or it begins a glibc `pthread_mutex_t`, whose words are: lock,
    /// count, owner, number of users, kind (glibc, sysdeps/x86/nptl/bits/struct_mutex.h).
    #[must_use]
    pub fn owner(&self, words: &[u32]) -> Option<u32> {
        let own = match (self.value, words) {
            (value, &[word, ..]) if value & WAITERS != 0 && word == value => word & TID_MASK,
            (CONTENDED, &[CONTENDED, _, owner, users, kind, ..]) if users > 0 && kind & !KIND == 0 => owner,
            _ => 0,
        };
        Some(own).filter(|&own| own != 0)
    }
}

impl SeenCall {
    /// The wait that this call is, if it is one on a single futex.
    #[must_use]
    pub fn futex(&self) -> Option<FutexWait> {
        let [address, second, third, fourth, fifth, _] = self.args;
        match self.nr {
            FUTEX => {
                // The kernel takes the lower half of the operation and of the value.
                let operation = second & 0xffff_ffff;
                let command = operation & !(PRIVATE | REALTIME);
                WAITS.contains(&command).then_some(FutexWait {
                    address,
                    value: third as u32,
                    private: operation & PRIVATE != 0,
                    timed: fourth != 0,
                })
            }
            FUTEX_WAIT2 => Some(FutexWait {
                address,
                value: second as u32,
                private: fourth & PRIVATE != 0,
                timed: fifth != 0,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_and_nothing_else() {
        let wait = |value, private, timed| Some(FutexWait { address: 0x7f00, value, private, timed });
        for (nr, args, expected) in [
            (FUTEX, [0x7f00, 128, 2, 0, 0, 0], wait(2, true, false)),
            // sem_wait of a semaphore that processes share, as glibc calls it.
            (FUTEX, [0x7f00, 0x109, 0, 0, 0, 0xffff_ffff], wait(0, false, false)),
            (FUTEX, [0x7f00, 0x189, 0, 0x7ffc, 0, 0xffff_ffff], wait(0, true, true)),
            (FUTEX, [0x7f00, 0xdead_0000_0080, 9, 0, 0, 0], wait(9, true, false)),
            (FUTEX, [0x7f00, 134, 0, 0, 0, 0], None),
            (FUTEX, [0x7f00, 129, 1, 0, 0, 0], None),
            (FUTEX_WAIT2, [0x7f00, 5, 0xffff_ffff, 0x82, 0, 1], wait(5, true, false)),
            (FUTEX_WAIT2, [0x7f00, 5, 0xffff_ffff, 2, 0x7ffc, 1], wait(5, false, true)),
            (232, [0x7f00, 128, 2, 0, 0, 0], None),
        ] {
            assert_eq!(SeenCall { nr, args }.futex(), expected, "{nr} {args:x?}");
        }
    }

    #[test]
    fn locks_say_who_has_them() {
        for (value, words, expected) in [
            (2, &[2, 0, 77, 1, 0][..], Some(77)),
            (2, &[2, 1, 77, 1, 1], Some(77)),
            // Nobody waits for it any more; it has no users; this is no kind; too little was read.
            (2, &[1, 0, 77, 1, 0], None),
            (2, &[2, 0, 77, 0, 0], None),
            (2, &[2, 0, 77, 1, 99], None),
            (2, &[2, 0, 77], None),
            (2, &[], None),
            // A semaphore.
            (0, &[0, 1, 0, 0, 0], None),
            // A robust lock.
            (0x8000_004d, &[0x8000_004d], Some(77)),
            (0x8000_004d, &[0x8000_004e], None),
            (0x8000_0000, &[0x8000_0000], None),
        ] {
            let wait = FutexWait { address: 0x7f00, value, private: true, timed: false };
            assert_eq!(wait.owner(words), expected, "{value:?} {words:x?}");
        }
    }
}
