//! Sessions of message brokers, of MongoDB and of TLS that cross a fork.

use super::{C, Kernel, P};
use crate::model::Facts;
use crate::report::{Connection, RuleId, TlsSession, sample};

/// An AMQP method without arguments, on a channel.
fn method(channel: u8, class: u8, number: u8) -> Vec<u8> {
    vec![1, 0, channel, 0, 0, 0, 4, 0, class, 0, number, 0xce]
}

/// Who sends or receives what.
type Step<'a> = (u32, bool, &'a [u8]);
const SENDS: bool = true;
const RECEIVES: bool = false;

/// P opens a session, forks C, and they go on.
fn story(opening: &[Step<'_>], after: &[Step<'_>]) -> (Kernel, i32) {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 4000);
    let step = |kernel: &mut Kernel, &(who, sends, bytes): &Step<'_>| match sends {
        SENDS => kernel.send(who, fd, bytes),
        RECEIVES => kernel.receive(who, fd, bytes),
    };
    opening.iter().for_each(|one| step(&mut kernel, one));
    kernel.fork(P, C, 0);
    after.iter().for_each(|one| step(&mut kernel, one));
    (kernel, fd)
}

fn amqp(after: &[Step<'_>]) -> (Kernel, i32) {
    let (open, opened) = (method(1, 20, 10), method(1, 20, 11));
    story(&[(P, SENDS, b"AMQP\0\0\x09\x01"), (P, SENDS, &open), (P, RECEIVES, &opened)], after)
}

#[test]
fn a_child_that_closes_its_parent_s_channel() {
    let (close, closed, end, ended) =
        (method(1, 20, 40), method(1, 20, 41), method(0, 10, 50), method(0, 10, 51));
    let closes = [(C, SENDS, &close[..]), (C, RECEIVES, &closed), (C, SENDS, &end), (C, RECEIVES, &ended)];
    let (mut kernel, fd) = amqp(&closes);
    assert_eq!(kernel.findings(), [], "it may have been handed over");
    kernel.send(P, fd, &method(1, 60, 40));
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings().len(), 1, "{:?}", kernel.findings());
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.title.contains("closed AMQP channel 1"), "{}", finding.title);
}

/// Each says goodbye, and one reads the answer to that.
#[test]
fn goodbyes_to_one_broker() {
    let (end, ended) = (method(0, 10, 50), method(0, 10, 51));
    let publish = method(1, 60, 40);
    let (mut kernel, fd) = amqp(&[(P, SENDS, &publish), (C, SENDS, &end), (P, SENDS, &end)]);
    kernel.receive(C, fd, &ended);
    kernel.receive(P, fd, &ended);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), []);
}

#[test]
fn a_child_that_ends_its_parent_s_session_unread() {
    let (end, ended) = (method(0, 10, 50), method(0, 10, 51));
    let publish = method(1, 60, 40);
    let (kernel, fd) = amqp(&[(C, SENDS, &end), (P, SENDS, &publish), (P, RECEIVES, &ended)]);
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.title.contains("read the peer's Connection.CloseOk"), "{}", finding.title);
}

#[test]
fn both_open_one_channel() {
    let (open, opened) = (method(2, 20, 10), method(2, 20, 11));
    let (kernel, fd) = amqp(&[(C, SENDS, &open), (C, RECEIVES, &opened), (P, SENDS, &open)]);
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    assert!(finding.title.contains("both opened AMQP channel 2"), "{}", finding.title);
}

#[test]
fn a_child_that_makes_its_own_session_or_only_exits() {
    for connects in [true, false] {
        let (mut kernel, fd) = amqp(&[]);
        if connects {
            let own = kernel.connect(C, 4000);
            kernel.send(C, own, b"AMQP\0\0\x09\x01");
            kernel.send(C, own, &method(1, 20, 10));
            kernel.receive(C, own, &method(1, 20, 11));
            kernel.send(C, own, &method(0, 10, 50));
            kernel.receive(C, own, &method(0, 10, 51));
            kernel.close(C, own);
        }
        kernel.exit(C);
        kernel.send(P, fd, &method(1, 60, 40));
        kernel.send(P, fd, &method(0, 10, 50));
        kernel.receive(P, fd, &method(0, 10, 51));
        kernel.receive_end(P, fd);
        assert_eq!(kernel.findings(), [], "connects: {connects}");
    }
}

#[test]
fn a_session_handed_over_ends_where_it_went() {
    let (declare, declared) = (method(1, 50, 10), method(1, 50, 11));
    let (close, closed, end, ended) =
        (method(1, 20, 40), method(1, 20, 41), method(0, 10, 50), method(0, 10, 51));
    let (mut kernel, fd) = amqp(&[
        (C, SENDS, &declare),
        (C, RECEIVES, &declared),
        (C, SENDS, &close),
        (C, RECEIVES, &closed),
        (C, SENDS, &end),
        (C, RECEIVES, &ended),
    ]);
    kernel.receive_end(C, fd);
    kernel.close(C, fd);
    kernel.close(P, fd);
    assert_eq!(kernel.findings(), []);
}

#[test]
fn replies_read_by_who_did_not_ask() {
    let versions = b"\0\0\0\x0f\0\x12\0\0\0\0\0\x01\0\x03appab".as_slice();
    let fetch = b"\0\0\0\x0f\0\x01\0\x04\0\0\0\x02\0\x03appab".as_slice();
    let hello = b"\x1a\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x05\0\0\0\0".as_slice();
    let find = b"\x1a\0\0\0\x02\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x05\0\0\0\0".as_slice();
    let found = b"\x1a\0\0\0\x09\0\0\0\x02\0\0\0\xdd\x07\0\0\0\0\0\0\0\x05\0\0\0\0".as_slice();
    let connect = b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0".as_slice();
    for (opening, ask, answer) in [
        (versions, fetch, b"\0\0\0\x06\0\0\0\x02ab".as_slice()),
        (hello, find, found),
        (connect, b"\xc0\0", b"\xd0\0"),
        (b"AMQP\0\0\x09\x01", &method(1, 20, 10), &method(1, 20, 11)),
    ] {
        let opening = [(P, SENDS, opening)];
        let (kernel, fd) = story(&opening, &[(P, SENDS, ask), (P, RECEIVES, answer)]);
        assert_eq!(kernel.findings(), [], "{}", ask.escape_ascii());
        drop(kernel);
        let (kernel, _) = story(&opening, &[(P, SENDS, ask), (C, RECEIVES, answer)]);
        assert_eq!(kernel.findings(), [("stolen-reply", C, Some(fd))], "{}", ask.escape_ascii());
    }
}

#[test]
fn a_child_that_says_goodbye() {
    let connect = b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0".as_slice();
    for (opening, goodbye, more) in [
        (connect, b"\xe0\0".as_slice(), b"\xc0\0".as_slice()),
        (b"*1\r\n$4\r\nPING\r\n", b"*1\r\n$4\r\nQUIT\r\n", b"*1\r\n$4\r\nPING\r\n"),
    ] {
        let (mut kernel, fd) = story(&[(P, SENDS, opening)], &[(C, SENDS, goodbye), (P, SENDS, more)]);
        assert_eq!(kernel.findings(), []);
        kernel.receive_end(P, fd);
        assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    }
}

/// The hellos of a client that names `a.test`, and of a server that chooses 1.2, or 1.3 in an extension.
fn hellos(is_1_3: bool) -> [Vec<u8>; 2] {
    let client = [&b"\x16\x03\x01\0\x4d\x01\0\0\x49\x03\x03"[..], &[7; 32], b"\0\0\x02\x13\x01\x01\0\0\x1e"];
    let client =
        [&client.concat()[..], b"\0\0\0\x0b\0\x09\0\0\x06a.test\0\x10\0\x05\0\x03\x02h2\0\x17\0\x02\0\0"]
            .concat();
    let (record, length, extension) = match is_1_3 {
        true => (b"\x16\x03\x03\0\x32\x02\0\0\x2e\x03\x03", b"\0\x06", b"\0\x2b\0\x02\x03\x04".as_slice()),
        false => {
            (b"\x16\x03\x03\0\x35\x02\0\0\x31\x03\x03", b"\0\x09", b"\0\x10\0\x05\0\x03\x02h2".as_slice())
        }
    };
    [client, [&record[..], &[8; 32], b"\0\x13\x01\0", length, extension].concat()]
}

fn tls(is_1_3: bool, after: &[Step<'_>]) -> (Kernel, i32, Connection) {
    let [client, server] = hellos(is_1_3);
    let (kernel, fd) = story(&[(P, SENDS, &client), (P, RECEIVES, &server)], after);
    let mut connections = kernel.analysis.report(sample::report().session).connections;
    (kernel, fd, connections.pop().expect("a connection"))
}

const DATA: &[u8] = b"\x17\x03\x03\0\x04abcd";
const ALERT: &[u8] = b"\x15\x03\x03\0\x1aabcdefghijklmnopqrstuvwxyz";

#[test]
fn a_tls_session_that_both_use() {
    let uses = |who| [(who, SENDS, DATA), (who, RECEIVES, DATA)];
    for (is_1_3, version, protocol, chosen) in
        [(true, "TLS 1.3", "TLS", None), (false, "TLS 1.2", "HTTP/2", Some("h2"))]
    {
        let (kernel, fd, connection) = tls(is_1_3, &[uses(C), uses(P)].concat());
        assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
        let session = TlsSession {
            version: Some(version.into()),
            server_name: Some("a.test".into()),
            alpn_offered: vec!["h2".into()],
            alpn: chosen.map(str::to_owned),
        };
        assert_eq!((connection.tls, connection.protocol.as_deref()), (true, Some(protocol)));
        assert_eq!(connection.tls_session, Some(session));
    }
}

/// That it is encrypted does not make it awaited.
#[test]
fn a_tls_session_that_is_kept_open() {
    let (mut kernel, fd, _) = tls(true, &[(P, SENDS, DATA), (P, RECEIVES, DATA)]);
    kernel.close(P, fd);
    kernel.wait(2_000_000_000);
    kernel.open(P, "/later");
    assert_eq!(kernel.findings(), [("pinned-connection", C, Some(fd))]);
}

#[test]
fn a_tls_session_whose_opening_was_not_seen() {
    let mut kernel = Kernel::new();
    let fd = kernel.held_before(P);
    kernel.send(P, fd, DATA);
    let connections = kernel.analysis.report(sample::report().session).connections;
    let told = connections.first().map(|one| (one.tls, one.tls_session.clone()));
    assert_eq!(told, Some((true, None)));
}

/// Inside TLS, gRPC has its own cures.
#[test]
fn grpc_over_tls_is_advised_as_grpc() {
    for (library, expected) in
        [("grpc", "close the channel before the fork"), ("libssl", "open the TLS connection")]
    {
        let (mut kernel, _, _) = tls(true, &[(C, SENDS, DATA), (P, SENDS, DATA), (P, RECEIVES, DATA)]);
        let mut facts = Facts::default();
        facts.libraries.insert(library.into(), (None, String::new()));
        kernel.analysis.learn(P, facts);
        let findings = kernel.analysis.take_fresh();
        let shared = findings.iter().find(|finding| finding.rule == RuleId::SharedStream).expect("found");
        assert!(shared.fix[0].text.contains(expected), "{:?}", shared.fix);
    }
}

/// The library of the parent reads the peer's own close_notify, and no end of the stream.
#[test]
fn a_child_that_ends_its_parent_s_tls_session() {
    let after = [(C, SENDS, ALERT), (P, SENDS, DATA), (P, RECEIVES, ALERT)];
    let (kernel, fd, _) = tls(false, &after);
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    // What the child sent before it, nobody answered: its session's own goodbye.
    let (mut kernel, fd, _) = tls(false, &[(C, SENDS, DATA), (C, SENDS, ALERT), (P, SENDS, DATA)]);
    assert_eq!(kernel.findings(), []);
    kernel.receive_end(P, fd);
    assert_eq!(kernel.findings(), [("foreign-goodbye", P, Some(fd))]);
    let after = [(C, SENDS, DATA), (C, RECEIVES, DATA), (C, SENDS, ALERT), (P, SENDS, DATA)];
    let (kernel, fd, _) = tls(false, &after);
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
    // With TLS 1.3 that was no alert, as far as can be seen.
    let after = [(C, SENDS, DATA), (P, SENDS, DATA), (P, RECEIVES, DATA)];
    let (kernel, fd, _) = tls(true, &after);
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
}

#[test]
fn a_tls_session_handed_over_ends_where_it_went() {
    for is_1_3 in [true, false] {
        let uses = [(C, SENDS, DATA), (C, RECEIVES, DATA), (C, SENDS, ALERT), (C, RECEIVES, ALERT)];
        let (mut kernel, fd, _) = tls(is_1_3, &uses);
        kernel.receive_end(C, fd);
        kernel.exit(C);
        kernel.close(P, fd);
        assert_eq!(kernel.findings(), []);
    }
}

/// Servers read a byte, then as many as that says: what was accepted is read from its first byte.
#[test]
fn what_a_server_accepts_is_known_however_it_reads() {
    let connect = b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0";
    let startup = b"\0\0\0\x0d\0\x03\0\0user\0";
    for (bytes, protocol) in
        [(connect.as_slice(), "MQTT"), (startup, "PostgreSQL"), (b"AMQP\0\0\x09\x01", "AMQP")]
    {
        for piece in [1, 2, 4, 99] {
            let mut kernel = Kernel::new();
            let fd = kernel.accept(P, 4000);
            bytes.chunks(piece).for_each(|part| kernel.receive(P, fd, part));
            let connections = kernel.analysis.report(sample::report().session).connections;
            assert_eq!(connections[0].protocol.as_deref(), Some(protocol), "in pieces of {piece}");
        }
    }
}
