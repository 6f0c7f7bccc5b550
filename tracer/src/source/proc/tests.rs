//! /proc of the test's own process and its children says what the test knows.

use super::{key, snapshot, threads, with_descendants};
use crate::event::{Event, SnapshotFd, What};
use crate::model::Model;
use forkscope_proto::{FileKind, Socket};
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Child, Command, Stdio, id};

fn own() -> impl Fn(RawFd) -> SnapshotFd {
    let (_, seen) = snapshot(id()).expect("lives");
    assert!(seen.whole);
    move |fd| seen.descriptors.iter().find(|entry| entry.fd == fd).cloned().expect("listed")
}

fn owned(fd: RawFd) -> OwnedFd {
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: a call just made it, for the caller alone.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn cat(stdin: Stdio) -> Child {
    Command::new("cat").arg("-").stdin(stdin).stdout(Stdio::null()).spawn().expect("cat")
}

#[test]
fn descriptors_of_each_kind_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let regular = tempfile::tempfile().expect("a file");
    let null = File::open("/dev/null").expect("there");
    let directory = File::open(folder.path()).expect("there");
    let (pipe, _other) = std::io::pipe().expect("a pipe");
    // SAFETY: these calls take plain numbers and make a new descriptor.
    let (epoll, eventfd) = unsafe { (libc::epoll_create1(0), libc::eventfd(0, libc::EFD_CLOEXEC)) };
    let (epoll, eventfd) = (owned(epoll), owned(eventfd));
    let (stream, _peer) = UnixStream::pair().expect("sockets");
    let at = own();
    for (fd, kind, cloexec, device, path) in [
        (regular.as_raw_fd(), FileKind::Regular, true, 0, true),
        (directory.as_raw_fd(), FileKind::Directory, true, 0, true),
        (null.as_raw_fd(), FileKind::CharDevice, true, 1 << 20 | 3, true),
        (pipe.as_raw_fd(), FileKind::Pipe, true, 0, false),
        (epoll.as_raw_fd(), FileKind::Epoll, false, 0, false),
        (eventfd.as_raw_fd(), FileKind::Eventfd, true, 0, false),
        (stream.as_raw_fd(), FileKind::Socket, true, 0, false),
    ] {
        let entry = at(fd);
        let found = (entry.file.kind(), entry.cloexec, entry.file.device, entry.path.is_some());
        assert_eq!(found, (kind, cloexec, device, path), "fd {fd}");
        let stat = fs::metadata(format!("/proc/self/fd/{fd}")).expect("open");
        assert_eq!(entry.file.inode, stat.ino(), "fd {fd}");
    }
}

#[test]
fn internet_sockets_have_their_addresses() {
    for ip in ["127.0.0.1", "[::1]"] {
        let any = format!("{ip}:0");
        let listener = TcpListener::bind(&any).expect("a port");
        let bound = listener.local_addr().expect("bound");
        let stream = TcpStream::connect(bound).expect("a connection");
        let port = stream.local_addr().expect("connected").port();
        let datagram = UdpSocket::bind(&any).expect("a port");
        let udp = datagram.local_addr().expect("bound").port();
        let family = if bound.is_ipv4() { 2 } else { 10 };
        let at = own();
        for (fd, expected) in [
            (listener.as_raw_fd(), (family, 1, 6, 10, bound.port(), 0)),
            (stream.as_raw_fd(), (family, 1, 6, 1, port, bound.port())),
            (datagram.as_raw_fd(), (family, 2, 17, 7, udp, 0)),
        ] {
            let socket = at(fd).socket.expect("in the tables");
            let Socket { family, kind, protocol, state, local_port, remote_port, .. } = socket;
            assert_eq!((family, kind, protocol, state, local_port, remote_port), expected, "{ip}");
            assert_eq!(socket.file, at(fd).file);
            let netns = fs::metadata("/proc/self/ns/net").expect("there").ino();
            assert_eq!(u64::from(socket.netns), netns);
        }
        let mut address = [0; 16];
        match bound.ip() {
            std::net::IpAddr::V4(ip) => address[..4].copy_from_slice(&ip.octets()),
            std::net::IpAddr::V6(ip) => address = ip.octets(),
        }
        let socket = at(stream.as_raw_fd()).socket.expect("in the tables");
        assert_eq!((socket.local, socket.remote), (address, address));
    }
}

#[test]
fn unix_sockets_have_their_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a socket");
    let name = path.to_str().expect("text");
    let listener = UnixListener::bind(&path).expect("a socket");
    let client = UnixStream::connect(&path).expect("a connection");
    let (server, _) = listener.accept().expect("the connection");
    let alone = UnixDatagram::unbound().expect("a socket");
    let at = own();
    let inode = |fd| at(fd).file.inode;
    for (fd, kind, state, path, peer) in [
        (listener.as_raw_fd(), 1, 10, Some(name), 0),
        // Who connects has no name of its own: its peer's says where it went.
        (client.as_raw_fd(), 1, 1, Some(name), inode(server.as_raw_fd())),
        (server.as_raw_fd(), 1, 1, Some(name), inode(client.as_raw_fd())),
        (alone.as_raw_fd(), 2, 7, None, 0),
    ] {
        let entry = at(fd);
        let socket = entry.socket.expect("in the table");
        assert_eq!((socket.family, socket.kind, socket.state), (1, kind, state), "fd {fd}");
        assert_eq!((entry.path.as_deref(), socket.peer), (path, peer), "fd {fd}");
    }
}

#[test]
fn a_unix_client_that_was_connected_before_is_a_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    let client = UnixStream::connect(&path).expect("a connection");
    // Until it is accepted, the other end has no inode.
    let (_server, _) = listener.accept().expect("the connection");
    let (one, _other) = UnixStream::pair().expect("a pair");
    let (process, seen) = snapshot(id()).expect("lives");
    let mut model = Model::default();
    let event = Event { time: 1, process, tid: id(), what: What::Snapshot(&seen) };
    model.apply(&event, &mut Vec::new());
    let known = |file: RawFd| {
        let entry = seen.descriptors.iter().find(|entry| entry.fd == file).expect("listed");
        model.sockets().find(|socket| socket.inode == entry.file.inode).expect("known")
    };
    let socket = known(client.as_raw_fd());
    assert!(socket.is_connection());
    assert_eq!(socket.remote().to_string(), format!("unix:{}", path.display()));
    assert!(!known(one.as_raw_fd()).is_connection(), "a pair leads to relatives only");
    assert!(!known(listener.as_raw_fd()).is_connection());
}

#[test]
fn a_child_is_a_descendant_and_no_process_is_no_process() {
    let mut child = cat(Stdio::piped());
    let found = with_descendants(id());
    assert_eq!(found[0], id());
    assert!(found.contains(&child.id()));
    assert_eq!(threads(child.id()).expect("lives"), 1);
    drop(child.stdin.take());
    child.wait().expect("ends");
    assert!(key(child.id()).is_err());
    assert!(snapshot(child.id()).is_err());
    assert!(snapshot(u32::MAX).is_err());
}

/// Two looks at the same processes say the same, in the same order.
#[test]
fn descendants_are_told_by_number() {
    let mut children: Vec<Child> = (0..5).map(|_| cat(Stdio::piped())).collect();
    let own: Vec<u32> = children.iter().map(Child::id).collect();
    let found: Vec<u32> = with_descendants(id()).into_iter().filter(|pid| own.contains(pid)).collect();
    assert!(found.len() == own.len() && found.is_sorted(), "{found:?}");
    for child in &mut children {
        drop(child.stdin.take());
        child.wait().expect("ends");
    }
}

#[test]
fn a_child_is_told_with_what_it_inherited() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("a connection");
    let port = stream.local_addr().expect("connected").port();
    let (served, _) = listener.accept().expect("the connection");
    let mut child = cat(Stdio::from(OwnedFd::from(stream)));
    // Its descriptors are set before its command line is (`begin_new_exec` and `create_elf_tables`, fs/).
    let look = || snapshot(child.id()).expect("waits for its input");
    let (found, seen) =
        std::iter::repeat_with(look).find(|(_, seen)| !seen.cmdline.is_empty()).expect("a program");
    assert_eq!(found, key(child.id()).expect("lives"));
    assert_eq!((seen.ppid, &*seen.comm, &*seen.cmdline), (id(), "cat", &b"cat\0-\0"[..]));
    let input = seen.descriptors.iter().find(|entry| entry.fd == 0).expect("its input");
    assert!(!input.cloexec);
    assert_eq!(input.socket.expect("in the table").local_port, port);
    drop(served);
    child.wait().expect("ends with its input");
}

#[test]
fn every_socket_of_many_is_told() {
    let pairs: Vec<_> = (0..100).map(|_| UnixStream::pair().expect("sockets")).collect();
    let at = own();
    for socket in pairs.iter().flat_map(|(one, other)| [one, other]) {
        assert!(at(socket.as_raw_fd()).socket.is_some_and(|socket| socket.state == 1));
    }
}
