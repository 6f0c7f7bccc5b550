//! The program's pieces, and the program.

use super::*;
use std::io::{Read, Write, pipe};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, exit};
use std::thread;

/// Set in the copy of this test's process that runs the program: it forks, and the
/// tests' process has threads.
const PROGRAM: &str = "FORKSCOPE_TEST_DEMO_PROGRAM";

#[test]
fn a_client_gets_its_answers() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (controlled, control) = pipe().unwrap();
    let server = thread::spawn(move || server::serve(&listener, controlled));

    let mut first = Channel::open(address).unwrap();
    let mut second = Channel::open(address).unwrap();
    first.say_hello().unwrap();
    second.say_hello().unwrap();
    first.say_hello().unwrap();
    first.close().unwrap();
    second.say_hello().unwrap();
    second.close().unwrap();

    drop(control);
    assert_eq!(server.join().unwrap().unwrap(), 4);
}

#[test]
fn nonsense_ends_only_its_own_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (controlled, control) = pipe().unwrap();
    let server = thread::spawn(move || server::serve(&listener, controlled));

    let mut good = Channel::open(address).unwrap();
    let mut bad = std::net::TcpStream::connect(address).unwrap();
    bad.set_read_timeout(Some(channel::PATIENCE)).unwrap();
    bad.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(matches!(bad.read(&mut [0]), Ok(0) | Err(_)));
    good.say_hello().unwrap();
    good.close().unwrap();

    drop(control);
    assert_eq!(server.join().unwrap().unwrap(), 1);
}

#[test]
fn the_program_shows_the_bug() {
    if std::env::var_os(PROGRAM).is_some() {
        exit(program());
    }
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "demo::tests::the_program_shows_the_bug", "--nocapture"])
        .env(PROGRAM, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}: {printed}", ran.status);

    // What the test harness prints itself has no brackets.
    let lines: Vec<_> =
        printed.lines().filter_map(|line| line.split_once("] ").map(|(_, what)| what)).collect();
    let check = |at: usize, start: &str| assert!(lines[at].starts_with(start), "line {at} of {lines:#?}");
    check(0, "listens on 127.0.0.1:");
    check(1, "called the server on fd ");
    check(2, "forks a child, with the connection open on fd ");
    check(3, "the library closed the inherited fd ");
    check(4, "opened /dev/null as its stdin, which took the number ");
    check(5, "calls the server on what it takes for a channel of its own, fd ");
    check(6, "the call failed: Socket operation on non-socket (os error 88)");
    check(7, "called the server on fd ");
    check(8, "calls answered: 2");
    check(9, "done: ");
    assert_eq!(lines.len(), 10, "{lines:#?}");
}
