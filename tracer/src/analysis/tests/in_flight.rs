//! Forks while something is under way on a connection.

use super::{ANSWER, C, Kernel, P, QUERY, session};
use crate::report::{Confidence, Severity};
use forkscope_proto::calls;
use forkscope_proto::process::{CLONE_VFORK, CLONE_VM};

const LATER: u64 = 2_000_000_000;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
const CALL: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x01\x83";
const DONE: &[u8] = b"\0\0\x01\x01\x05\0\0\0\x01\x88";

/// A connection on which an HTTP/2 session has begun.
fn http2(kernel: &mut Kernel) -> i32 {
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, PREFACE);
    kernel.receive(P, fd, SETTINGS);
    fd
}

/// Time passes, and something is done by a process that has nothing to do with it.
fn later(kernel: &mut Kernel) {
    kernel.wait(LATER);
    kernel.open(P, "/later");
}

#[test]
fn a_child_that_lives_on_with_an_open_stream() {
    let mut kernel = Kernel::new();
    let fd = http2(&mut kernel);
    kernel.send(P, fd, CALL);
    kernel.fork(P, C, 0);
    kernel.open(C, "/at once");
    assert_eq!(kernel.findings(), [], "it may be about to execute a program");
    later(&mut kernel);
    assert_eq!(kernel.findings(), [("fork-in-flight", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert_eq!((finding.severity, finding.confidence), (Severity::Warning, Confidence::Certain));
    assert!(finding.title.contains("HTTP/2 stream 1 was open"), "{}", finding.title);
    let steps: Vec<_> = finding.evidence.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(steps[1], "opened HTTP/2 stream 1");
    assert!(
        steps[2].starts_with("forked 200 while HTTP/2 stream 1 was open; it inherited fd 3"),
        "{steps:?}"
    );
}

#[test]
fn a_child_that_lives_on_with_a_request_that_awaits_its_reply() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.send(P, fd, QUERY);
    kernel.fork(P, C, 0);
    later(&mut kernel);
    assert_eq!(kernel.findings(), [("fork-in-flight", P, Some(fd))]);
    // A pool of workers is one cause.
    kernel.fork(P, 300, 0);
    kernel.fork(P, 400, 0);
    later(&mut kernel);
    assert_eq!(kernel.findings().len(), 1);
    assert_eq!(kernel.analysis.findings().last().map(|found| found.count), Some(3));
}

#[test]
fn nothing_is_under_way_once_it_is_answered() {
    for (begin, ask, answer) in
        [(http2 as fn(&mut Kernel) -> i32, CALL, DONE), (session as fn(&mut Kernel) -> i32, QUERY, ANSWER)]
    {
        let mut kernel = Kernel::new();
        let fd = begin(&mut kernel);
        kernel.send(P, fd, ask);
        kernel.receive(P, fd, answer);
        kernel.fork(P, C, 0);
        later(&mut kernel);
        assert_eq!(kernel.findings(), []);
    }
}

/// What a healthy child does before two seconds are over; the parent goes on waiting.
#[test]
fn a_child_that_lets_the_connection_be() {
    for what_the_child_does in [
        (|kernel: &mut Kernel, _| kernel.exec(C)) as fn(&mut Kernel, i32),
        |kernel, fd| kernel.close(C, fd),
        |kernel, _| kernel.call(C, calls::CLOSE_RANGE, b"", |call| (call.args[0], call.args[1]) = (3, 4096)),
        |kernel, _| kernel.exit(C),
    ] {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        kernel.call(P, calls::FCNTL, b"", |call| (call.fd, call.args[1], call.args[2]) = (fd, 2, 1));
        kernel.send(P, fd, QUERY);
        kernel.fork(P, C, 0);
        what_the_child_does(&mut kernel, fd);
        later(&mut kernel);
        kernel.receive(P, fd, ANSWER);
        assert_eq!(kernel.findings(), []);
    }
}

/// `subprocess`, in a program that is busy: hundreds of children, one after another and at once.
#[test]
fn a_storm_of_programs_beside_a_busy_connection() {
    for flags in [CLONE_VM | CLONE_VFORK, 0] {
        let mut kernel = Kernel::new();
        let fd = http2(&mut kernel);
        kernel.call(P, calls::FCNTL, b"", |call| (call.fd, call.args[1], call.args[2]) = (fd, 2, 1));
        kernel.send(P, fd, CALL);
        for child in (1000..1600).step_by(2) {
            kernel.fork(P, child, flags);
            kernel.fork(P, child + 1, flags);
            kernel.exec(child);
            kernel.exec(child + 1);
        }
        // They do not crowd out one that stays.
        kernel.fork(P, C, 0);
        later(&mut kernel);
        assert_eq!(kernel.findings(), [("fork-in-flight", P, Some(fd))]);
        assert_eq!(kernel.analysis.findings().last().map(|found| found.other_pids.clone()), Some(vec![C]));
    }
}

/// The child of vfork(2) has no copy of anything.
#[test]
fn a_child_in_its_parent_s_memory() {
    let mut kernel = Kernel::new();
    let fd = http2(&mut kernel);
    kernel.send(P, fd, CALL);
    kernel.fork(P, C, CLONE_VM | CLONE_VFORK);
    later(&mut kernel);
    assert_eq!(kernel.findings(), []);
}

/// A server accepts, reads a part of the request or all of it, and forks the child that answers.
#[test]
fn a_server_that_hands_over_what_it_has_read_in_part() {
    for (begun, closes) in [
        (&b"*2\r\n$3\r\nGET\r\n"[..], true),
        (b"*1\r\n$4\r\nPING\r\n", true),
        (b"*1\r\n$4\r\nPING\r\n", false),
    ] {
        let mut kernel = Kernel::new();
        let fd = kernel.accept(P, 6379);
        kernel.receive(P, fd, begun);
        kernel.fork(P, C, 0);
        kernel.send(C, fd, b"+");
        if closes {
            kernel.close(P, fd);
        }
        later(&mut kernel);
        assert_eq!(kernel.findings(), []);
    }
}

/// A client that goes into the background: the child reads the answer, the parent is gone,
/// or only waits for its end.
#[test]
fn a_client_that_hands_its_connection_over() {
    for parent in [
        (|kernel: &mut Kernel, _| kernel.exit(P)) as fn(&mut Kernel, i32),
        |kernel, fd| kernel.close(P, fd),
        |_, _| (),
    ] {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        kernel.send(P, fd, QUERY);
        kernel.fork(P, C, 0);
        kernel.receive(C, fd, ANSWER);
        parent(&mut kernel, fd);
        kernel.wait(LATER);
        kernel.open(C, "/later");
        let found = kernel.findings();
        assert!(!found.iter().any(|(rule, ..)| *rule == "fork-in-flight"), "{found:?}");
    }
}

/// What was said before the attach does not matter to a request that was sent after it.
#[test]
fn a_connection_from_before_the_attach() {
    let mut kernel = Kernel::new();
    let fd = kernel.held_before(P);
    kernel.fork(P, 300, 0);
    later(&mut kernel);
    assert_eq!(kernel.findings(), [], "nobody knows what it was at");
    kernel.send(P, fd, QUERY);
    kernel.fork(P, C, 0);
    later(&mut kernel);
    assert_eq!(kernel.findings(), [("fork-in-flight", P, Some(fd))]);
}

/// One cause, one finding: what follows from the fork is named by its own rule.
#[test]
fn a_child_that_reads_the_answer_is_told_once() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.send(P, fd, QUERY);
    kernel.fork(P, C, 0);
    later(&mut kernel);
    assert_eq!(kernel.findings(), [("fork-in-flight", P, Some(fd))]);
    kernel.receive(C, fd, ANSWER);
    assert_eq!(kernel.findings(), [("stolen-reply", C, Some(fd))]);
}

#[test]
fn what_was_lost_since_may_have_been_the_answer() {
    for (before, told) in [(true, 1), (false, 0)] {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        if before {
            kernel.analysis.model.note_losses();
        }
        kernel.send(P, fd, QUERY);
        if !before {
            kernel.analysis.model.note_losses();
        }
        kernel.fork(P, C, 0);
        later(&mut kernel);
        let found = kernel.analysis.findings().iter().filter(|found| found.rule.name() == "fork-in-flight");
        assert_eq!(found.count(), told, "lost before: {before}");
    }
}

/// The fork audit's line says what the connection was at.
#[test]
fn the_audit_says_what_was_under_way() {
    let mut kernel = Kernel::new();
    let fd = http2(&mut kernel);
    kernel.send(P, fd, CALL);
    kernel.fork(P, C, 0);
    let audit = kernel.analysis.findings().first().expect("a line");
    assert_eq!((audit.rule.name(), audit.severity), ("inherited-connection", Severity::Info));
    assert!(audit.summary.contains("while fd 3 was open and HTTP/2 stream 1 was open."), "{}", audit.summary);
}

/// gRPC: one thread sends, another one reads. The sender is off its processor between its sending and the
/// end of its call (or, with ptrace, both have stopped when the keeper looks: the newest thread comes
/// first): the answer is told first.
#[test]
fn an_answer_that_is_told_before_its_request() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    kernel.receive(P, fd, b"\0\0\0\x04\0\0\0\0\0");
    kernel.receive(P, fd, b"\0\0\x01\x01\x05\0\0\0\x01\x88");
    kernel.send(P, fd, b"\0\0\x01\x01\x05\0\0\0\x01\x83");
    // Hours and thousands of calls later.
    kernel.send(P, fd, b"\0\0\x01\x01\x05\0\0\0\x03\x83");
    kernel.receive(P, fd, b"\0\0\x01\x01\x05\0\0\0\x03\x88");
    kernel.fork_threaded(P, C, 4, 0);
    kernel.wait(2_000_000_000);
    kernel.open(P, "/later");
    assert_eq!(kernel.findings(), []);
}
