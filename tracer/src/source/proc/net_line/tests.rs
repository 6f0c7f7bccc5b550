//! Lines as the kernel writes them, and as nobody should.

use super::*;
use proptest::prelude::*;

const TCP: Table = Table::Inet { family: 2, kind: 1, protocol: 6 };
const TCP6: Table = Table::Inet { family: 10, kind: 1, protocol: 6 };

#[test]
fn internet_lines_are_read() {
    let four = "   1: 0100007F:BA7E 0100007F:1F90 01 00000007:00000005 00:00000000 00000000     0        0 490 1 0000 20\n";
    let six = "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A \
               00000000:00000000 00:00000000 00000000  1000        0 491 1 0000 100\n";
    let (inode, SeenSocket { socket, queues, .. }) = read(four.as_bytes(), TCP).expect("a line");
    assert_eq!(queues, Some((5, 7)));
    assert_eq!((inode, socket.state, socket.local_port, socket.remote_port), (490, 1, 47742, 8080));
    assert_eq!((&socket.local[..4], &socket.remote[..4]), (&[127, 0, 0, 1][..], &[127, 0, 0, 1][..]));
    let (inode, SeenSocket { socket, queues, .. }) = read(six.as_bytes(), TCP6).expect("a line");
    assert_eq!(queues, None);
    assert_eq!((inode, socket.state, socket.family, socket.local_port), (491, 10, 10, 8080));
    assert_eq!(socket.local, std::net::Ipv6Addr::LOCALHOST.octets());
}

#[test]
fn unix_lines_are_read() {
    for (line, expected) in [
        ("0000: 00000003 00000000 00000000 0001 03  1204\n", Some((1204, 1, TCP_ESTABLISHED, None))),
        ("0000: 00000002 00000000 00010000 0001 01 12 /a b\n", Some((12, 1, TCP_LISTEN, Some("/a b")))),
        ("0000: 00000002 00000000 00000000 0002 01    13 @abc\n", Some((13, 2, TCP_CLOSE, Some("@abc")))),
        ("0000: 00000002 00000000 00000000 0005 01 13 \n", Some((13, 5, TCP_CLOSE, None))),
        ("0000: 00000002 00000000 00000000 0001 02     0\n", None),
        ("Num       RefCount Protocol Flags    Type St Inode Path\n", None),
        ("the rest of a name with a line break\n", None),
        ("", None),
    ] {
        let read = read(line.as_bytes(), Table::Unix);
        let read = read.as_ref().map(|(inode, s)| (*inode, s.socket.kind, s.socket.state, s.name.as_deref()));
        assert_eq!(read, expected, "{line:?}");
    }
}

#[test]
fn what_is_no_line_is_none() {
    for line in [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   1: 0100007F:BA7E 0100007F:1F90 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0",
        "   1: 0100007F:BA7E 0100007F",
        "   1: 0100007F:1BA7E 0100007F:1F90 01 0:0 00:0 0 0 0 490 1",
        "   1: 0100007:BA7E 0100007F:1F90 01 0:0 00:0 0 0 0 490 1",
        "   1: 010000\u{e9}:BA7E 0100007F:1F90 01 0:0 00:0 0 0 0 490 1",
        "",
    ] {
        assert!(read(line.as_bytes(), TCP).is_none(), "{line:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_a_panic(bytes: Vec<u8>) {
        read(&bytes, TCP);
        read(&bytes, Table::Unix);
    }

    #[test]
    fn no_fields_are_a_panic(fields in prop::collection::vec("[0-9A-F:@ \u{e9}]{0,33}", 0..14)) {
        let line = fields.join(" ");
        read(line.as_bytes(), TCP);
        read(line.as_bytes(), Table::Unix);
    }
}
