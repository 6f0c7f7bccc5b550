//! Whose reply it is, after some that were longer than what is captured.

use super::{ANSWER, C, Kernel, P, QUERY, STARTUP, ask};
use forkscope_proto::calls;

/// PostgreSQL's first reply as it is: longer than the 256 bytes that are captured.
#[test]
fn a_stolen_reply_after_a_login_of_usual_length() {
    let mut login = b"R\0\0\0\x08\0\0\0\0".to_vec();
    for (name, value) in [
        ("in_hot_standby", "off"),
        ("integer_datetimes", "on"),
        ("TimeZone", "Etc/UTC"),
        ("IntervalStyle", "postgres"),
        ("is_superuser", "off"),
        ("application_name", ""),
        ("default_transaction_read_only", "off"),
        ("scram_iterations", "4096"),
        ("DateStyle", "ISO, MDY"),
        ("standard_conforming_strings", "on"),
        ("session_authorization", "app"),
        ("client_encoding", "UTF8"),
        ("server_version", "17.5 (Debian 17.5-1.pgdg120+1)"),
        ("server_encoding", "UTF8"),
    ] {
        let body = format!("{name}\0{value}\0");
        login.push(b'S');
        login.extend((body.len() as u32 + 4).to_be_bytes());
        login.extend(body.bytes());
    }
    login.extend(b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x02Z\0\0\0\x05I");
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 5432);
    kernel.send(P, fd, STARTUP);
    kernel.transfer(P, calls::RECVFROM, fd, &login[..256], login.len() as i64);
    // Where the first one's answer begins is a guess; the next is seen whole.
    ask(&mut kernel, P, fd);
    ask(&mut kernel, P, fd);
    kernel.send(P, fd, QUERY);
    kernel.fork(P, C, 0);
    kernel.receive(C, fd, ANSWER);
    // P waits in poll(2) for ever.
    assert_eq!(kernel.findings(), [("stolen-reply", C, Some(fd))]);
}

/// Where requests were missed, which reply is whose stays a guess.
#[test]
fn a_reply_after_requests_that_were_missed() {
    let mut kernel = Kernel::new();
    let fd = kernel.connect(P, 5432);
    kernel.send(P, fd, STARTUP);
    kernel.receive(P, fd, ANSWER);
    // Of sendmmsg only the length is known.
    kernel.transfer(P, calls::SENDMMSG, fd, QUERY, 1);
    kernel.receive(P, fd, ANSWER);
    ask(&mut kernel, P, fd);
    kernel.send(P, fd, QUERY);
    kernel.fork(P, C, 0);
    kernel.receive(C, fd, ANSWER);
    assert_eq!(kernel.findings(), []);
}
