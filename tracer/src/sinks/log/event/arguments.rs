//! How the arguments of each call are written, in one table. A call that is not in it shows no arguments.

use super::names::{self, Names};
use forkscope_proto::calls::*;

/// How one argument is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    /// A descriptor, or any other `int`.
    Int,
    /// An `unsigned int`.
    Unsigned,
    /// A length or count, 64 bits.
    Size,
    /// A number whose meaning is the call's own: hexadecimal.
    Hex,
    /// A directory's descriptor.
    Directory,
    /// A constant, by name.
    One(Names),
    /// Flags, by name.
    Flags(Names),
    /// A constant and flags beside it: the mask of the constant, its names, the flags' names.
    Both(u64, Names, Names),
    /// Permissions, where the flags in this argument make the file (open(2)); else nothing follows.
    Mode(usize),
    /// The same, whatever the flags.
    Permissions,
    /// Only where `fcntl` takes it: a number to start from.
    Minimum,
    /// Memory that is not known: `NULL` or `_`.
    Memory,
    /// The bytes transferred.
    Bytes,
    /// The bytes transferred, from several places.
    Vectors,
    /// A path.
    Path,
    /// A socket address.
    Address,
    /// One `struct epoll_event`.
    Event,
    /// The `struct epoll_event`s that came.
    Events,
    /// The two descriptors that were made.
    Pair,
    /// What follows is not known.
    Rest,
}

use Argument::*;

/// How the arguments of the call with this number are written.
pub(super) const fn of(nr: u16) -> &'static [Argument] {
    match nr {
        READ | WRITE => &[Int, Bytes, Size],
        READV | WRITEV => &[Int, Vectors, Size],
        PREADV2 | PWRITEV2 => &[Int, Vectors, Size, Rest],
        SENDTO | RECVFROM => &[Int, Bytes, Size, Flags(names::MESSAGE), Rest],
        SENDMSG | RECVMSG => &[Int, Vectors, Flags(names::MESSAGE)],
        SENDMMSG => &[Int, Vectors, Unsigned, Flags(names::MESSAGE)],
        RECVMMSG => &[Int, Vectors, Unsigned, Flags(names::MESSAGE), Rest],
        SENDFILE => &[Int, Int, Memory, Size],
        SPLICE => &[Int, Memory, Int, Memory, Size, Hex],
        OPEN => &[Path, Both(3, names::ACCESS, names::OPEN_FLAGS), Mode(1)],
        OPENAT => &[Directory, Path, Both(3, names::ACCESS, names::OPEN_FLAGS), Mode(2)],
        OPENAT2 => &[Directory, Path, Memory, Size],
        CREAT => &[Path, Permissions],
        CLOSE | DUP => &[Int],
        DUP2 => &[Int, Int],
        DUP3 => &[Int, Int, Flags(names::OPEN_FLAGS)],
        CLOSE_RANGE => &[Unsigned, Unsigned, Flags(names::CLOSE_RANGE_FLAGS)],
        FCNTL => &[Int, One(names::FCNTL_COMMANDS), Minimum],
        IOCTL => &[Int, One(names::IOCTLS)],
        PIPE => &[Pair],
        PIPE2 => &[Pair, Flags(names::OPEN_FLAGS)],
        SOCKET => &[One(names::FAMILIES), Both(0xf, names::SOCKET_TYPES, names::SOCKET_FLAGS), Int],
        SOCKETPAIR => &[One(names::FAMILIES), Both(0xf, names::SOCKET_TYPES, names::SOCKET_FLAGS), Int, Pair],
        CONNECT | BIND => &[Int, Address, Int],
        LISTEN => &[Int, Int],
        ACCEPT => &[Int, Memory, Memory],
        ACCEPT4 => &[Int, Memory, Memory, Flags(names::SOCKET_FLAGS)],
        SHUTDOWN => &[Int, One(names::SHUTDOWNS)],
        GETSOCKOPT => &[Int, One(names::LEVELS), One(names::SOCKET_OPTIONS), Memory, Memory],
        UNSHARE => &[Flags(names::CLONE_FLAGS)],
        EPOLL_CREATE => &[Int],
        EPOLL_CREATE1 | INOTIFY_INIT1 => &[Flags(names::OPEN_FLAGS)],
        EPOLL_CTL => &[Int, One(names::EPOLL_OPERATIONS), Int, Event],
        EPOLL_WAIT => &[Int, Events, Int, Int],
        EPOLL_PWAIT => &[Int, Events, Int, Int, Memory, Size],
        EPOLL_PWAIT2 => &[Int, Events, Int, Memory, Memory, Size],
        EVENTFD => &[Unsigned],
        EVENTFD2 => &[Unsigned, Flags(names::EVENTFD_FLAGS)],
        TIMERFD_CREATE => &[Int, Flags(names::OPEN_FLAGS)],
        INOTIFY_INIT => &[],
        MEMFD_CREATE => &[Memory, Hex],
        PIDFD_OPEN => &[Int, Hex],
        PIDFD_GETFD => &[Int, Int, Unsigned],
        IO_URING_SETUP => &[Unsigned, Memory],
        SIGNALFD => &[Int, Memory, Size],
        SIGNALFD4 => &[Int, Memory, Size, Flags(names::OPEN_FLAGS)],
        _ => &[Rest],
    }
}
