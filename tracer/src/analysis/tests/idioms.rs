//! What well-known programs do with inherited numbers on purpose, each beside the bug that looks like it.

use super::{ANSWER, C, Kernel, P, QUERY, STARTUP, TERMINATE, failed, session};
use crate::report::Severity;
use forkscope_proto::FileKind;
use forkscope_proto::calls;
use libc::{EBADF, ECONNRESET, ENOTSOCK, EPIPE, F_SETFD};

const HELLO: &[u8] = b"\x16\x03\x01\0\x0d\x01\0\0\x09\x03\x03abcdefg";

/// The findings, where they are told.
fn told<T>(is: bool, found: &[T]) -> &[T] {
    if is { found } else { &[] }
}

/// Dovecot's master gives pipes to the programs that it starts, under numbers that were its own sockets; they
/// ask what they got by a call that fails.
#[test]
fn a_program_that_is_given_something_under_a_number() {
    for executes in [true, false] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 1);
        kernel.fork(P, C, 0);
        let (pipe, _) = kernel.pipe(C);
        kernel.copy(C, pipe, fd);
        if executes {
            kernel.exec(C);
        }
        // Its worker has the same.
        kernel.fork(C, 300, 0);
        for pid in [300, C] {
            kernel.transfer(pid, calls::SENDTO, fd, b"hello", failed(ENOTSOCK));
        }
        let found = [("enotsock", 300, Some(fd)), ("enotsock", C, Some(fd))];
        assert_eq!(kernel.findings(), told(!executes, &found));
    }
}

/// A connection that a program opens itself has nothing to do with what had the number before its start.
#[test]
fn a_program_s_own_session_under_the_number_of_what_was_closed() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.exec(C);
    assert_eq!(kernel.connect(C, 2), fd);
    kernel.send(C, fd, QUERY);
    assert_eq!(kernel.findings(), []);
}

/// A program that was told the number, but not given what is behind it, opens a file of its
/// own, and uses the number.
#[test]
fn a_program_s_own_file_under_the_number_that_it_was_told() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    kernel.exec(C);
    assert_eq!(kernel.open(C, "/var/log/helper"), fd);
    kernel.transfer(C, calls::SENDTO, fd, QUERY, failed(ENOTSOCK));
    assert_eq!(kernel.findings(), [("enotsock", C, Some(fd))]);
}

/// Exim closes the number first, so that its library cannot flush the parent's buffer,
/// and executes itself anew.
#[test]
fn a_buffer_that_is_kept_from_being_flushed_before_an_exec() {
    for executes in [true, false] {
        let mut kernel = Kernel::new();
        let fd = kernel.accept(P, 25);
        kernel.receive(P, fd, b"quit\r\n");
        kernel.fork(P, C, 0);
        kernel.close(C, fd);
        kernel.transfer(C, calls::WRITE, fd, b"250 OK\r\n", failed(EBADF));
        if executes {
            kernel.exec(C);
        } else {
            kernel.fork(C, 300, 0);
        }
        let found = [("stale-descriptor", C, Some(fd))];
        assert_eq!(kernel.findings(), told(!executes, &found));
    }
}

/// Rsync greets in both directions, and then has one process write and the other read.
#[test]
fn one_writes_and_one_reads_after_both_were_one() {
    for both_read in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 873);
        kernel.send(P, fd, b"@RSYNCD: 31.0\n");
        kernel.receive(P, fd, b"@RSYNCD: 31.0\n");
        kernel.fork(P, C, 0);
        for _ in 0..8 {
            kernel.send(P, fd, b"some more");
            kernel.receive(C, fd, b"some more");
            if both_read {
                kernel.receive(P, fd, b"for whom is this");
            }
        }
        // Who came back when it had been to and fro four times.
        let found = [("shared-stream", C, Some(fd))];
        assert_eq!(kernel.findings(), told(both_read, &found));
    }
}

/// Ruby's mysql2 puts `/dev/null` under the number before it closes, so that its goodbye goes nowhere.
#[test]
fn a_goodbye_that_is_kept_from_the_server() {
    for (bytes, errno, put) in [
        (TERMINATE, ENOTSOCK, true),
        (QUERY, ENOTSOCK, true),
        (TERMINATE, EBADF, false),
        (QUERY, EBADF, false),
    ] {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        kernel.fork(P, C, 0);
        if put {
            let null = kernel.make_kind(C, calls::OPENAT, FileKind::CharDevice);
            kernel.copy(C, null, fd);
        } else {
            kernel.close(C, fd);
        }
        kernel.transfer(C, calls::SENDTO, fd, bytes, failed(errno));
        let rule = if put { "enotsock" } else { "stale-descriptor" };
        let found = [(rule, C, Some(fd))];
        assert_eq!(kernel.findings(), told(bytes == QUERY, &found), "{bytes:?}");
    }
}

/// A child has ended the session, and its parent never uses it again, but to say goodbye.
#[test]
fn a_goodbye_that_comes_too_late_is_no_use() {
    for bytes in [TERMINATE, QUERY] {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        kernel.fork(P, C, 0);
        kernel.send(C, fd, TERMINATE);
        kernel.exit(C);
        kernel.transfer(P, calls::SENDTO, fd, bytes, failed(EPIPE));
        let found = [("foreign-goodbye", P, Some(fd))];
        assert_eq!(kernel.findings(), told(bytes == QUERY, &found));
    }
}

/// Its goodbye hits a file that took the number: the next thing that it does is close that.
#[test]
fn a_goodbye_that_hits_what_took_the_number_is_told() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    assert_eq!(kernel.open(C, "/var/log/daemon"), fd);
    kernel.transfer(C, calls::SENDTO, fd, TERMINATE, failed(ENOTSOCK));
    assert_eq!(kernel.findings(), [("enotsock", C, Some(fd))]);
}

/// One that only ends its own direction waits for the answer, and then for the end.
#[test]
fn a_client_that_ended_its_own_direction_waits() {
    let mut kernel = Kernel::new();
    let fd = kernel.accept(P, 80);
    kernel.receive(P, fd, b"all of it");
    kernel.fork(P, C, 0);
    kernel.receive_end(P, fd);
    kernel.send(P, fd, b"the answer");
    kernel.close(P, fd);
    kernel.wait(2_000_000_000);
    kernel.open(P, "/later");
    assert_eq!(kernel.findings(), [("pinned-connection", C, Some(fd))]);
}

/// A session with state in user memory does not bear it that one writes and the other
/// reads, however that is split.
#[test]
fn a_session_that_one_writes_and_the_other_reads() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.send(P, fd, QUERY);
    kernel.receive(P, fd, ANSWER);
    kernel.fork(P, C, 0);
    for _ in 0..3 {
        kernel.send(C, fd, QUERY);
        kernel.receive(P, fd, ANSWER);
    }
    assert!(!kernel.findings().is_empty());
}

/// Redis' child that saves holds what its parent closes: a client that has gone does not wait for the end.
#[test]
fn a_client_that_has_gone_is_not_kept_waiting() {
    // How the server is told of it; not at all: it has not gone.
    for (errno, severity) in
        [(Some(0), Severity::Info), (Some(ECONNRESET), Severity::Info), (None, Severity::Warning)]
    {
        let mut kernel = Kernel::new();
        let fd = kernel.accept(P, 6379);
        kernel.receive(P, fd, b"*1\r\n$4\r\nPING\r\n");
        kernel.send(P, fd, b"+PONG\r\n");
        kernel.fork(P, C, 0);
        match errno {
            Some(0) => kernel.receive_end(P, fd),
            Some(errno) => kernel.receive_nothing(P, fd, errno),
            None => {}
        }
        kernel.close(P, fd);
        kernel.wait(2_000_000_000);
        kernel.open(P, "/later");
        let found = [("pinned-connection", C, Some(fd))];
        assert_eq!(kernel.findings(), told(severity == Severity::Warning, &found));
        let mut findings = kernel.analysis.findings().iter();
        let pinned = findings.find(|finding| finding.rule.name() == "pinned-connection");
        assert_eq!(pinned.map(|finding| finding.severity), Some(severity));
    }
}

/// A number that was marked close-on-exec, told to a program that was started without it.
#[test]
fn a_number_that_an_exec_closed_is_told_as_such() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    let file = kernel.at(C, fd);
    kernel.call(C, calls::FCNTL, b"", |call| {
        (call.fd, call.file) = (fd, file);
        (call.args[0], call.args[1], call.args[2]) = (fd as u64, F_SETFD as u64, 1);
    });
    kernel.exec_as(C, "helper", &["helper"]);
    kernel.gone(C, fd);
    kernel.transfer(C, calls::SENDTO, fd, QUERY, failed(EBADF));
    assert_eq!(kernel.findings(), [("stale-descriptor", C, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.summary.contains("executed helper, being marked close-on-exec"), "{}", finding.summary);
    assert!(
        finding.evidence.iter().any(|step| step.what.starts_with("executed helper: fd 3")),
        "{finding:#?}"
    );
}

/// syslog(3), Python's SysLogHandler: a daemon closes all it has, and logs; the library finds its datagram
/// socket closed, and makes another at once.
#[test]
fn a_daemon_that_closes_all_and_logs() {
    let mut kernel = Kernel::new();
    let log = kernel.datagram(P);
    kernel.transfer(P, calls::SENDTO, log, b"<30>d: starts", 13);
    kernel.fork(P, C, 0);
    kernel.exit(P);
    kernel.call(C, calls::CLOSE_RANGE, b"", |call| (call.args[0], call.args[1]) = (3, 4096));
    kernel.gone(C, log);
    kernel.transfer(C, calls::SENDTO, log, b"<30>d: runs", failed(EBADF));
    let own = kernel.datagram(C);
    kernel.transfer(C, calls::SENDTO, own, b"<30>d: runs", 11);
    assert_eq!(kernel.findings(), []);
}

/// A TLS record of data, so many bytes long.
fn record(length: u8) -> Vec<u8> {
    let header = [0x17, 3, 3, 0, length];
    header.into_iter().chain((0..length).map(|byte| byte ^ 0x5a)).collect()
}

/// Rails' `discard!` (ForkTracker): PostgreSQL's adapter reopens the socket's number as /dev/null, mysql2's
/// does likewise; the object is freed later, and says its goodbye there. Over TLS that is a record of data
/// (TLS 1.3), or one and then an alert.
#[test]
fn a_goodbye_over_tls_that_is_kept_from_the_server() {
    for put in [true, false] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 5432);
        kernel.send(P, fd, HELLO);
        kernel.receive(P, fd, &record(5));
        kernel.fork(P, C, 0);
        if put {
            let null = kernel.make_kind(C, calls::OPENAT, FileKind::CharDevice);
            kernel.copy(C, null, fd);
            kernel.close(C, null);
        } else {
            kernel.close(C, fd);
        }
        let errno = if put { ENOTSOCK } else { EBADF };
        // Terminate, then close_notify, as TLS 1.3 writes them.
        for length in [22, 19] {
            kernel.transfer(C, calls::SENDTO, fd, &record(length), failed(errno));
        }
        assert_eq!(kernel.findings(), [], "put: {put}");
        // A question is longer.
        kernel.transfer(C, calls::SENDTO, fd, &record(31), failed(errno));
        let rule = if put { "enotsock" } else { "stale-descriptor" };
        assert_eq!(kernel.findings(), [(rule, C, Some(fd))]);
    }
}

/// A session of Redis whose copy a child has closed; its number.
fn closed_by_the_child(kernel: &mut Kernel) -> i32 {
    let fd = kernel.connect(P, 6379);
    kernel.send(P, fd, b"*1\r\n$4\r\nPING\r\n");
    kernel.receive(P, fd, b"+PONG\r\n");
    kernel.fork(P, C, 0);
    kernel.close(C, fd);
    fd
}

/// A client that knows of the fork closes and connects anew, as redis-rb, phpredis and hiredis do,
/// without HELLO, AUTH or SELECT.
#[test]
fn a_new_session_of_redis_that_opens_with_any_command() {
    for command in [
        &b"*2\r\n$4\r\nLLEN\r\n$5\r\nqueue\r\n"[..],
        b"*4\r\n$5\r\nHMSET\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
    ] {
        let mut kernel = Kernel::new();
        let fd = closed_by_the_child(&mut kernel);
        assert_eq!(kernel.connect(C, 6379), fd);
        kernel.send(C, fd, command);
        kernel.receive(C, fd, b":0\r\n");
        assert_eq!(kernel.findings(), [], "{}", command.escape_ascii());
    }
}

/// The bug that looks like it: what has the number has spoken something else.
#[test]
fn commands_of_redis_on_a_session_of_postgresql() {
    let mut kernel = Kernel::new();
    let fd = closed_by_the_child(&mut kernel);
    assert_eq!(kernel.connect(C, 5432), fd);
    kernel.send(C, fd, STARTUP);
    kernel.receive(C, fd, ANSWER);
    kernel.send(C, fd, b"*2\r\n$4\r\nLLEN\r\n$5\r\nqueue\r\n");
    assert_eq!(kernel.findings(), [("misdirected-bytes", C, Some(fd))]);
}

/// `program <&- 2>&-`, where the shell's standard streams are sockets: of systemd's journal,
/// of node's child_process.
#[test]
fn standard_streams_that_a_shell_closes() {
    for (number, nr) in [(0, calls::READ), (2, calls::WRITE)] {
        let mut kernel = Kernel::new();
        let made = kernel.make_kind(P, calls::SOCKET, FileKind::Socket);
        kernel.copy(P, made, number);
        kernel.close(P, made);
        kernel.fork(P, C, 0);
        kernel.close(C, number);
        kernel.exec_as(C, "program", &["program"]);
        kernel.transfer(C, nr, number, b"warning: ...\n", failed(EBADF));
        // It goes on.
        let own = kernel.connect(C, 80);
        kernel.send(C, own, b"hello");
        assert_eq!(kernel.findings(), [], "{number}");
    }
}

/// As Redis does before version 6, where copies go to replicas without a file (repl-diskless-sync).
#[test]
fn a_server_s_child_that_sends_a_copy_and_gives_the_connection_back() {
    let mut kernel = Kernel::new();
    let fd = kernel.accept(P, 6379);
    kernel.receive(P, fd, b"PSYNC ? -1\r\n");
    kernel.send(P, fd, b"+FULLRESYNC 0123 1\r\n");
    kernel.fork(P, C, 0);
    kernel.send(C, fd, b"$EOF:0123456789\r\nREDIS0009");
    kernel.exit(C);
    kernel.receive(P, fd, b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n");
    kernel.send(P, fd, b"*1\r\n$4\r\nPING\r\n");
    assert_eq!(kernel.findings(), []);
}
