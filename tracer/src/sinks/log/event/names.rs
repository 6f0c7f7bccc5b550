//! Names of constants, as strace writes them: libc's values, by their own names.

/// Values and their names.
pub(super) type Names = &'static [(u64, &'static str)];

macro_rules! names {
    ($($(#[$doc:meta])* $table:ident: $($name:ident)*;)*) => {
        $($(#[$doc])* pub(super) const $table: Names = &[$((libc::$name as u64, stringify!($name)),)*];)*
    };
}

names! {
    /// How a file may be used (open(2)).
    ACCESS: O_RDONLY O_WRONLY O_RDWR;
    /// Flags beside it. A name whose bits include another's comes first.
    OPEN_FLAGS: O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC O_DSYNC O_DIRECT O_TMPFILE O_DIRECTORY
        O_NOFOLLOW O_NOATIME O_CLOEXEC O_PATH;
    /// send(2), recv(2).
    MESSAGE: MSG_OOB MSG_PEEK MSG_DONTROUTE MSG_CTRUNC MSG_TRUNC MSG_DONTWAIT MSG_EOR MSG_WAITALL MSG_CONFIRM
        MSG_ERRQUEUE MSG_NOSIGNAL MSG_MORE MSG_WAITFORONE MSG_FASTOPEN MSG_CMSG_CLOEXEC;
    /// socket(2).
    FAMILIES: AF_UNSPEC AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_VSOCK AF_ALG;
    /// socket(2).
    SOCKET_TYPES: SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET;
    /// socket(2), accept4(2).
    SOCKET_FLAGS: SOCK_CLOEXEC SOCK_NONBLOCK;
    /// shutdown(2).
    SHUTDOWNS: SHUT_RD SHUT_WR SHUT_RDWR;
    /// getsockopt(2).
    LEVELS: SOL_SOCKET;
    /// socket(7).
    SOCKET_OPTIONS: SO_ERROR;
    /// The commands of fcntl(2) that are traced.
    FCNTL_COMMANDS: F_DUPFD F_DUPFD_CLOEXEC F_SETFD;
    /// fcntl(2).
    DESCRIPTOR_FLAGS: FD_CLOEXEC;
    /// The commands of ioctl(2) that are traced.
    IOCTLS: FIOCLEX FIONCLEX;
    /// close_range(2).
    CLOSE_RANGE_FLAGS: CLOSE_RANGE_UNSHARE CLOSE_RANGE_CLOEXEC;
    /// epoll_ctl(2).
    EPOLL_OPERATIONS: EPOLL_CTL_ADD EPOLL_CTL_DEL EPOLL_CTL_MOD;
    /// epoll_ctl(2).
    EPOLL_EVENTS: EPOLLIN EPOLLPRI EPOLLOUT EPOLLERR EPOLLHUP EPOLLRDNORM EPOLLRDBAND EPOLLWRNORM EPOLLWRBAND
        EPOLLMSG EPOLLRDHUP EPOLLEXCLUSIVE EPOLLWAKEUP EPOLLONESHOT;
    /// eventfd(2).
    EVENTFD_FLAGS: EFD_SEMAPHORE EFD_CLOEXEC EFD_NONBLOCK;
    /// clone(2), without those that only say where to write numbers.
    CLONE_FLAGS: CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD CLONE_PTRACE CLONE_VFORK CLONE_PARENT
        CLONE_THREAD CLONE_NEWNS CLONE_SYSVSEM CLONE_UNTRACED CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC
        CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO;
}
