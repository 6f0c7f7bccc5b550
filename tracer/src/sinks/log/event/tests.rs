//! Records and their lines.

use super::{line, worth};
use crate::event::{Event, Glance, GlancedThread, ProcKey, SeenCall, What};
use crate::sinks::escape::acts_on_a_terminal;
use forkscope_proto as proto;
use proptest::prelude::*;
use proto::calls::*;
use proto::{Call, Exec, Exit, FileKind, FileRef, Fork, Header, Io, Passed, PassedFd, UringIo};

const START: u64 = 5_000_000_000;
const CONNECTION: FileRef = FileRef { file: 1, inode: 4711, kind: FileKind::Socket as u8, ..FileRef::NONE };

fn event(what: What<'_>) -> Event<'_> {
    Event { time: START + 1_000_123_456, process: ProcKey { tgid: 7, start: 1 }, tid: 8, what }
}

fn written(what: What<'_>) -> String {
    let mut out = String::new();
    line(&event(what), START, &mut out);
    out
}

#[track_caller]
fn check(what: What<'_>, expected: &str) {
    assert_eq!(written(what), format!("+1.000123 7/8 {expected}"));
}

fn header(nr: u16) -> Header {
    Header { nr, ..Header::default() }
}

fn call(nr: u16, first: &[i64], ret: i64) -> Call {
    let mut args = [0; 6];
    args.iter_mut().zip(first).for_each(|(to, from)| *to = *from as u64);
    Call { header: header(nr), args, ret, fd: args[0] as i32, other_fd: -1, ..Call::default() }
}

/// With as many arguments as matter, and the payload.
#[track_caller]
fn check_call(nr: u16, args: &[i64], payload: &[u8], ret: i64, expected: &str) {
    check(What::Call(&call(nr, args, ret), payload), expected);
}

fn io(nr: u16, fd: i32, len: u64, flags: i32, ret: i64) -> Io {
    Io { header: header(nr), fd, len, flags: flags as u32, ret, ..Io::default() }
}

#[test]
fn transfers() {
    let check = |io: Io, payload: &[u8], expected: &str| check(What::Io(&io, payload), expected);
    check(io(WRITE, 3, 5, 0, 5), b"hello", r#"write(3, "hello", 5) = 5"#);
    check(io(READ, 3, 8, 0, 0), b"", r#"read(3, "", 8) = 0"#);
    check(io(READ, 900, 8, 0, -9), b"", "read(900, _, 8) = -1 EBADF");
    check(io(READ, 3, 8, 0, -512), b"", "read(3, _, 8) = ? ERESTARTSYS");
    let long = [b'x'; 64];
    let x = "x".repeat(32);
    check(
        io(SENDTO, 3, 64, libc::MSG_NOSIGNAL, 64),
        &long,
        &format!(r#"sendto(3, "{x}"..., 64, MSG_NOSIGNAL, ...) = 64"#),
    );
    check(io(SENDTO, -1, 64, 0, -9), b"ab", r#"sendto(-1, "ab"..., 64, 0, ...) = -1 EBADF"#);
    check(
        io(RECVFROM, 4, 9, libc::MSG_PEEK | 0x800_0000, 2),
        b"a\"",
        r#"recvfrom(4, "a\"", 9, MSG_PEEK|0x8000000, ...) = 2"#,
    );
    check(io(WRITEV, 5, 2, 0, 21), &long[..21], &format!(r#"writev(5, ["{}"], 2) = 21"#, &x[..21]));
    check(io(PREADV2, 5, 2, 0, 1), b"x", r#"preadv2(5, ["x"], 2, ...) = 1"#);
    check(
        io(SENDMSG, 6, 1, 0x4000, -88),
        b"\0\x01\\",
        r#"sendmsg(6, ["\x00\x01\\"], MSG_NOSIGNAL) = -1 ENOTSOCK"#,
    );
    check(io(RECVMSG, 6, 1, 0, -11), b"", "recvmsg(6, [_], 0) = -1 EAGAIN");
    check(io(SENDMMSG, 6, 3, 0, 3), b"one", r#"sendmmsg(6, ["one"], 3, 0) = 3"#);
    check(io(RECVMMSG, 6, 3, 0, 3), b"\xff\xc3\xa9", r#"recvmmsg(6, ["\xffé"], 3, 0, ...) = 3"#);
}

#[test]
fn calls_on_descriptors() {
    check_call(CLOSE, &[-1], b"", -9, "close(-1) = -1 EBADF");
    // The kernel reads the lower half of an int.
    check_call(CLOSE, &[0xffff_ffff_0000_0006_u64 as i64], b"", 0, "close(6) = 0");
    check_call(
        CLOSE_RANGE,
        &[3, 0xffff_ffff, 4],
        b"",
        0,
        "close_range(3, 4294967295, CLOSE_RANGE_CLOEXEC) = 0",
    );
    check_call(DUP2, &[3, 300], b"", 300, "dup2(3, 300) = 300");
    check_call(DUP3, &[3, 300, 0x8_0000], b"", 300, "dup3(3, 300, O_CLOEXEC) = 300");
    check_call(FCNTL, &[3, 0, 10], b"", 10, "fcntl(3, F_DUPFD, 10) = 10");
    check_call(FCNTL, &[3, 2, 1], b"", 0, "fcntl(3, F_SETFD, FD_CLOEXEC) = 0");
    check_call(FCNTL, &[3, 2, 0], b"", 0, "fcntl(3, F_SETFD, 0) = 0");
    check_call(IOCTL, &[3, 0x5451, 99], b"", 0, "ioctl(3, FIOCLEX) = 0");
    check_call(SENDFILE, &[3, 4, 0, 10], b"", 10, "sendfile(3, 4, NULL, 10) = 10");
    check_call(SPLICE, &[3, 0, 4, 1, 10, 3], b"", 10, "splice(3, NULL, 4, _, 10, 0x3) = 10");
    check_call(PIDFD_GETFD, &[3, 4, 0], b"", 5, "pidfd_getfd(3, 4, 0) = 5");
    check_call(FSPICK, &[3, 4, 0], b"", 5, "fspick(...) = 5");
    check_call(511, &[3], b"", 5, "syscall_511(...) = 5");
    check_call(UNSHARE, &[0x400], b"", 0, "unshare(CLONE_FILES) = 0");
    let pair = Call { other_fd: 6, fd: 5, ..call(PIPE2, &[1, 0x8_0000], 0) };
    check(What::Call(&pair, b""), "pipe2([5, 6], O_CLOEXEC) = 0");
    check_call(PIPE, &[1], b"", -24, "pipe(_) = -1 EMFILE");
}

#[test]
fn paths() {
    let here = i64::from(libc::AT_FDCWD);
    check_call(OPEN, &[1, 0, 7], b"/dev/null", 3, r#"open("/dev/null", O_RDONLY) = 3"#);
    check_call(
        OPENAT,
        &[here, 1, 0o2_000_101, 0o600],
        b"a\n\x1b[2J\"",
        -13,
        r#"openat(AT_FDCWD, "a\n\x1b[2J\"", O_WRONLY|O_CREAT|O_CLOEXEC, 0600) = -1 EACCES"#,
    );
    check_call(OPENAT, &[here & 0xffff_ffff, 1, 2], b"", -14, "openat(AT_FDCWD, _, O_RDWR) = -1 EFAULT");
    check_call(OPENAT2, &[4, 1, 1, 24], "é".as_bytes(), 3, r#"openat2(4, "é", _, 24) = 3"#);
    check_call(CREAT, &[1, 0o644], b"x", 3, r#"creat("x", 0644) = 3"#);
}

#[test]
fn sockets() {
    check_call(SOCKET, &[2, 0x8_0001, 6], b"", 3, "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 6) = 3");
    check_call(SOCKET, &[99, 0, 0], b"", -97, "socket(0x63, 0x0, 0) = -1 EAFNOSUPPORT");
    let pair = Call { fd: 3, other_fd: 4, ..call(SOCKETPAIR, &[1, 1, 0, 1], 0) };
    check(What::Call(&pair, b""), "socketpair(AF_UNIX, SOCK_STREAM, 0, [3, 4]) = 0");
    let v4 = [2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    check_call(CONNECT, &[3, 1, 16], &v4, -115, "connect(3, 127.0.0.1:80, 16) = -1 EINPROGRESS");
    let mut v6 = [0; 28];
    (v6[0], v6[2], v6[23]) = (10, 1, 1);
    check_call(BIND, &[3, 1, 28], &v6, 0, "bind(3, [::1]:256, 28) = 0");
    check_call(CONNECT, &[3, 1, 110], b"\x01\0/run/a\0junk", 0, r#"connect(3, "/run/a", 110) = 0"#);
    check_call(CONNECT, &[3, 1, 5], b"\x01\0\0a\0", 0, r#"connect(3, @"a\x00", 5) = 0"#);
    check_call(CONNECT, &[3, 1, 2], b"\x00\0", 0, "connect(3, family 0, 2) = 0");
    check_call(CONNECT, &[3, 1, 5], &v4[..5], -22, "connect(3, family 2, 5) = -1 EINVAL");
    check_call(CONNECT, &[3, 1, 1], b"", -14, "connect(3, _, 1) = -1 EFAULT");
    check_call(ACCEPT4, &[3, 0, 0, 0x800], b"", 4, "accept4(3, NULL, NULL, SOCK_NONBLOCK) = 4");
    check_call(ACCEPT, &[3, 1, 1], b"", 4, "accept(3, _, _) = 4");
    check_call(LISTEN, &[3, 8], b"", 0, "listen(3, 8) = 0");
    check_call(SHUTDOWN, &[-1, 2], b"", -9, "shutdown(-1, SHUT_RDWR) = -1 EBADF");
    check_call(GETSOCKOPT, &[3, 1, 4, 1, 1], b"", 0, "getsockopt(3, SOL_SOCKET, SO_ERROR, _, _) = 0");
}

#[test]
fn epoll() {
    let one = |events: u32, data: u64| [&events.to_ne_bytes()[..], &data.to_ne_bytes()].concat();
    let added = one(0x8000_0001, 7);
    let line = "epoll_ctl(3, EPOLL_CTL_ADD, 5, {EPOLLIN|EPOLLET, data=0x7}) = 0";
    check_call(EPOLL_CTL, &[3, 1, 5, 1], &added, 0, line);
    check_call(EPOLL_CTL, &[3, 2, 5, 0], b"", -2, "epoll_ctl(3, EPOLL_CTL_DEL, 5, NULL) = -1 ENOENT");
    check_call(EPOLL_CTL, &[3, 9, 5, 1], b"", -14, "epoll_ctl(3, 0x9, 5, _) = -1 EFAULT");
    check_call(EPOLL_WAIT, &[3, 1, 4, -1], &one(1, 7), 1, "epoll_wait(3, [{EPOLLIN, data=0x7}], 4, -1) = 1");
    check_call(EPOLL_WAIT, &[3, 1, 4, 0], b"", 0, "epoll_wait(3, [], 4, 0) = 0");
    check_call(EPOLL_PWAIT, &[900, 1, 1, 0, 0, 8], b"", -9, "epoll_pwait(900, _, 1, 0, NULL, 8) = -1 EBADF");
    let many = one(0, 1).repeat(9);
    let shown = ["{0, data=0x1}"; 4].join(", ");
    check_call(
        EPOLL_PWAIT2,
        &[3, 1, 9],
        &many,
        9,
        &format!("epoll_pwait2(3, [{shown}, ...], 9, NULL, NULL, 0) = 9"),
    );
}

#[test]
fn tasks() {
    let fork = |flags: i32| Fork { flags: flags as u64, child_tid: 9, ..Fork::default() };
    check(What::Fork(&fork(libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID)), "fork() = 9");
    check(What::Fork(&fork(libc::CLONE_VM | libc::CLONE_VFORK)), "vfork() = 9");
    check(
        What::Fork(&fork(libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SETTLS)),
        "clone(CLONE_VM|CLONE_THREAD) = 9",
    );
    let exec = Exec { comm: *b"python3\0\0\0\0\0\0\0\0\0", ..Exec::default() };
    check(What::Exec(&exec, b"python3\0a b\0\x1b\0"), r#"execve(_, ["python3", "a b", "\x1b"], ...) = 0"#);
    check(What::Exec(&exec, b""), r#"execve("python3", ...) = 0"#);
    let long = format!(r#"execve(_, ["{}"...], ...) = 0"#, "a".repeat(256));
    check(What::Exec(&exec, &[b'a'; 256]), &long);
    let exit = |status, last| Exit { status, last, ..Exit::default() };
    check(What::Exit(&exit(0x300, 1)), "exited with 3");
    check(What::Exit(&exit(11, 1)), "killed by SIGSEGV");
    check(What::Exit(&exit(0x86, 1)), "killed by SIGABRT, core dumped");
    check(What::Exit(&exit(40, 1)), "killed by signal 40");
    check(What::Exit(&exit(0, 0)), "thread exited with 0");
    check(What::Exit(&exit(Exit::UNSEEN, 1)), "ended, unseen");
}

#[test]
fn the_rest() {
    let mut passed = Passed { via: 3, count: 2, ..Passed::default() };
    passed.fds[..2].copy_from_slice(&[5, 6].map(|fd| PassedFd { fd, ..PassedFd::default() }));
    check(What::Passed(&passed), "received fds 5, 6 over fd 3");
    check(What::Passed(&Passed { count: 1, ..passed }), "received fd 5 over fd 3");
    let many = Passed { count: 11, ..passed };
    check(What::Passed(&many), "received fds 5, 6, 0, 0, 0, 0, 0, 0 and 3 more over fd 3");
    let sent = UringIo { file: CONNECTION, ret: -32, sent: 1, ..UringIo::default() };
    check(What::Uring(&sent), "io_uring_send(socket:[4711]) = -1 EPIPE");
    let record =
        |act: proto::Act, ret, fd| proto::Plaintext { act: act as u16, ret, fd, ..Default::default() };
    check(
        What::Plaintext(&record(proto::Act::Write, 40, 3), b"GET /\x1b"),
        r#"SSL_write("GET /\x1b"...) = 40 inside TLS on fd 3"#,
    );
    check(What::Plaintext(&record(proto::Act::Read, 0, 3), b""), r#"SSL_read("") = 0 inside TLS on fd 3"#);
    check(
        What::Plaintext(&record(proto::Act::Shutdown, 1, -1), b""),
        "SSL_shutdown() = 1 inside TLS on no socket",
    );
    check(What::Compat, "made a 32-bit call: its calls are not read");
    assert_eq!(written(What::Socket(&proto::Socket::default(), b"")), "");
    let call = |nr| SeenCall { nr, args: [0x7f00, 0, 0, 0, 0, 0] };
    let thread = |nr: Option<u64>| GlancedThread { call: nr.map(call), ..GlancedThread::default() };
    let threads = [Some(202), Some(232), Some(9999), None].map(thread).into();
    let expected = "looked at: futex(0x7f00), epoll_wait(0x7f00), syscall_0x270f(0x7f00), running";
    check(What::Glance(&Glance { threads, ..Glance::default() }), expected);
}

#[test]
fn an_event_from_before_the_start_has_the_start_s_time() {
    let mut out = String::from("kept ");
    line(&Event { time: 1, ..event(What::Compat) }, START, &mut out);
    assert_eq!(out, "kept +0.000000 7/8 made a 32-bit call: its calls are not read");
}

#[test]
fn what_is_worth_a_line() {
    #[track_caller]
    fn check(what: What<'_>, expected: [bool; 3]) {
        assert_eq!([0, 1, 2].map(|verbosity| worth(&event(what), verbosity)), expected, "{what:?}");
    }
    let (always, detail, never) = ([false, true, true], [false, false, true], [false; 3]);
    let on = |nr, ret, file| Call { file, ..call(nr, &[3], ret) };
    check(What::Call(&on(CLOSE, 0, CONNECTION), b""), always);
    check(What::Call(&on(CLOSE, 0, FileRef::NONE), b""), detail);
    check(What::Call(&on(CLOSE, -9, FileRef::NONE), b""), always);
    check(What::Call(&call(CLOSE, &[-1], -9), b""), detail);
    check(What::Call(&on(CONNECT, -115, CONNECTION), b""), always);
    check(What::Call(&on(ACCEPT4, -11, CONNECTION), b""), detail);
    check(What::Call(&Call { other: CONNECTION, ..on(ACCEPT4, 4, CONNECTION) }, b""), always);
    check(What::Call(&Call { replaced: CONNECTION, ..on(DUP2, 4, FileRef::NONE) }, b""), always);
    check(What::Call(&on(DUP2, 4, FileRef::NONE), b""), detail);
    check(What::Call(&on(OPENAT, -2, FileRef::NONE), b"/x"), detail);
    check(What::Call(&on(EPOLL_WAIT, -4, FileRef::NONE), b""), detail);
    check(What::Io(&io(SENDMSG, 6, 1, 0, -88), b""), always);
    check(What::Io(&io(RECVMSG, 6, 1, 0, -11), b""), detail);
    check(What::Io(&io(RECVMSG, 6, 1, 0, -512), b""), detail);
    check(What::Io(&io(RECVMSG, 6, 1, 0, 5), b""), detail);
    check(What::Fork(&Fork::default()), always);
    check(What::Fork(&Fork { flags: libc::CLONE_THREAD as u64, ..Fork::default() }), detail);
    check(What::Exit(&Exit { last: 1, ..Exit::default() }), always);
    check(What::Exit(&Exit::default()), detail);
    check(What::Socket(&proto::Socket::default(), b""), never);
    check(What::Glance(&Glance::default()), detail);
}

proptest! {
    #[test]
    fn no_record_makes_it_panic_or_act_on_a_terminal(
        nr in 0_u16..520, args: [u64; 6], ret in -4100_i64..5000, payload: Vec<u8>, flags: u32, len: u64,
    ) {
        let call = Call { header: header(nr), args, ret, ..Call::default() };
        let io = Io { header: header(nr), ret, len, flags, ..Io::default() };
        for what in [What::Call(&call, &payload), What::Io(&io, &payload), What::Exec(&Exec::default(), &payload)] {
            let line = written(what);
            prop_assert!(!line.chars().any(acts_on_a_terminal), "{line:?}");
        }
    }
}
