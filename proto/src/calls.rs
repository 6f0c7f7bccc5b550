//! The traced system calls of x86-64, in one table (arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.18).
//!
//! To trace another call, add its line here; if it changes descriptors, teach the model its effect.

use crate::spec::{Capture::*, Enter::*, Gate::*, Produces, Shape, Spec};

macro_rules! calls {
    ($($constant:ident $number:literal $name:literal $spec:expr;)*) => {
        $(
            #[doc = concat!("Number of `", $name, "`.")]
            pub const $constant: u16 = $number;
        )*

        /// How each call is read, indexed by its number.
        pub const SPECS: [Spec; TABLE] = {
            let mut table = [Spec::IGNORED; TABLE];
            $( table[$number] = $spec; )*
            table
        };

        /// The call's name, if it is in the table.
        #[must_use]
        pub const fn name(number: u16) -> Option<&'static str> {
            match number {
                $( $number => Some($name), )*
                _ => None,
            }
        }
    };
}

/// Length of [`SPECS`]: a power of two above the highest call number.
pub const TABLE: usize = 512;

calls! {
    READ 0 "read" Spec::receive(Buffer).gate(Endpoint);
    WRITE 1 "write" Spec::send(Buffer).gate(Endpoint);
    OPEN 2 "open" Spec::makes_fd().capture(Path0);
    CLOSE 3 "close" Spec::on_fd().enter(Target);
    IOCTL 16 "ioctl" Spec::on_fd().gate(Ioctl);
    READV 19 "readv" Spec::receive(Vectors).gate(Endpoint);
    WRITEV 20 "writev" Spec::send(Vectors).gate(Endpoint);
    PIPE 22 "pipe" Spec::on_fd().produces(Produces::Pair0);
    DUP 32 "dup" Spec::on_fd().enter(Time).produces(Produces::Other);
    DUP2 33 "dup2" Spec::on_fd().enter(Replaced).produces(Produces::Other);
    SENDFILE 40 "sendfile" Spec { shape: Shape::Transfer, ..Spec::on_fd() }.other(1).gate(EitherSocket);
    SOCKET 41 "socket" Spec::makes_fd().changes_socket();
    CONNECT 42 "connect" Spec::on_fd().capture(Address).enter(Blocking).changes_socket();
    ACCEPT 43 "accept" Spec::on_fd().enter(Blocking).produces(Produces::Other).changes_socket();
    SENDTO 44 "sendto" Spec::send(Buffer);
    RECVFROM 45 "recvfrom" Spec::receive(Buffer);
    SENDMSG 46 "sendmsg" Spec::send(Message);
    RECVMSG 47 "recvmsg" Spec::receive(Message);
    SHUTDOWN 48 "shutdown" Spec::on_fd();
    BIND 49 "bind" Spec::on_fd().capture(Address).changes_socket();
    LISTEN 50 "listen" Spec::on_fd().changes_socket();
    SOCKETPAIR 53 "socketpair" Spec::on_fd().produces(Produces::Pair3).changes_socket();
    GETSOCKOPT 55 "getsockopt" Spec::on_fd().gate(SockError);
    CLONE 56 "clone" Spec::IGNORED.enter(Time);
    FORK 57 "fork" Spec::IGNORED.enter(Time);
    VFORK 58 "vfork" Spec::IGNORED.enter(Time);
    FCNTL 72 "fcntl" Spec::on_fd().enter(Time).gate(Fcntl);
    CREAT 85 "creat" Spec::makes_fd().capture(Path0);
    EPOLL_CREATE 213 "epoll_create" Spec::makes_fd();
    EPOLL_WAIT 232 "epoll_wait" Spec::on_fd().capture(Events).enter(Blocking);
    EPOLL_CTL 233 "epoll_ctl" Spec::on_fd().capture(Event).other(2);
    MQ_OPEN 240 "mq_open" Spec::makes_fd();
    INOTIFY_INIT 253 "inotify_init" Spec::makes_fd();
    OPENAT 257 "openat" Spec::makes_fd().capture(Path1);
    UNSHARE 272 "unshare" Spec { shape: Shape::Plain, ..Spec::IGNORED }.gate(UnshareFiles);
    SPLICE 275 "splice" Spec { shape: Shape::Transfer, ..Spec::on_fd() }.other(2).gate(EitherSocket);
    EPOLL_PWAIT 281 "epoll_pwait" Spec::on_fd().capture(Events).enter(Blocking);
    SIGNALFD 282 "signalfd" Spec::makes_fd();
    TIMERFD_CREATE 283 "timerfd_create" Spec::makes_fd();
    EVENTFD 284 "eventfd" Spec::makes_fd();
    ACCEPT4 288 "accept4" Spec::on_fd().enter(Blocking).produces(Produces::Other).changes_socket();
    SIGNALFD4 289 "signalfd4" Spec::makes_fd();
    EVENTFD2 290 "eventfd2" Spec::makes_fd();
    EPOLL_CREATE1 291 "epoll_create1" Spec::makes_fd();
    DUP3 292 "dup3" Spec::on_fd().enter(Replaced).produces(Produces::Other);
    PIPE2 293 "pipe2" Spec::on_fd().produces(Produces::Pair0);
    INOTIFY_INIT1 294 "inotify_init1" Spec::makes_fd();
    PERF_EVENT_OPEN 298 "perf_event_open" Spec::makes_fd();
    RECVMMSG 299 "recvmmsg" Spec::receive(Messages);
    FANOTIFY_INIT 300 "fanotify_init" Spec::makes_fd();
    OPEN_BY_HANDLE_AT 304 "open_by_handle_at" Spec::makes_fd();
    SENDMMSG 307 "sendmmsg" Spec::send(Messages);
    MEMFD_CREATE 319 "memfd_create" Spec::makes_fd();
    USERFAULTFD 323 "userfaultfd" Spec::makes_fd();
    PREADV2 327 "preadv2" Spec::receive(Vectors).gate(Endpoint);
    PWRITEV2 328 "pwritev2" Spec::send(Vectors).gate(Endpoint);
    IO_URING_SETUP 425 "io_uring_setup" Spec::makes_fd();
    IO_URING_ENTER 426 "io_uring_enter" Spec::IGNORED;
    OPEN_TREE 428 "open_tree" Spec::makes_fd();
    FSOPEN 430 "fsopen" Spec::makes_fd();
    FSMOUNT 432 "fsmount" Spec::makes_fd();
    FSPICK 433 "fspick" Spec::makes_fd();
    PIDFD_OPEN 434 "pidfd_open" Spec::makes_fd();
    CLONE3 435 "clone3" Spec::IGNORED.enter(Time);
    CLOSE_RANGE 436 "close_range" Spec { shape: Shape::Plain, ..Spec::IGNORED };
    OPENAT2 437 "openat2" Spec::makes_fd().capture(Path1);
    PIDFD_GETFD 438 "pidfd_getfd" Spec::makes_fd();
    EPOLL_PWAIT2 441 "epoll_pwait2" Spec::on_fd().capture(Events).enter(Blocking);
    LANDLOCK_CREATE_RULESET 444 "landlock_create_ruleset" Spec::makes_fd();
    MEMFD_SECRET 447 "memfd_secret" Spec::makes_fd();
}
