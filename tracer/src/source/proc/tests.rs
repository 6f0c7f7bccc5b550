//! /proc of the test's own process says what the test knows.

use super::{key, snapshot, with_descendants};
use forkscope_proto::FileKind;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;

#[test]
fn descriptors_of_each_kind_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("a connection");
    let unix = UnixListener::bind(folder.path().join("socket")).expect("a socket");
    let null = File::open("/dev/null").expect("there");
    let (pipe, _other) = std::io::pipe().expect("a pipe");
    let (_, seen) = snapshot(std::process::id()).expect("lives");
    let at = |fd: i32| seen.descriptors.iter().find(|entry| entry.fd == fd).expect("listed");
    for (fd, kind) in [
        (listener.as_raw_fd(), FileKind::Socket),
        (unix.as_raw_fd(), FileKind::Socket),
        (null.as_raw_fd(), FileKind::CharDevice),
        (pipe.as_raw_fd(), FileKind::Pipe),
    ] {
        assert_eq!(at(fd).file.kind(), kind, "fd {fd}");
        assert!(at(fd).cloexec, "fd {fd}");
    }
    assert_eq!(at(null.as_raw_fd()).file.device, 1 << 20 | 3);
    let socket = at(stream.as_raw_fd()).socket.expect("in the namespace");
    assert_eq!(socket.remote_port, listener.local_addr().expect("bound").port());
    assert_eq!((socket.state, &socket.remote[..4]), (1, &[127, 0, 0, 1][..]));
    assert!(at(unix.as_raw_fd()).path.as_deref().is_some_and(|path| path.ends_with("/socket")));
}

#[test]
fn a_child_is_a_descendant_and_no_process_is_no_process() {
    let mut child =
        std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().expect("cat");
    let own = std::process::id();
    let found = with_descendants(own);
    assert_eq!(found[0], own);
    assert!(found.contains(&child.id()));
    drop(child.stdin.take());
    child.wait().expect("ends");
    assert!(key(child.id()).is_err());
}
