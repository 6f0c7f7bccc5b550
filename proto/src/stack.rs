//! Where in its program a thread was: registers, and the top of its stack as bytes.
//!
//! The stack is copied, not walked: most distributions compile without frame pointers, so that a walk along
//! them loses or invents frames. What the bytes mean, user space reads from the unwind tables of the
//! program's files, and only where somebody wants to know.

use crate::arguments::is_news;
use crate::calls;
use crate::header::Header;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a thread was doing when its stack was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum StackAt {
    /// It was about to make a process.
    Fork = 1,
    /// It had called `connect`.
    Connect = 2,
    /// A call of it had failed.
    Failed = 3,
}

impl StackAt {
    /// The one with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Fork),
            2 => Some(Self::Connect),
            3 => Some(Self::Failed),
            _ => None,
        }
    }
}

/// The stack of a thread in a system call; the payload is the memory from `sp` on, as far as it was read.
///
/// That of a call that has ended comes right before the call's record, and has its thread and its time. That
/// of a fork is taken at the call's entry, before the fork.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Stack {
    /// The head.
    pub header: Header,
    /// Where the thread goes on after the call (x86-64's `rip`).
    pub ip: u64,
    /// The top of its stack (`rsp`).
    pub sp: u64,
    /// Its frame pointer (`rbp`), or whatever the program keeps there.
    pub bp: u64,
    /// A [`StackAt`] as its number.
    pub at: u32,
    /// The descriptor of the call; -1: none.
    pub fd: i32,
}

impl Stack {
    /// Bytes that are copied, at most.
    pub const MOST: usize = 8192;
    /// Bytes that are copied at once: where the stack's memory ends, less is lost than with one copy of all.
    pub const PIECE: usize = 512;

    /// What to take a stack for when a call has ended.
    #[inline(always)]
    #[must_use]
    pub fn wanted(number: u16, ret: i64) -> Option<StackAt> {
        match is_news(number, ret) {
            false => None,
            true if number == calls::CONNECT => Some(StackAt::Connect),
            true => Some(StackAt::Failed),
        }
    }
}

crate::layout!(Stack, 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_taken_for_connects_and_failures_worth_it() {
        for (number, ret, wanted) in [
            (calls::CONNECT, 0, Some(StackAt::Connect)),
            (calls::CONNECT, -115, Some(StackAt::Connect)),
            (calls::SENDTO, -88, Some(StackAt::Failed)),
            (calls::WRITE, -32, Some(StackAt::Failed)),
            (calls::SENDTO, 5, None),
            (calls::RECVFROM, -11, None),
            (calls::EPOLL_WAIT, -4, None),
            (calls::EPOLL_WAIT, -9, Some(StackAt::Failed)),
            (calls::CLOSE, -9, None),
            (calls::OPENAT, -2, None),
        ] {
            assert_eq!(Stack::wanted(number, ret), wanted, "{number} {ret}");
        }
    }

    #[test]
    fn the_numbers_of_places_are_read_back() {
        for at in [StackAt::Fork, StackAt::Connect, StackAt::Failed] {
            assert_eq!(StackAt::from_number(at as u32), Some(at));
        }
        assert_eq!(StackAt::from_number(0), None);
    }
}
