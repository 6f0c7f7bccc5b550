//! The kernel's own interface: one function for all calls, and what they need as memory.

use std::io::Error;

/// An address of 127.0.0.1, as the kernel takes it.
pub(crate) type Address = libc::sockaddr_in;

/// Length of an [`Address`] in bytes.
pub(crate) const ADDRESS_LENGTH: usize = size_of::<Address>();

/// Makes one system call: its result, or minus the errno.
pub(crate) fn sys(number: i64, arguments: &[usize]) -> i64 {
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    let [a, b, c, d, e, f] = all;
    // SAFETY: every caller passes numbers, or addresses of values that live across the call and are as
    // long as it says; the kernel answers EFAULT to any other.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result == -1 { -i64::from(Error::last_os_error().raw_os_error().unwrap_or(0)) } else { result }
}

/// Makes a call that must give this: a program that did something else would prove nothing.
#[track_caller]
pub(crate) fn must(number: i64, arguments: &[usize], result: i64) {
    assert_eq!(sys(number, arguments), result, "call {number} {arguments:?}");
}

/// Makes a call that must fail with this errno.
#[track_caller]
pub(crate) fn fails(number: i64, arguments: &[usize], errno: i32) {
    must(number, arguments, -i64::from(errno));
}

/// Makes a call that must give a descriptor.
#[track_caller]
pub(crate) fn makes(number: i64, arguments: &[usize]) -> usize {
    let result = sys(number, arguments);
    usize::try_from(result).unwrap_or_else(|_| panic!("call {number} {arguments:?} = {result}"))
}

/// Closes a descriptor that is open.
#[track_caller]
pub(crate) fn close(fd: usize) {
    must(libc::SYS_close, &[fd], 0);
}

/// Closes descriptors that are open.
#[track_caller]
pub(crate) fn close_all(fds: &[usize]) {
    for fd in fds {
        close(*fd);
    }
}

/// The address of a value, as an argument.
pub(crate) fn at<T: ?Sized>(value: &T) -> usize {
    std::ptr::from_ref(value).cast::<u8>().addr()
}

/// The address of a value that the kernel writes.
pub(crate) fn into<T: ?Sized>(value: &mut T) -> usize {
    std::ptr::from_mut(value).cast::<u8>().expose_provenance()
}

/// Makes a flag or constant an argument.
pub(crate) fn flag(value: i32) -> usize {
    usize::try_from(value).expect("flags are not negative")
}

/// 127.0.0.1 with this port, in network byte order.
pub(crate) fn loopback(port: u16) -> Address {
    Address {
        sin_family: libc::AF_INET as u16,
        sin_port: port,
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    }
}

/// Two descriptors from a call that writes a pair to its argument at this place.
#[track_caller]
pub(crate) fn pair(number: i64, arguments: &[usize], place: usize) -> [usize; 2] {
    let mut pair = [0_i32; 2];
    let mut all = arguments.to_vec();
    all.insert(place, into(&mut pair));
    must(number, &all, 0);
    pair.map(flag)
}

/// A listening socket on a free port, and its address.
pub(crate) fn listener() -> (usize, Address) {
    let fd = makes(libc::SYS_socket, &[flag(libc::AF_INET), flag(libc::SOCK_STREAM), 0]);
    let address = bind(fd);
    must(libc::SYS_listen, &[fd, 8], 0);
    (fd, address)
}

/// Binds to a free port: the address.
pub(crate) fn bind(fd: usize) -> Address {
    must(libc::SYS_bind, &[fd, at(&loopback(0)), ADDRESS_LENGTH], 0);
    let mut address = loopback(0);
    let mut length = ADDRESS_LENGTH as u32;
    must(libc::SYS_getsockname, &[fd, into(&mut address), into(&mut length)], 0);
    address
}

/// A connection to this process itself: client's and server's descriptor.
pub(crate) fn connection(listener: usize, address: &Address) -> [usize; 2] {
    let client = makes(libc::SYS_socket, &[flag(libc::AF_INET), flag(libc::SOCK_STREAM), 0]);
    must(libc::SYS_connect, &[client, at(address), ADDRESS_LENGTH], 0);
    let server = makes(libc::SYS_accept4, &[listener, 0, 0, flag(libc::SOCK_CLOEXEC)]);
    [client, server]
}
