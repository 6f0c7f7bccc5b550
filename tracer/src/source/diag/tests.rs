//! The kernel's answers about the test's own sockets, and bytes that are no answers.

use super::*;
use crate::inspect::SeenSocket;
use proptest::prelude::*;
use rustc_hash::FxHashMap;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};

const TCP4: Table = Table::Inet { family: 2, kind: 1, protocol: 6 };
const TCP6: Table = Table::Inet { family: 10, kind: 1, protocol: 6 };

fn all(table: Table) -> FxHashMap<u64, SeenSocket> {
    let mut found = FxHashMap::default();
    let diag = Diag::of(std::process::id()).expect("this kernel has sock_diag");
    diag.each(table, |inode, seen| drop(found.insert(inode, seen))).expect("listed");
    found
}

fn inode(file: impl AsFd) -> u64 {
    nix::sys::stat::fstat(file).expect("open").st_ino
}

#[test]
fn both_ends_of_a_tcp_connection_are_told_with_their_queues() {
    for (ip, table, family) in [("127.0.0.1", TCP4, 2), ("[::1]", TCP6, 10)] {
        let listener = TcpListener::bind(format!("{ip}:0")).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let mut client = TcpStream::connect((ip.trim_matches(['[', ']']), port)).expect("a connection");
        let (server, _) = listener.accept().expect("the connection");
        client.write_all(b"12345").expect("there is room");
        let found = all(table);
        let [client, server, listener] =
            [inode(&client), inode(&server), inode(&listener)].map(|i| &found[&i]);
        assert_eq!((server.socket.family, server.socket.state), (family, 1));
        assert_eq!((server.socket.local_port, server.queues.map(|(r, _)| r)), (port, Some(5)));
        assert_eq!((client.socket.remote_port, listener.socket.state), (port, 10));
        assert_eq!((client.socket.local, client.socket.remote), (server.socket.remote, server.socket.local));
    }
}

#[test]
fn unix_peers_and_names_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    let client = UnixStream::connect(&path).expect("a connection");
    let (server, _) = listener.accept().expect("the connection");
    let (one, other) = UnixStream::pair().expect("a pair");
    let found = all(Table::Unix);
    for (a, b) in [(&client, &server), (&one, &other)] {
        assert_eq!(found[&inode(a)].socket.peer, inode(b));
        assert_eq!(found[&inode(b)].socket.peer, inode(a));
        assert_eq!((found[&inode(a)].socket.state, found[&inode(a)].socket.kind), (1, 1));
    }
    assert_eq!(found[&inode(&server)].name.as_deref(), path.to_str());
    assert_eq!(found[&inode(&client)].name, None);
    assert_eq!(found[&inode(&listener)].socket.state, 10);
}

#[test]
fn no_process_has_no_tables() {
    assert!(Diag::of(u32::MAX).is_err());
}

#[test]
fn a_table_that_does_not_exist_is_an_error() {
    let diag = Diag::of(std::process::id()).expect("this kernel has sock_diag");
    let none = Table::Inet { family: 200, kind: 1, protocol: 6 };
    assert!(diag.each(none, |_, _| ()).is_err());
}

proptest! {
    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>, length in 0..80_u32) {
        let mut whole = length.to_ne_bytes().to_vec();
        whole.extend(&bytes);
        for text in [&bytes, &whole] {
            let mut rest = &text[..];
            while let Some((_, body)) = wire::next(&mut rest) {
                message::read(TCP4, body);
                message::read(Table::Unix, body);
                wire::error(body);
            }
        }
        message::read(TCP4, &bytes);
        message::read(Table::Unix, &bytes);
    }
}
