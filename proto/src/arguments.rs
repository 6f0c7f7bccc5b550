//! What the arguments of a call say, for every source that reads calls by the table.

use crate::process::CLONE_FILES;
use crate::{Capture, Gate, Shape, Spec, calls};

/// `fcntl(F_DUPFD)` (fcntl(2)).
pub const F_DUPFD: u64 = 0;
/// `fcntl(F_SETFD)`.
pub const F_SETFD: u64 = 2;
/// `fcntl(F_DUPFD_CLOEXEC)`.
pub const F_DUPFD_CLOEXEC: u64 = 1030;
/// `ioctl(FIONCLEX)` (ioctl_fioclex(2)).
pub const FIONCLEX: u64 = 0x5450;
/// `ioctl(FIOCLEX)`.
pub const FIOCLEX: u64 = 0x5451;
/// `close_range(CLOSE_RANGE_UNSHARE)` (close_range(2)).
pub const CLOSE_RANGE_UNSHARE: u64 = 2;
/// `close_range(CLOSE_RANGE_CLOEXEC)`.
pub const CLOSE_RANGE_CLOEXEC: u64 = 4;
/// `epoll_ctl(EPOLL_CTL_ADD)` (epoll_ctl(2)).
pub const EPOLL_CTL_ADD: u64 = 1;
/// `epoll_ctl(EPOLL_CTL_DEL)`.
pub const EPOLL_CTL_DEL: u64 = 2;
/// `epoll_ctl(EPOLL_CTL_MOD)`.
pub const EPOLL_CTL_MOD: u64 = 3;
/// Bytes of a `struct epoll_event`: on x86-64 packed, the events before the data (`EPOLL_PACKED`,
/// include/uapi/linux/eventpoll.h).
pub const EPOLL_EVENT: usize = 12;
/// `SOL_SOCKET` of getsockopt(2), and of control messages (cmsg(3)).
pub const SOL_SOCKET: u64 = 1;
/// `SO_ERROR` of socket(7).
pub const SO_ERROR: u64 = 4;
/// `SCM_RIGHTS` of unix(7).
pub const SCM_RIGHTS: u64 = 1;
/// `EBADF` of errno(3), as calls return it.
pub const EBADF: i64 = -9;
const EINTR: i64 = -4;
const EAGAIN: i64 = -11;
const ENOTSOCK: i64 = -88;
/// What a call returns in the kernel that a signal interrupts, before it begins again or fails with `EINTR`:
/// from `ERESTARTSYS` to `ERESTART_RESTARTBLOCK` (include/linux/errno.h, Linux 6.18).
const RESTARTS_FIRST: i64 = -512;
const RESTARTS_LAST: i64 = -516;

impl Gate {
    /// Whether the arguments make the call worth a record. What is behind its descriptors is not asked here.
    #[inline(always)]
    pub fn wants(self, arg: impl Fn(u8) -> u64) -> bool {
        match self {
            Self::Always | Self::Endpoint | Self::EitherSocket => true,
            Self::Fcntl => matches!(arg(1), F_DUPFD | F_SETFD | F_DUPFD_CLOEXEC),
            Self::Ioctl => matches!(arg(1), FIOCLEX | FIONCLEX),
            Self::SockError => arg(1) == SOL_SOCKET && arg(2) == SO_ERROR,
            Self::UnshareFiles => arg(0) & CLONE_FILES != 0,
        }
    }

    /// Whether a call behind this gate makes a descriptor beside the one that it names: an
    /// `fcntl` that duplicates.
    #[inline(always)]
    pub fn duplicates(self, operation: u64) -> bool {
        matches!(self, Self::Fcntl) && matches!(operation, F_DUPFD | F_DUPFD_CLOEXEC)
    }
}

/// Whether a call that has ended with `ret` is part of an event loop's every turn: a wait on an epoll
/// instance, whatever it brought, or a receive that found nothing.
#[inline(always)]
pub fn is_routine(spec: &Spec, ret: i64) -> bool {
    match spec.shape {
        Shape::Receive => ret == EAGAIN,
        Shape::Plain => matches!(spec.capture, Capture::Events) && ret >= 0,
        _ => false,
    }
}

/// Whether a call that has ended with `ret` may have moved what an eventfd counts (eventfd(2)). An event loop
/// is woken so, and where nobody else has the eventfd, by its own process alone: that is routine, too.
#[inline(always)]
pub fn may_wake_itself(spec: &Spec, ret: i64) -> bool {
    matches!(spec.gate, Gate::Endpoint) && ret == size_of::<u64>() as i64
}

/// Whether it is news that a call has ended with `ret`: it connects, or failed so that a finding can be about
/// it. Failures of every day are none: nothing there yet, interrupted, a path that is not there.
#[inline(always)]
pub const fn is_news(number: u16, ret: i64) -> bool {
    // Many programs close numbers that they never opened.
    let is_cleaning = matches!(number, calls::CLOSE | calls::CLOSE_RANGE) && ret == EBADF;
    let names_path = matches!(number, calls::OPEN | calls::OPENAT | calls::OPENAT2 | calls::CREAT);
    let goes_on = matches!(ret, EAGAIN | EINTR | RESTARTS_LAST..=RESTARTS_FIRST);
    number == calls::CONNECT || (ret < 0 && !goes_on && !is_cleaning && !names_path)
}

/// Whether user space may have to hear at once that a call has ended with `ret`: told by less, for
/// what most calls come to.
#[inline(always)]
pub const fn may_be_urgent(number: u16, ret: i64) -> bool {
    ret < 0 || number == calls::CONNECT || makes_ring(number, ret)
}

/// Whether a call has made an io_uring. From then on user space has transfers watched that no call shows.
#[inline(always)]
pub const fn makes_ring(number: u16, ret: i64) -> bool {
    number == calls::IO_URING_SETUP && ret >= 0
}

/// Whether a call failed in a way that a descriptor which a fork handler has closed may be the reason for: a
/// socket's call, or a wait, on what is no such thing any more, or on nothing. Calls that healthy programs
/// make on closed numbers (close, read, write, shutdown) are not among them.
#[inline(always)]
pub fn may_be_stale(number: u16, ret: i64) -> bool {
    matches!(ret, EBADF | ENOTSOCK)
        && matches!(
            number,
            calls::SENDTO
                | calls::SENDMSG
                | calls::SENDMMSG
                | calls::RECVFROM
                | calls::RECVMSG
                | calls::RECVMMSG
                | calls::CONNECT
                | calls::ACCEPT
                | calls::ACCEPT4
                | calls::EPOLL_WAIT
                | calls::EPOLL_PWAIT
                | calls::EPOLL_PWAIT2
        )
}

/// The `MSG_*` flags given to a transfer.
#[inline(always)]
pub fn transfer_flags(number: u16, arg: impl Fn(u8) -> u64) -> u64 {
    match number {
        calls::SENDTO | calls::RECVFROM | calls::SENDMMSG | calls::RECVMMSG => arg(3),
        calls::SENDMSG | calls::RECVMSG => arg(2),
        _ => 0,
    }
}

/// What a transfer asked for: see [`crate::Io::len`].
#[inline(always)]
pub fn transfer_length(capture: Capture, arg: impl Fn(u8) -> u64) -> u64 {
    match capture {
        Capture::Message => 1,
        _ => arg(2),
    }
}

/// How many bytes of a transfer to take, where `capture` is the most: those that moved; of a send that failed
/// what it meant to send; nothing of a receive that failed.
#[inline(always)]
pub fn worth_taking(capture: Capture, sent: bool, ret: i64, most: u32) -> u32 {
    if ret > 0 && !matches!(capture, Capture::Messages) {
        (ret as u64).min(u64::from(most)) as u32
    } else if sent || ret > 0 {
        most
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_connects_and_failures_that_a_finding_can_be_about() {
        for (number, ret, wanted) in [
            (calls::CONNECT, 0, true),
            (calls::CONNECT, -115, true),
            (calls::SENDTO, ENOTSOCK, true),
            (calls::WRITE, -32, true),
            (calls::EPOLL_WAIT, EBADF, true),
            (calls::SENDTO, 5, false),
            (calls::ACCEPT, 3, false),
            (calls::RECVFROM, EAGAIN, false),
            (calls::EPOLL_WAIT, EINTR, false),
            (calls::RECVFROM, -511, true),
            (calls::RECVFROM, RESTARTS_FIRST, false),
            (calls::READ, -514, false),
            (calls::READ, RESTARTS_LAST, false),
            (calls::RECVFROM, -517, true),
            (calls::CLOSE, EBADF, false),
            (calls::CLOSE_RANGE, EBADF, false),
            (calls::CLOSE, -5, true),
            (calls::OPENAT, -2, false),
            (calls::CREAT, -13, false),
        ] {
            assert_eq!(is_news(number, ret), wanted, "{number} {ret}");
            assert!(may_be_urgent(number, ret) || !wanted, "{number} {ret}");
        }
    }

    #[test]
    fn gates_ask_the_arguments() {
        for (gate, args, wants) in [
            (Gate::Fcntl, [3, F_SETFD, 1], true),
            (Gate::Fcntl, [3, 3, 0], false),
            (Gate::Ioctl, [3, FIOCLEX, 0], true),
            (Gate::Ioctl, [3, 0x5401, 0], false),
            (Gate::SockError, [3, SOL_SOCKET, SO_ERROR], true),
            (Gate::SockError, [3, SOL_SOCKET, 2], false),
            (Gate::UnshareFiles, [CLONE_FILES | 0x2000_0000, 0, 0], true),
            (Gate::UnshareFiles, [0x2000_0000, 0, 0], false),
            (Gate::Endpoint, [0; 3], true),
        ] {
            assert_eq!(gate.wants(|at| args[usize::from(at)]), wants, "{gate:?} {args:?}");
        }
        assert!(Gate::Fcntl.duplicates(F_DUPFD) && !Gate::Fcntl.duplicates(F_SETFD));
    }

    #[test]
    fn routine_are_waits_and_receives_that_find_nothing() {
        for (number, ret, routine) in [
            (calls::EPOLL_WAIT, 0, true),
            (calls::EPOLL_PWAIT2, 3, true),
            (calls::EPOLL_WAIT, EBADF, false),
            (calls::EPOLL_WAIT, EINTR, false),
            (calls::EPOLL_CTL, 0, false),
            (calls::RECVMSG, EAGAIN, true),
            (calls::READ, EAGAIN, true),
            (calls::RECVMSG, 0, false),
            (calls::RECVMSG, 9, false),
            (calls::RECVFROM, EBADF, false),
            (calls::SENDMSG, EAGAIN, false),
            (calls::ACCEPT4, EAGAIN, false),
        ] {
            assert_eq!(is_routine(&calls::SPECS[usize::from(number)], ret), routine, "{number} {ret}");
        }
    }

    #[test]
    fn an_eventfd_is_read_and_written_as_a_file_eight_bytes_at_once() {
        for (number, ret, may) in [
            (calls::READ, 8, true),
            (calls::WRITE, 8, true),
            (calls::WRITEV, 8, true),
            (calls::READ, 1, false),
            (calls::READ, EAGAIN, false),
            (calls::RECVFROM, 8, false),
            (calls::SENDTO, 8, false),
            (calls::EPOLL_WAIT, 8, false),
        ] {
            assert_eq!(may_wake_itself(&calls::SPECS[usize::from(number)], ret), may, "{number} {ret}");
        }
    }

    #[test]
    fn a_failed_send_is_worth_its_bytes_and_a_failed_receive_none() {
        for (capture, sent, ret, taken) in [
            (Capture::Buffer, true, 5, 5),
            (Capture::Buffer, true, 500, 256),
            (Capture::Buffer, true, -88, 256),
            (Capture::Buffer, false, -11, 0),
            (Capture::Buffer, false, 0, 0),
            (Capture::Messages, false, 2, 256),
        ] {
            assert_eq!(worth_taking(capture, sent, ret, 256), taken, "{capture:?} {sent} {ret}");
        }
    }
}
