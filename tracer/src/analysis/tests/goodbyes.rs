//! Who ends a connection for all who hold it.

use super::{ANSWER, C, Kernel, P, QUERY, TERMINATE, failed, session};
use crate::report::Confidence;
use forkscope_proto::calls;

#[test]
fn a_child_that_ends_the_session_of_its_parent() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.send(C, fd, TERMINATE);
    kernel.close(C, fd);
    kernel.send(P, fd, QUERY);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(
        finding.evidence.iter().any(|step| step.what.contains("sent Terminate")),
        "{:#?}",
        finding.evidence
    );
}

/// Each who holds a connection object says goodbye when it closes it, and all come
/// before the server's end does.
#[test]
fn goodbyes_to_one_session_are_no_use_of_it() {
    const SECOND: u32 = C + 1;
    let goodbyes = || {
        let mut kernel = Kernel::new();
        let fd = session(&mut kernel);
        for child in [C, SECOND] {
            kernel.fork(P, child, 0);
            kernel.send(child, fd, TERMINATE);
            kernel.close(child, fd);
        }
        (kernel, fd)
    };
    let (mut kernel, fd) = goodbyes();
    kernel.send(P, fd, TERMINATE);
    assert_eq!(kernel.findings(), []);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), [], "it had said goodbye itself");
    // Whoever still wanted something is told of the first of them.
    let (mut kernel, fd) = goodbyes();
    kernel.send(P, fd, QUERY);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
}

/// Two who work on one session are told of, whatever a third has said meanwhile.
#[test]
fn a_goodbye_between_two_hides_neither() {
    const SECOND: u32 = C + 1;
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.fork(P, SECOND, 0);
    kernel.send(P, fd, QUERY);
    kernel.send(C, fd, TERMINATE);
    kernel.send(SECOND, fd, QUERY);
    assert_eq!(kernel.findings(), [("shared-stream", SECOND, Some(fd))]);
}

/// A goodbye right after a question takes nothing from that.
#[test]
fn a_question_and_a_goodbye_in_one_send() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.send(C, fd, QUERY);
    kernel.receive(C, fd, ANSWER);
    kernel.send(P, fd, &[QUERY, TERMINATE].concat());
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
}

#[test]
fn a_child_that_shuts_the_socket_down() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.send(P, fd, b"hello");
    kernel.fork(P, C, 0);
    kernel.shut_down(C, fd, 2);
    assert_eq!(kernel.findings(), [], "a goodbye alone is none");
    kernel.transfer(P, calls::SENDTO, fd, b"more", failed(libc::EPIPE));
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
}

/// What was said before the attach nobody saw: the same is certain only where the opening was seen.
#[test]
fn a_goodbye_after_a_late_attach_is_likely() {
    for (before, confidence) in [(false, Confidence::Certain), (true, Confidence::Likely)] {
        let mut kernel = Kernel::new();
        let fd = if before { kernel.held_before(P) } else { kernel.connect(P, 80) };
        kernel.send(P, fd, b"hello");
        kernel.fork(P, C, 0);
        kernel.shut_down(C, fd, 2);
        kernel.transfer(P, calls::SENDTO, fd, b"more", failed(libc::EPIPE));
        assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
        assert_eq!(kernel.analysis.findings().last().map(|found| found.confidence), Some(confidence));
    }
}

/// Of two that work together one ends its direction, and the other reads on to the end.
#[test]
fn a_writer_s_end_is_no_goodbye_to_the_reader() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 1);
    kernel.fork(P, C, 0);
    kernel.send(C, fd, b"all of it");
    kernel.shut_down(C, fd, 1);
    kernel.receive(P, fd, b"thanks");
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), []);
}

/// Who was handed a connection ends it; the one before never touches it again.
#[test]
fn the_goodbye_of_a_new_owner_is_its_own() {
    let mut kernel = Kernel::new();
    let fd = session(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.exit(P);
    kernel.send(C, fd, QUERY);
    kernel.receive(C, fd, ANSWER);
    kernel.send(C, fd, TERMINATE);
    kernel.receive_end(C, fd);
    assert_eq!(kernel.findings(), []);
}

/// The server's first process still holds what its child ended, and looks whether that is done.
#[test]
fn a_server_s_child_that_ends_its_connection() {
    let mut kernel = Kernel::new();
    let fd = kernel.accept(P, 80);
    kernel.receive(P, fd, b"GET / HTTP/1.1\r\n\r\n");
    kernel.fork(P, C, 0);
    kernel.send(C, fd, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    kernel.shut_down(C, fd, 2);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), []);
}

/// An HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), body].concat()
}

#[test]
fn a_child_that_cancels_its_parent_s_call() {
    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    kernel.send(P, fd, &[&preface[..], &frame(SETTINGS, 0, 0, b"")].concat());
    kernel.send(P, fd, &frame(HEADERS, 5, 1, b"\x83\x86"));
    kernel.fork(P, C, 0);
    kernel.send(C, fd, &frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]));
    assert_eq!(kernel.findings(), [("foreign-goodbye", C, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.title.contains("stream 1"), "{}", finding.title);
}

/// A relay of two processes, one for each direction (github.com/kklis/proxy): the client goes away; who
/// reads that shuts the socket down "to stop other processes from using" it; the other one's next send
/// fails, as it would have anyway.
#[test]
fn a_socket_shut_down_after_its_peer_has_gone() {
    let mut kernel = Kernel::new();
    let client = kernel.accept(P, 80);
    kernel.fork(P, C, 0);
    kernel.receive(C, client, b"more, please");
    kernel.send(P, client, b"some");
    kernel.receive_end(C, client);
    kernel.shut_down(C, client, 2);
    kernel.transfer(P, calls::SENDTO, client, b"more", failed(libc::EPIPE));
    assert_eq!(kernel.findings(), []);
}

/// A peer that has ended its own direction only reads on (nc -N): what ends the answer is the shutdown.
#[test]
fn a_socket_shut_down_while_its_peer_still_reads() {
    let mut kernel = Kernel::new();
    let client = kernel.accept(P, 80);
    kernel.receive(P, client, b"give me all");
    kernel.receive_end(P, client);
    kernel.fork(P, C, 0);
    kernel.send(C, client, b"some");
    kernel.shut_down(P, client, 2);
    kernel.transfer(C, calls::SENDTO, client, b"more", failed(libc::EPIPE));
    assert_eq!(kernel.findings(), [("foreign-goodbye", C, Some(client))]);
}

/// As each service does whose output goes to the journal: what was written before the fork
/// was on its way out only.
#[test]
fn receiving_that_was_shut_down_fails_no_send() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 601);
    kernel.shut_down(P, fd, 0);
    kernel.send(P, fd, b"unit\n");
    kernel.fork(P, C, 0);
    kernel.send(C, fd, b"a line\n");
    kernel.transfer(C, calls::WRITE, fd, b"another\n", failed(libc::EPIPE));
    assert_eq!(kernel.findings(), []);
}

#[test]
fn a_whole_end_after_one_s_own_half() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, b"all of it");
    kernel.shut_down(P, fd, 1);
    kernel.fork(P, C, 0);
    kernel.shut_down(C, fd, 2);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
}
