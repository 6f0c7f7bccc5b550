//! Every way to move bytes through a socket, over TCP, UDP and a socketpair.

use crate::kernel::{
    ADDRESS_LENGTH, at, bind, close, close_all, connection, fails, flag, into, listener, makes, must, pair,
};

const TEXT: &[u8] = b"all that is said";

fn vector(bytes: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
}

fn writable(bytes: &mut [u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() }
}

fn message(vectors: &mut [libc::iovec]) -> libc::msghdr {
    // SAFETY: all zero is a valid msghdr: no name, no vectors, no control data.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = vectors.as_mut_ptr();
    message.msg_iovlen = vectors.len();
    message
}

/// Sends and receives on one connection of two descriptors, in each form.
fn streams([from, to]: [usize; 2]) {
    let mut buffer = [0_u8; 64];
    let length = TEXT.len();
    let whole = length as i64;
    for round in 1..=3 {
        must(libc::SYS_write, &[from, at(TEXT), length], whole);
        must(libc::SYS_read, &[to, into(&mut buffer), buffer.len()], whole);
        must(libc::SYS_sendto, &[from, at(TEXT), round, flag(libc::MSG_NOSIGNAL), 0, 0], round as i64);
        must(
            libc::SYS_recvfrom,
            &[to, into(&mut buffer), round, flag(libc::MSG_WAITALL), 0, 0],
            round as i64,
        );
        fails(libc::SYS_recvfrom, &[to, into(&mut buffer), 8, flag(libc::MSG_DONTWAIT), 0, 0], libc::EAGAIN);
    }
    let mut two = [vector(TEXT), vector(&TEXT[..5])];
    let both = whole + 5;
    must(libc::SYS_writev, &[from, at(&two), 2], both);
    let mut halves = [[0_u8; 16], [0_u8; 16]];
    let mut into_halves = halves.each_mut().map(|half| writable(half));
    must(libc::SYS_readv, &[to, at(&into_halves), 2], both);
    let mut sent = message(&mut two);
    must(libc::SYS_sendmsg, &[from, into(&mut sent), flag(libc::MSG_NOSIGNAL)], both);
    let mut received = message(&mut into_halves);
    must(libc::SYS_recvmsg, &[to, into(&mut received), 0], both);
}

fn datagrams() {
    let udp = [flag(libc::AF_INET), flag(libc::SOCK_DGRAM | libc::SOCK_CLOEXEC), 0];
    let to = makes(libc::SYS_socket, &udp);
    let address = bind(to);
    let from = makes(libc::SYS_socket, &udp);
    must(libc::SYS_connect, &[from, at(&address), ADDRESS_LENGTH], 0);
    let mut vectors = [vector(TEXT)];
    let one = libc::mmsghdr { msg_hdr: message(&mut vectors), msg_len: 0 };
    let mut messages = [one; 3];
    must(libc::SYS_sendmmsg, &[from, into(&mut messages), 3, 0], 3);
    let mut memory = [0_u8; 64];
    let mut vectors = [writable(&mut memory)];
    let mut messages = [libc::mmsghdr { msg_hdr: message(&mut vectors), msg_len: 0 }; 3];
    must(libc::SYS_recvmmsg, &[to, into(&mut messages), 3, 0, 0], 3);
    must(libc::SYS_sendto, &[to, at(TEXT), 4, 0, at(&address), ADDRESS_LENGTH], 4);
    // Truncated: the result is what fitted.
    let mut buffer = [0_u8; 2];
    must(libc::SYS_recvfrom, &[to, into(&mut buffer), 2, 0, 0, 0], 2);
    close(from);
    close(to);
}

/// Bytes that never pass through user memory: file to socket, socket to pipe to socket.
fn inside_the_kernel([from, to]: [usize; 2]) {
    let file = makes(libc::SYS_memfd_create, &[at(b"file\0"), 0]);
    must(libc::SYS_write, &[file, at(TEXT), TEXT.len()], TEXT.len() as i64);
    let mut start = 0_i64;
    must(libc::SYS_sendfile, &[from, file, into(&mut start), 10], 10);
    let [read, write] = pair(libc::SYS_pipe2, &[flag(libc::O_CLOEXEC)], 0);
    must(libc::SYS_splice, &[to, 0, write, 0, 10, 0], 10);
    must(libc::SYS_splice, &[read, 0, to, 0, 10, 0], 10);
    let mut buffer = [0_u8; 16];
    must(libc::SYS_recvfrom, &[from, into(&mut buffer), 10, flag(libc::MSG_WAITALL), 0, 0], 10);
    close_all(&[file, read, write]);
}

/// All of it, with the ends of the connections.
pub(crate) fn run() {
    let (listening, address) = listener();
    let tcp = connection(listening, &address);
    let unix = pair(libc::SYS_socketpair, &[flag(libc::AF_UNIX), flag(libc::SOCK_STREAM), 0], 3);
    for ends in [tcp, unix] {
        streams(ends);
        streams([ends[1], ends[0]]);
    }
    datagrams();
    inside_the_kernel(tcp);
    let mut buffer = [0_u8; 4];
    for [from, to] in [tcp, unix] {
        must(libc::SYS_shutdown, &[from, flag(libc::SHUT_WR)], 0);
        must(libc::SYS_read, &[to, into(&mut buffer), 4], 0);
        fails(libc::SYS_sendto, &[from, at(TEXT), 4, flag(libc::MSG_NOSIGNAL), 0, 0], libc::EPIPE);
        close(to);
        close(from);
    }
    close(listening);
}
