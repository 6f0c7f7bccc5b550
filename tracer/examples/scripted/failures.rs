//! Calls that fail, each for a reason of its own.

use crate::kernel::{ADDRESS_LENGTH, at, bind, close, fails, flag, into, listener, loopback, makes, must};

/// A number that is never open.
const NOWHERE: usize = 900;

fn nothing_there() {
    let mut buffer = [0_u8; 8];
    let memory = into(&mut buffer);
    for number in [libc::SYS_read, libc::SYS_write] {
        fails(number, &[NOWHERE, memory, 8], libc::EBADF);
    }
    for number in [libc::SYS_sendto, libc::SYS_recvfrom] {
        fails(number, &[NOWHERE, memory, 8, 0, 0, 0], libc::EBADF);
    }
    let null = makes(libc::SYS_open, &[at(b"/dev/null\0"), flag(libc::O_RDWR)]);
    for [out, from] in [[NOWHERE, null], [null, NOWHERE], [NOWHERE, NOWHERE]] {
        fails(libc::SYS_sendfile, &[out, from, 0, 8], libc::EBADF);
        fails(libc::SYS_splice, &[from, 0, out, 0, 8, 0], libc::EBADF);
    }
    close(null);
    for number in [libc::SYS_close, libc::SYS_dup] {
        fails(number, &[NOWHERE], libc::EBADF);
    }
    fails(libc::SYS_close, &[usize::MAX], libc::EBADF);
    fails(libc::SYS_shutdown, &[usize::MAX, flag(libc::SHUT_RDWR)], libc::EBADF);
    fails(libc::SYS_dup2, &[NOWHERE, 310], libc::EBADF);
    fails(libc::SYS_dup3, &[0, 0, 0], libc::EINVAL);
    fails(libc::SYS_fcntl, &[NOWHERE, flag(libc::F_DUPFD), 0], libc::EBADF);
    fails(libc::SYS_accept4, &[NOWHERE, 0, 0, 0], libc::EBADF);
    fails(libc::SYS_epoll_wait, &[NOWHERE, memory, 1, 0], libc::EBADF);
    fails(libc::SYS_socket, &[99, 0, 0], libc::EAFNOSUPPORT);
}

fn no_socket() {
    let null = makes(libc::SYS_open, &[at(b"/dev/null\0"), flag(libc::O_RDWR)]);
    let text = at(b"lost");
    fails(libc::SYS_sendto, &[null, text, 4, flag(libc::MSG_NOSIGNAL), 0, 0], libc::ENOTSOCK);
    fails(libc::SYS_recvfrom, &[null, text, 4, 0, 0, 0], libc::ENOTSOCK);
    fails(libc::SYS_connect, &[null, at(&loopback(9)), ADDRESS_LENGTH], libc::ENOTSOCK);
    fails(libc::SYS_shutdown, &[null, flag(libc::SHUT_RDWR)], libc::ENOTSOCK);
    fails(libc::SYS_listen, &[null, 1], libc::ENOTSOCK);
    let mut error = [0_u32, 4];
    let [value, length] = [into(&mut error[0]), into(&mut error[1])];
    let so_error = [null, flag(libc::SOL_SOCKET), flag(libc::SO_ERROR), value, length];
    fails(libc::SYS_getsockopt, &so_error, libc::ENOTSOCK);
    fails(libc::SYS_epoll_wait, &[null, value, 1, 0], libc::EINVAL);
    close(null);
}

fn wrong_state() {
    let stream = [flag(libc::AF_INET), flag(libc::SOCK_STREAM), 0];
    let (listening, address) = listener();
    let other = makes(libc::SYS_socket, &stream);
    fails(libc::SYS_bind, &[other, at(&address), ADDRESS_LENGTH], libc::EADDRINUSE);
    fails(libc::SYS_shutdown, &[other, flag(libc::SHUT_RDWR)], libc::ENOTCONN);
    fails(libc::SYS_accept4, &[other, 0, 0, 0], libc::EINVAL);
    fails(libc::SYS_sendto, &[other, at(b"x"), 1, flag(libc::MSG_NOSIGNAL), 0, 0], libc::EPIPE);
    close(other);
    // A new one: a shutdown that failed counts all the same (net/ipv4/af_inet.c, inet_shutdown).
    let other = makes(libc::SYS_socket, &stream);
    must(libc::SYS_connect, &[other, at(&address), ADDRESS_LENGTH], 0);
    fails(libc::SYS_connect, &[other, at(&address), ADDRESS_LENGTH], libc::EISCONN);
    // An address that the program may not read.
    fails(libc::SYS_sendto, &[other, 8, 16, flag(libc::MSG_NOSIGNAL), 0, 0], libc::EFAULT);
    close(other);
    close(listening);
    // Bound, not listening: refused.
    let bound = makes(libc::SYS_socket, &stream);
    let closed = bind(bound);
    let refused = makes(libc::SYS_socket, &stream);
    fails(libc::SYS_connect, &[refused, at(&closed), ADDRESS_LENGTH], libc::ECONNREFUSED);
    let mut error = [0_u32, 4];
    let [value, length] = [into(&mut error[0]), into(&mut error[1])];
    must(libc::SYS_getsockopt, &[refused, flag(libc::SOL_SOCKET), flag(libc::SO_ERROR), value, length], 0);
    close(refused);
    close(bound);
}

/// All of it.
pub(crate) fn run() {
    nothing_there();
    no_socket();
    wrong_state();
}
