//! HTTP/2 in the report and in the findings' words: who opened which stream, what was called, how it ended.

use super::{C, Kernel, P};
use crate::report::{Goaway, Stream};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\x01\0\0";
/// `POST /p.S/One`, `/p.S/Two`, of gRPC.
const ONE: &[u8] = b"\0\0\x1e\x01\x04\0\0\0\x01\x83\x5f\x10application/grpc\x44\x08/p.S/One\x86";
const TWO: &[u8] = b"\0\0\x0d\x01\x04\0\0\0\x03\x83\xbf\x44\x08/p.S/Two\x86";
/// The same as [`ONE`], on stream 3.
const ONE_AGAIN: &[u8] = b"\0\0\x0c\x01\x04\0\0\0\x03\x83\x04\x08/p.S/One\x86";
const ANSWER: &[u8] = b"\0\0\x13\x01\x04\0\0\0\x03\x88\x5f\x10application/grpc\
    \0\0\x05\0\0\0\0\0\x03\0\0\0\0\0\0\0\x10\x01\x05\0\0\0\x03\x40\x0bgrpc-status\x0214";

fn told(kernel: &Kernel) -> Vec<Stream> {
    kernel.connections()[0].http2.clone().expect("it speaks HTTP/2").streams
}

/// One line a stream and process: what it did, what it called, how that ended.
fn rows(streams: &[Stream]) -> Vec<String> {
    let row = |one: &Stream| {
        let opened = if one.opened { "opened" } else { "used" };
        let [method, status] = [&one.method, &one.grpc_status].map(|text| text.as_deref().unwrap_or("-"));
        format!("{} {opened} {}: {method} {status}", one.pid, one.id)
    };
    streams.iter().map(row).collect()
}

/// Who says GOAWAY finishes what it has open: that is use, and the other's beside it is shared.
#[test]
fn who_says_goaway_may_go_on() {
    const GOAWAY: &[u8] = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
    const SETTINGS_ACK: &[u8] = b"\0\0\0\x04\x01\0\0\0\0";
    const DATA: &[u8] = b"\0\0\x05\0\0\0\0\0\x01\0\0\0\0\0";
    for goes_on in [false, true] {
        let mut kernel = Kernel::new();
        let fd = kernel.connect(P, 80);
        kernel.send(P, fd, PREFACE);
        kernel.send(P, fd, ONE);
        kernel.fork(P, C, 0);
        kernel.send(C, fd, TWO);
        kernel.send(P, fd, GOAWAY);
        kernel.receive(P, fd, SETTINGS_ACK);
        assert_eq!(kernel.findings(), []);
        if goes_on {
            kernel.send(P, fd, DATA);
            kernel.receive(P, fd, DATA);
        }
        let expected = if goes_on { vec![("shared-stream", P, Some(fd))] } else { vec![] };
        assert_eq!(kernel.findings(), expected);
    }
}

#[test]
fn one_stream_id_twice_says_what_was_called() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, PREFACE);
    kernel.send(P, fd, ONE);
    kernel.fork(P, C, 0);
    kernel.send(C, fd, TWO);
    kernel.receive(C, fd, ANSWER);
    kernel.send(P, fd, ONE_AGAIN);
    assert_eq!(kernel.findings(), [("shared-stream", P, Some(fd))]);
    let finding = kernel.analysis.findings().last().expect("found");
    let what = "100 opened HTTP/2 stream 3 for /p.S/One, which 200 had opened for /p.S/Two";
    assert!(finding.evidence.iter().any(|step| step.what == what), "{:#?}", finding.evidence);
    let streams = told(&kernel);
    assert_eq!(
        rows(&streams),
        [
            "100 used 0: - -",
            "100 opened 1: /p.S/One -",
            "200 opened 3: /p.S/Two UNAVAILABLE",
            "100 opened 3: /p.S/One -",
        ]
    );
    assert_eq!((streams[2].messages_sent, streams[2].messages_received), (Some(0), Some(1)));
    assert_eq!((streams[2].verb.as_deref(), streams[2].status), (Some("POST"), Some(200)));
    assert_eq!(streams[0].frames_sent, [("SETTINGS".to_owned(), 1)].into());
    let http2 = kernel.connections()[0].http2.clone().expect("it speaks HTTP/2");
    assert_eq!(http2.settings_sent, [("INITIAL_WINDOW_SIZE".to_owned(), 65536)].into());
}

#[test]
fn a_stolen_answer_says_whose_call_it_was() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, PREFACE);
    kernel.send(P, fd, ONE);
    kernel.fork(P, C, 0);
    kernel.receive(C, fd, b"\0\0\x01\x01\x05\0\0\0\x01\x88");
    let findings = kernel.findings();
    assert_eq!(findings.first(), Some(&("stolen-reply", C, Some(fd))));
    let finding =
        kernel.analysis.findings().iter().find(|one| one.rule.name() == "stolen-reply").expect("found");
    assert!(finding.summary.contains("sent a request for /p.S/One on stream 1"), "{}", finding.summary);
}

#[test]
fn a_cancelled_call_says_which_and_how() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, PREFACE);
    kernel.send(P, fd, ONE);
    kernel.fork(P, C, 0);
    kernel.send(C, fd, b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08");
    assert_eq!(kernel.findings(), [("foreign-goodbye", C, Some(fd))]);
    let title = &kernel.analysis.findings().last().expect("found").title;
    let what = "200 sent RST_STREAM (CANCEL) on HTTP/2 stream 1, which 100 had opened for /p.S/One";
    assert!(title.starts_with(what), "{title}");
    assert_eq!(told(&kernel).last().and_then(|one| one.reset_sent.as_deref()), Some("CANCEL"));
}

/// Who opened the stream has handed the session over.
#[test]
fn a_call_of_one_that_has_closed_its_copy_is_cancelled_for_it() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, PREFACE);
    kernel.send(P, fd, ONE);
    kernel.fork(P, C, 0);
    kernel.close(P, fd);
    kernel.send(C, fd, b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08");
    assert_eq!(kernel.findings(), []);
}

#[test]
fn a_goaway_is_told_without_its_words() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 80);
    kernel.send(P, fd, PREFACE);
    kernel.receive(P, fd, b"\0\0\x0e\x07\0\0\0\0\0\0\0\0\x05\0\0\0\x0bsecret");
    let http2 = kernel.connections()[0].http2.clone().expect("it speaks HTTP/2");
    let error = "ENHANCE_YOUR_CALM".to_owned();
    assert_eq!(http2.goaways, [Goaway { pid: P, sent: false, last_stream: 5, error }]);
}
