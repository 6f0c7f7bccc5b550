//! HTTP/1.1: requests and replies without a number, on a connection that is kept open.

use super::{C, P};
use crate::analysis::kernel::Kernel;
use crate::report::{Finding, Severity};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
const PONG: &[u8] = b"+PONG\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Each has its answer, by luck: the connection is the client's, and both ask on it.
#[test]
fn turns_on_http_1_are_a_warning() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    let get = |kernel: &mut Kernel, pid| {
        kernel.send(pid, fd, GET);
        kernel.receive(pid, fd, OK);
    };
    get(&mut kernel, P);
    kernel.fork(P, C, 0);
    get(&mut kernel, C);
    assert_eq!(kernel.findings(), [], "it may have been handed over");
    get(&mut kernel, P);
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert_eq!(finding.severity, Severity::Warning);
}

/// Each reads what seems to be its own, but neither knows: of two sends at once the
/// order is not told for sure.
#[test]
fn requests_at_once_on_http_1_are_an_error() {
    for goes_on in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, GET);
        kernel.receive(P, fd, OK);
        kernel.fork(P, C, 0);
        kernel.send(P, fd, GET);
        kernel.send(C, fd, GET);
        if goes_on {
            kernel.receive(P, fd, OK);
        }
        kernel.receive(C, fd, OK);
        let errors = kernel.analysis.findings().iter();
        let errors = errors.filter(|finding| finding.severity == Severity::Error);
        // One whose request was answered to the other has lost it, and says so by `stolen-reply`.
        let rules: Vec<_> = errors.map(|finding| finding.rule.name()).collect();
        assert_eq!(rules, [if goes_on { "shared-stream" } else { "stolen-reply" }]);
    }
}

/// Whoever asks and lets another read the answer has handed the connection over, as long as it
/// does not read there itself.
#[test]
fn an_answer_that_another_was_given_to_read() {
    let given = [
        |_: &mut Kernel, _| (),
        |kernel: &mut Kernel, fd| kernel.close(P, fd),
        |kernel: &mut Kernel, _| kernel.exit(P),
        |kernel: &mut Kernel, fd| kernel.send(P, fd, GET),
    ];
    for goes_on in given {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, GET);
        kernel.fork(P, C, 0);
        goes_on(&mut kernel, fd);
        kernel.receive(C, fd, OK);
        kernel.receive_end(C, fd);
        assert_eq!(kernel.findings(), []);
    }
    let wanted = [
        |kernel: &mut Kernel, fd| kernel.receive(P, fd, OK),
        |kernel: &mut Kernel, fd| kernel.receive_end(P, fd),
        |kernel: &mut Kernel, fd| kernel.receive_nothing(P, fd, libc::EAGAIN),
        // It was waiting when it was ended.
        |kernel: &mut Kernel, fd| kernel.receive_nothing(P, fd, 512),
    ];
    for reads_on in wanted {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, GET);
        kernel.fork(P, C, 0);
        kernel.receive(C, fd, OK);
        assert_eq!(kernel.findings(), []);
        reads_on(&mut kernel, fd);
        assert_eq!(kernel.findings()[0], ("stolen-reply", C, Some(fd)));
        let stolen = |finding: &&Finding| finding.rule.name() == "stolen-reply";
        let finding = kernel.analysis.findings().iter().find(stolen).expect("found");
        let steps: Vec<_> = finding.evidence.iter().map(|step| &*step.what).collect();
        assert!(steps.first().is_some_and(|step| step.starts_with("opened")), "{steps:?}");
        assert!(steps.iter().any(|step| step.starts_with("forked")), "{steps:?}");
    }
}

/// A program that was given the connection as its standard input reads it for its parent: `cat <&3`.
#[test]
fn a_program_that_reads_for_its_parent() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd".as_slice();
    for (asks, answer) in [(GET, page), (PING, PONG)] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, asks);
        kernel.fork(P, C, 0);
        kernel.copy(C, fd, 0);
        kernel.close(C, fd);
        kernel.receive(C, 0, answer);
        assert_eq!(kernel.findings(), [], "{}", asks.escape_ascii());
    }
}

/// One writes, the other reads: two that work together.
#[test]
fn a_child_that_asks_for_its_parent() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 6379);
    kernel.fork(P, C, 0);
    for _ in 0..3 {
        kernel.send(C, fd, PING);
        kernel.receive(P, fd, PONG);
    }
    assert_eq!(kernel.findings(), []);
    kernel.receive_nothing(C, fd, libc::EAGAIN);
    assert_eq!(kernel.findings(), [("stolen-reply", P, Some(fd))]);
}

/// What was there before the attach has no call; what is seen first has its own.
#[test]
fn the_first_use_that_is_seen_has_its_call() {
    let mut kernel = Kernel::new();
    let fd = kernel.held_before(P);
    let ask = |kernel: &mut Kernel, pid| {
        kernel.send(pid, fd, PING);
        kernel.receive(pid, fd, PONG);
    };
    ask(&mut kernel, P);
    kernel.fork(P, C, 0);
    [C, P].into_iter().for_each(|pid| ask(&mut kernel, pid));
    let shared = |finding: &&Finding| finding.rule.name() == "shared-stream";
    let finding = kernel.analysis.findings().iter().find(shared).expect("found");
    let sent: Vec<_> = finding.evidence.iter().filter(|step| step.what.contains(" sent ")).collect();
    assert!(sent.len() > 1 && sent.iter().all(|step| step.syscall.as_deref() == Some("sendto")), "{sent:#?}");
}
