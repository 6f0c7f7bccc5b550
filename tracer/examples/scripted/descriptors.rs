//! Every way to make, copy, mark, pass and close a descriptor.

use crate::kernel::{at, close, close_all, connection, fails, flag, into, listener, makes, must, pair};

/// Numbers that no call gives by itself: the lowest free one stays below.
const HIGH: usize = 300;

fn copies(fd: usize) {
    for round in 0..4 {
        let copy = makes(libc::SYS_dup, &[fd]);
        must(libc::SYS_dup2, &[copy, HIGH], HIGH as i64);
        must(libc::SYS_dup3, &[copy, HIGH + 1, flag(libc::O_CLOEXEC)], HIGH as i64 + 1);
        // The number is taken: this closes what it held.
        must(libc::SYS_dup2, &[fd, HIGH], HIGH as i64);
        must(libc::SYS_dup2, &[fd, fd], fd as i64);
        let moved = HIGH + 10 + round;
        must(libc::SYS_fcntl, &[fd, flag(libc::F_DUPFD), moved], moved as i64);
        must(libc::SYS_fcntl, &[fd, flag(libc::F_DUPFD_CLOEXEC), moved], moved as i64 + 1);
        must(libc::SYS_fcntl, &[moved, flag(libc::F_SETFD), flag(libc::FD_CLOEXEC)], 0);
        must(libc::SYS_ioctl, &[moved, libc::FIONCLEX as usize], 0);
        must(libc::SYS_ioctl, &[moved, libc::FIOCLEX as usize], 0);
        close(copy);
        close(moved + 1);
    }
    must(libc::SYS_close_range, &[HIGH, HIGH + 11, 0], 0);
    must(libc::SYS_close_range, &[HIGH + 12, HIGH + 12, libc::CLOSE_RANGE_CLOEXEC as usize], 0);
    close(HIGH + 12);
    close(HIGH + 13);
    fails(libc::SYS_close, &[HIGH + 13], libc::EBADF);
}

fn other_kinds() {
    let cloexec = flag(libc::O_CLOEXEC);
    let open_how = [cloexec as u64, 0, 0];
    let null = at(b"/dev/null\0");
    let here = libc::AT_FDCWD as usize;
    let made = [
        makes(libc::SYS_open, &[null, 0]),
        makes(libc::SYS_openat, &[here, null, flag(libc::O_RDWR)]),
        makes(libc::SYS_openat2, &[here, null, at(&open_how), 24]),
        makes(libc::SYS_creat, &[null, 0o600]),
        makes(libc::SYS_eventfd2, &[0, 0]),
        makes(libc::SYS_eventfd, &[1]),
        makes(libc::SYS_timerfd_create, &[flag(libc::CLOCK_MONOTONIC), 0]),
        makes(libc::SYS_inotify_init1, &[0]),
        makes(libc::SYS_memfd_create, &[at(b"m\0"), 0]),
    ];
    let [read, write] = pair(libc::SYS_pipe, &[], 0);
    let one = 1_u64.to_ne_bytes();
    must(libc::SYS_write, &[made[4], at(&one), 8], 8);
    let mut count = [0_u8; 8];
    must(libc::SYS_read, &[made[4], into(&mut count), 8], 8);
    must(libc::SYS_write, &[write, at(&one), 8], 8);
    must(libc::SYS_read, &[read, into(&mut count), 8], 8);
    close_all(&made);
    close_all(&[read, write]);
    fails(libc::SYS_openat, &[here, at(b"/nowhere/at/all\0"), 0], libc::ENOENT);
}

fn polling([client, server]: [usize; 2]) {
    let poll = makes(libc::SYS_epoll_create1, &[flag(libc::EPOLL_CLOEXEC)]);
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 7 };
    must(libc::SYS_epoll_ctl, &[poll, flag(libc::EPOLL_CTL_ADD), server, into(&mut event)], 0);
    fails(libc::SYS_epoll_ctl, &[poll, flag(libc::EPOLL_CTL_ADD), server, into(&mut event)], libc::EEXIST);
    let mut events = [event; 4];
    for round in 0..4 {
        must(libc::SYS_epoll_wait, &[poll, into(&mut events), 4, 0], 0);
        must(libc::SYS_sendto, &[client, at(b"wake"), 4, 0, 0, 0], 4);
        let forever = usize::MAX;
        must(libc::SYS_epoll_pwait, &[poll, into(&mut events), 4, forever, 0, 8], 1);
        let mut buffer = [0_u8; 8];
        must(libc::SYS_read, &[server, into(&mut buffer), 8], 4);
        event.u64 = round;
        must(libc::SYS_epoll_ctl, &[poll, flag(libc::EPOLL_CTL_MOD), server, into(&mut event)], 0);
    }
    must(libc::SYS_epoll_ctl, &[poll, flag(libc::EPOLL_CTL_DEL), server, 0], 0);
    fails(libc::SYS_epoll_ctl, &[poll, flag(libc::EPOLL_CTL_DEL), server, 0], libc::ENOENT);
    close(poll);
}

/// Two descriptors over a socketpair, and one out of this process by its pidfd.
fn passing(socket: usize) {
    let [left, right] = pair(libc::SYS_socketpair, &[flag(libc::AF_UNIX), flag(libc::SOCK_STREAM), 0], 3);
    let null = makes(libc::SYS_open, &[at(b"/dev/null\0"), 0]);
    // struct cmsghdr (length, level, type) and two numbers, as 64-bit words: unix(7).
    let rights = u64::from(libc::SCM_RIGHTS as u32) << 32 | u64::from(libc::SOL_SOCKET as u32);
    let mut control = [24_u64, rights, (null as u64) << 32 | socket as u64];
    let mut byte = [1_u8];
    let mut vector = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    // SAFETY: all zero is a valid msghdr: no name, no vectors, no control data.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    must(libc::SYS_sendmsg, &[left, into(&mut message), 0], 1);
    must(libc::SYS_recvmsg, &[right, into(&mut message), flag(libc::MSG_CMSG_CLOEXEC)], 1);
    for shift in [0, 32] {
        close((control[2] >> shift) as usize & 0xffff_ffff);
    }
    let own = makes(libc::SYS_pidfd_open, &[std::process::id() as usize, 0]);
    let again = makes(libc::SYS_pidfd_getfd, &[own, socket, 0]);
    must(libc::SYS_shutdown, &[again, flag(libc::SHUT_RD)], 0);
    close_all(&[again, own, null, left, right]);
}

/// All of it, on one connection.
pub(crate) fn run() {
    let (listening, address) = listener();
    let ends = connection(listening, &address);
    copies(ends[0]);
    other_kinds();
    polling(ends);
    passing(ends[0]);
    close_all(&[ends[0], ends[1], listening]);
}
