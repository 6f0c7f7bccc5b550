//! What is inside TLS, tied to its connection.

use super::{ANSWER, C, Kernel, P, QUERY, STARTUP, TERMINATE};
use crate::model::Facts;
use crate::report::{Connection, Severity};
use forkscope_proto::{Act, Plaintext};

/// Addresses of `SSL` objects.
const S: u64 = 0x5555_0000;
const OTHER: u64 = 0x5555_4000;

const HELLO: &[u8] = b"\x16\x03\x01\0\x0d\x01\0\0\x09\x03\x03abcdefg";
const RECORD: &[u8] = b"\x17\x03\x03\0\x05abcde";

/// A TLS session of the process on a new connection.
fn tls(kernel: &mut Kernel, pid: u32, session: u64) -> i32 {
    let fd = kernel.connect(pid, 5432);
    kernel.send(pid, fd, HELLO);
    kernel.receive(pid, fd, RECORD);
    kernel.openssl(pid, Act::Handshake, session, Some(fd), b"");
    fd
}

/// What is said comes before the record that carries it.
fn write(kernel: &mut Kernel, pid: u32, session: u64, fd: i32, data: &[u8]) {
    kernel.openssl(pid, Act::Write, session, Some(fd), data);
    kernel.send(pid, fd, RECORD);
}

/// What is heard comes after it.
fn read(kernel: &mut Kernel, pid: u32, session: u64, fd: i32, data: &[u8]) {
    kernel.receive(pid, fd, RECORD);
    kernel.openssl(pid, Act::Read, session, Some(fd), data);
}

/// PostgreSQL inside TLS, after its login.
fn postgres(kernel: &mut Kernel) -> i32 {
    let fd = tls(kernel, P, S);
    write(kernel, P, S, fd, STARTUP);
    read(kernel, P, S, fd, ANSWER);
    fd
}

fn connection(kernel: &Kernel) -> Connection {
    kernel.connections().into_iter().next().expect("there is one")
}

/// What the newest finding says in all.
fn words(kernel: &Kernel) -> String {
    let finding = kernel.analysis.findings().last().expect("found");
    let steps = finding.evidence.iter().map(|step| step.what.as_str());
    [finding.title.as_str(), &finding.summary].into_iter().chain(steps).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_inside_names_the_protocol_and_moves_no_bytes() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    write(&mut kernel, P, S, fd, QUERY);
    let connection = connection(&kernel);
    assert_eq!((connection.protocol.as_deref(), connection.tls), (Some("PostgreSQL"), true));
    assert!(connection.tls_plaintext);
    let holder = &connection.holders[0];
    let (sent, received) = (HELLO.len() + 2 * RECORD.len(), 2 * RECORD.len());
    assert_eq!((holder.bytes_sent, holder.bytes_received), (sent as u64, received as u64));
    assert_eq!((holder.calls_sent, holder.calls_received), (3, 2));
    assert_eq!(kernel.findings(), []);
}

#[test]
fn a_child_that_ends_the_session_of_its_parent_inside_tls() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    kernel.fork(P, C, 0);
    write(&mut kernel, C, S, fd, TERMINATE);
    kernel.openssl(C, Act::Shutdown, S, Some(fd), b"");
    kernel.send(C, fd, RECORD);
    kernel.close(C, fd);
    assert_eq!(kernel.findings(), [], "a goodbye alone is none");
    write(&mut kernel, P, S, fd, QUERY);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    let words = words(&kernel);
    assert!(words.contains("sent Terminate") && words.contains("PostgreSQL over TLS"), "{words}");
}

/// As without TLS: each says goodbye to a session that was ended already.
#[test]
fn goodbyes_to_one_session_inside_tls() {
    const SECOND: u32 = C + 1;
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    for child in [C, SECOND] {
        kernel.fork(P, child, 0);
    }
    write(&mut kernel, P, S, fd, QUERY);
    read(&mut kernel, P, S, fd, ANSWER);
    for process in [C, SECOND, P] {
        write(&mut kernel, process, S, fd, TERMINATE);
        kernel.openssl(process, Act::Shutdown, S, Some(fd), b"");
        kernel.send(process, fd, RECORD);
    }
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), []);
}

/// What is said inside comes before the record that carries it: that is the goodbye.
#[test]
fn goaway_inside_tls() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    const GOAWAY: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let call = |stream| [&b"\0\0\x01\x01\x05\0\0\0"[..], &[stream, 0x83]].concat();
    let done = |stream| [&b"\0\0\x01\x01\x05\0\0\0"[..], &[stream, 0x88]].concat();
    let mut kernel = Kernel::new();
    let fd = tls(&mut kernel, P, S);
    write(&mut kernel, P, S, fd, PREFACE);
    write(&mut kernel, P, S, fd, &call(1));
    read(&mut kernel, P, S, fd, &done(1));
    kernel.fork(P, C, 0);
    write(&mut kernel, C, S, fd, &call(3));
    read(&mut kernel, C, S, fd, &done(3));
    write(&mut kernel, P, S, fd, GOAWAY);
    assert_eq!(kernel.findings(), []);
    write(&mut kernel, P, S, fd, &call(5));
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
}

/// What the peer says last is hidden in TLS 1.3, too.
#[test]
fn a_parent_that_reads_the_end_of_the_session() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.openssl(C, Act::Shutdown, S, Some(fd), b"");
    kernel.send(C, fd, RECORD);
    write(&mut kernel, P, S, fd, QUERY);
    read(&mut kernel, P, S, fd, b"");
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    assert!(words(&kernel).contains("sent close_notify"), "{}", words(&kernel));
}

/// `SSL_shutdown` that sends nothing only waits for the peer's.
#[test]
fn a_shutdown_that_sends_nothing_is_no_goodbye() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.openssl(C, Act::Shutdown, S, None, b"");
    kernel.close(C, fd);
    write(&mut kernel, P, S, fd, QUERY);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), []);
}

/// The child has the session's counters as its parent has them: the first to read gets a whole record.
#[test]
fn a_reply_inside_tls_that_the_other_process_reads() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    write(&mut kernel, P, S, fd, QUERY);
    kernel.fork(P, C, 0);
    read(&mut kernel, C, S, fd, ANSWER);
    assert_eq!(kernel.findings(), [("stolen-reply", C, Some(fd))]);
}

/// OpenSSL has decrypted more than was read: no system call shows where that belongs. The child has a copy of
/// it, and takes nothing from its parent.
#[test]
fn what_comes_from_openssl_s_own_buffer_is_tied_by_its_session() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    write(&mut kernel, P, S, fd, QUERY);
    read(&mut kernel, P, S, fd, b"1\0\0\0\x04");
    kernel.fork(P, C, 0);
    kernel.openssl(P, Act::Read, S, None, ANSWER);
    kernel.openssl(C, Act::Read, S, None, ANSWER);
    assert_eq!((kernel.findings(), kernel.analysis.model.untied()), (vec![], 0));
}

/// Objects are freed, and others take their places: a handshake says whose it is now. What a child
/// ties, it ties for itself.
#[test]
fn a_session_is_the_newest_handshake_s() {
    let mut kernel = Kernel::new();
    let first = postgres(&mut kernel);
    kernel.fork(P, C, 0);
    kernel.close(C, first);
    let second = tls(&mut kernel, C, S);
    write(&mut kernel, C, S, second, b"*1\r\n$4\r\nPING\r\n");
    kernel.receive(C, second, RECORD);
    kernel.openssl(C, Act::Read, S, None, b"+PONG\r\n");
    kernel.openssl(P, Act::Read, S, None, b"Z\0\0\0\x05I");
    let protocols: Vec<_> = kernel.connections().into_iter().map(|one| one.protocol).collect();
    assert_eq!(protocols, [Some("PostgreSQL".to_owned()), Some("Redis".to_owned())]);
    assert_eq!(kernel.findings(), []);
}

/// A program maps other things where it had its objects.
#[test]
fn an_executed_program_knows_no_session() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    write(&mut kernel, P, S, fd, QUERY);
    kernel.fork(P, C, 0);
    kernel.exec(C);
    kernel.openssl(C, Act::Read, S, None, b"1\0\0\0\x04");
    assert_eq!((kernel.findings(), kernel.analysis.model.untied()), (vec![], 1));
}

/// asyncio carries OpenSSL's bytes in memory, and sends each hello at once, from the same thread.
#[test]
fn a_session_in_memory_is_tied_by_its_hello() {
    const SERVER_HELLO: &[u8] = b"\x16\x03\x03\0\x0d\x02\0\0\x09\x03\x03abcdefg";
    for hello in [HELLO, SERVER_HELLO] {
        let mut kernel = Kernel::new();
        let other = kernel.connect(P, 1);
        let fd = kernel.connect(P, 5432);
        kernel.openssl(P, Act::Handshake, S, None, b"");
        kernel.send(P, fd, hello);
        kernel.send(P, other, HELLO);
        kernel.openssl(P, Act::Write, S, None, STARTUP);
        kernel.send(P, fd, RECORD);
        kernel.receive(P, fd, RECORD);
        kernel.openssl(P, Act::Read, S, None, ANSWER);
        kernel.fork(P, C, 0);
        kernel.openssl(C, Act::Write, S, None, TERMINATE);
        kernel.send(C, fd, RECORD);
        kernel.openssl(P, Act::Write, S, None, QUERY);
        kernel.send(P, fd, RECORD);
        kernel.receive_end(P, fd);
        assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
        let seen: Vec<_> = kernel.connections().iter().map(|one| one.tls_plaintext).collect();
        assert_eq!((seen, kernel.analysis.model.untied()), (vec![false, true], 0));
    }
}

/// What is sent next by another thread, or is no hello, ties nothing.
#[test]
fn what_passes_in_memory_is_counted_and_said() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 443);
    kernel.openssl(P, Act::Handshake, S, None, b"");
    kernel.send(P, fd, b"");
    kernel.send(P, fd, RECORD);
    kernel.send(P, fd, HELLO);
    kernel.openssl(P, Act::Write, S, None, STARTUP);
    kernel.send(P, fd, RECORD);
    assert_eq!(kernel.analysis.model.untied(), 1);
    let connection = connection(&kernel);
    assert_eq!((connection.protocol.as_deref(), connection.tls_plaintext), (Some("TLS"), false));
    let said = kernel.analysis.unread_tls(&[]);
    assert!(said.len() == 1 && said[0].contains("(pid 100)") && said[0].contains("in memory"), "{said:?}");
}

#[test]
fn a_library_that_is_not_probed_is_said() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 443);
    kernel.send(P, fd, HELLO);
    let path = "/venv/libssl.so.3".to_owned();
    let mut facts = Facts::default();
    facts.libraries.insert("libssl".into(), (None, path.clone()));
    kernel.analysis.learn(P, facts);
    let said = |unprobed: &[String]| kernel.analysis.unread_tls(unprobed).concat();
    assert!(
        said(&[]).contains("another library") && said(&["/lib/other".into()]).contains("another library")
    );
    assert!(said(&[path]).contains("is not probed"), "{}", said(&[]));
}

#[test]
fn what_other_libraries_carry_is_said() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 443);
    kernel.send(P, fd, HELLO);
    let said = kernel.analysis.unread_tls(&[]);
    assert!(said.len() == 1 && said[0].contains("no libssl.so loaded"), "{said:?}");
    postgres(&mut kernel);
    assert_eq!(kernel.analysis.unread_tls(&[]), said, "the other one was seen");
}

#[test]
fn a_fork_while_a_request_inside_tls_awaits_its_reply() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    write(&mut kernel, P, S, fd, QUERY);
    kernel.fork(P, C, 0);
    kernel.wait(2_000_000_000);
    kernel.open(P, "/later");
    assert_eq!(kernel.findings(), [("fork-in-flight", P, Some(fd))]);
    assert_eq!(kernel.analysis.findings().last().map(|found| found.severity), Some(Severity::Warning));
    assert!(words(&kernel).contains("a request awaited its reply"), "{}", words(&kernel));
}

/// Whatever is inside, the records' counters are in user memory.
#[test]
fn turns_on_http_1_inside_tls_are_an_error() {
    let mut kernel = Kernel::new();
    let fd = tls(&mut kernel, P, S);
    kernel.fork(P, C, 0);
    for pid in [P, C, P] {
        write(&mut kernel, pid, S, fd, b"GET / HTTP/1.1\r\n\r\n");
        read(&mut kernel, pid, S, fd, b"HTTP/1.1 204 No Content\r\n\r\n");
    }
    assert_eq!(kernel.findings(), [("shared-stream", C, Some(fd))]);
    assert_eq!(kernel.analysis.findings().last().map(|found| found.severity), Some(Severity::Error));
    assert!(words(&kernel).contains("the HTTP/1 over TLS connection"), "{}", words(&kernel));
}

/// The handshake was before: messages are told in the middle of the session.
#[test]
fn a_session_that_was_open_at_the_attach() {
    let mut kernel = Kernel::new();
    let fd = kernel.held_before(P);
    for _ in 0..2 {
        write(&mut kernel, P, S, fd, QUERY);
        read(&mut kernel, P, S, fd, ANSWER);
    }
    assert_eq!(connection(&kernel).protocol.as_deref(), Some("PostgreSQL"));
}

/// What one session says is not the other's.
#[test]
fn two_sessions_are_two() {
    let mut kernel = Kernel::new();
    postgres(&mut kernel);
    let redis = tls(&mut kernel, P, OTHER);
    write(&mut kernel, P, OTHER, redis, b"*1\r\n$4\r\nPING\r\n");
    read(&mut kernel, P, OTHER, redis, b"+PONG\r\n");
    let protocols: Vec<_> = kernel.connections().into_iter().map(|one| one.protocol).collect();
    assert_eq!(protocols, [Some("PostgreSQL".to_owned()), Some("Redis".to_owned())]);
}

#[test]
fn records_that_cannot_be_are_passed_over() {
    let mut kernel = Kernel::new();
    let fd = postgres(&mut kernel);
    let file = kernel.at(P, fd);
    for record in [
        Plaintext { act: 9, ret: 5, session: S, file, ..Plaintext::default() },
        Plaintext { act: Act::Read as u16, ret: i64::MIN, session: S, file, ..Plaintext::default() },
        Plaintext { act: Act::Write as u16, ret: i64::MAX, session: S, file, fd, ..Plaintext::default() },
    ] {
        kernel.plaintext(P, record, b"");
    }
    assert_eq!(kernel.findings(), []);
}
