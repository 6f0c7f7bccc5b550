//! Header blocks, by the examples of the RFC and by what cannot be known.

use super::*;
use crate::protocol::Kept;
use crate::protocol::kept::nothing;
use proptest::prelude::*;

/// What the fields say, as text.
fn told(fields: &Fields) -> String {
    let mut parts = Vec::new();
    parts.extend(fields.verb.map(|verb| verb.name().to_owned()));
    parts.extend(fields.path.as_deref().map(str::to_owned));
    parts.extend(fields.status.map(|code| code.to_string()));
    parts.extend(fields.grpc_status.map(|code| format!("grpc {code}")));
    parts.extend(fields.grpc.map(|grpc| if grpc { "is gRPC" } else { "is none" }.to_owned()));
    parts.extend(fields.gaps.then(|| "?".to_owned()));
    parts.join(" ")
}

/// The bytes of a listing as in the RFC: hexadecimal, blanks mean nothing.
fn bytes(listing: &str) -> Vec<u8> {
    let digits: Vec<u32> = listing.chars().filter_map(|char| char.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// Blocks of one direction, one after the other, and what each says: read whole, cut at every byte, and
/// from what a recording keeps.
#[track_caller]
fn check(fresh: bool, blocks: &[(&[u8], &str)]) {
    let longest = blocks.iter().map(|(block, _)| block.len()).max().unwrap_or(0);
    for cut in 0..=longest {
        let (mut live, mut replayed) = (Hpack::new(Table::new(fresh)), Hpack::new(Table::new(fresh)));
        for &(block, expected) in blocks {
            let (first, rest) = block.split_at(cut.min(block.len()));
            for part in [first, rest] {
                let mut shown = vec![Kept::FILL; part.len()];
                live.read(part, &mut |range| shown[range.clone()].copy_from_slice(&part[range]));
                replayed.read(&shown, &mut nothing);
            }
            let fields = live.end();
            assert_eq!(told(&fields), expected, "{} cut at {cut}", block.escape_ascii());
            assert_eq!(fields, replayed.end(), "{} cut at {cut}", block.escape_ascii());
        }
    }
}

/// RFC 7541, C.3: requests, not coded. C.4: the same, coded.
#[test]
fn requests_of_the_rfc() {
    let plain = [
        bytes("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d"),
        bytes("8286 84be 5808 6e6f 2d63 6163 6865"),
        bytes("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65"),
    ];
    let coded = [
        bytes("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"),
        bytes("8286 84be 5886 a8eb 1064 9cbf"),
        bytes("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"),
    ];
    for [one, two, three] in [plain, coded] {
        check(true, &[(&one, "GET /"), (&two, "GET /"), (&three, "GET /index.html")]);
    }
}

/// RFC 7541, C.5 and C.6: responses. The encoder's table is of 256 bytes there, which it
/// does not say in a block.
#[test]
fn responses_of_the_rfc() {
    let plain = [
        bytes(
            "3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133
             3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        ),
        bytes("4803 3330 37c1 c0bf"),
        bytes(
            "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
             7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
             6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
        ),
    ];
    let coded = [
        bytes(
            "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d
             29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        ),
        bytes("4883 640e ffc1 c0bf"),
        bytes(
            "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7
             b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        ),
    ];
    for [one, two, three] in [plain, coded] {
        check(true, &[(&one, "302"), (&two, "307"), (&three, "200")]);
    }
}

#[test]
fn what_was_not_seen_is_unknown_and_what_is_newer_is_known() {
    // An index into what was added before.
    check(false, &[(b"\x83\xbe", "POST ?")]);
    // Added here: known from now on, by its distance from the newest.
    check(false, &[(b"\x83\x44\x02/a", "POST /a"), (b"\x83\x44\x02/b\xbf", "POST /a"), (b"\xc0", "?")]);
    // A name that was not seen: its value is passed over, and the entry is unknown.
    check(false, &[(b"\x7f\x10\x02/a\x83", "POST ?"), (b"\xbe\x83", "POST ?")]);
    // A block that ends within a field: what came after is not known, nor what it did to the table.
    check(true, &[(b"\x83\x44\x02/a", "POST /a"), (b"\x88\x44\x09/b", "200 ?"), (b"\x83\xbe", "POST ?")]);
    // What no encoder writes: index 0, numbers without end.
    check(true, &[(b"\x83\x80\x83\x84", "POST ?"), (b"\x83\xff\xff\xff\xff\xff\x7f\x84", "POST ?")]);
    check(true, &[(b"\x88\xff\xff\xff\xff\x7f", "200 ?"), (b"\x88\x7f\x80\x80\x80\x80\x80\0", "200 ?")]);
}

#[test]
fn a_process_that_knows_an_older_table_is_read_as_the_peer_reads_it() {
    // Parent: adds /a, the child then /b. What the parent calls 62 is /b at the peer.
    check(true, &[(b"\x44\x02/a", "/a"), (b"\x44\x02/b", "/b"), (b"\xbe", "/b"), (b"\xbf", "/a")]);
}

#[test]
fn a_smaller_table_has_less_in_it() {
    // 62 is /a, 39 bytes; the table then has room for 38.
    check(true, &[(b"\x44\x02/a", "/a"), (b"\x3f\x07\xbe", "?"), (b"\x44\0", "?"), (b"\xbe", "?")]);
    check(true, &[(b"\x44\x02/a", "/a"), (b"\x3f\x08\xbe", "/a"), (b"\x20\x3f\x08\xbe", "?")]);
}

#[test]
fn grpc_is_known_by_its_fields() {
    let (coded, length) = huffman::encode::<16>(b"application/grpc");
    let mut block = b"\x83\x44\x05/p.S/\x5f".to_vec();
    block.push(0x80 | length as u8);
    block.extend(&coded[..length]);
    check(true, &[(&block, "POST /p.S/ is gRPC"), (b"\xbe\xbf", "/p.S/ is gRPC")]);
    check(true, &[(b"\x5f\x16application/grpc+proto\x88", "200 is gRPC")]);
    check(true, &[(b"\x5f\x09text/html\x88\xbe", "200 is none")]);
    check(true, &[(b"\x40\x0bgrpc-status\x0214\x40\x0cgrpc-message\x03~~~", "grpc 14")]);
    check(true, &[(b"\0\x0bgrpc-status\x03~~~", "?")]);
}

/// Blocks as an encoder may write them, and any bytes.
fn blocks() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let path = prop::sample::select(vec![
        "/a", "/p.S/M", "/q?k=~~", "/~u/x#f", "/", "*", "/a'b+c?d", "/%7E?", "?x", "/\u{e9}",
    ]);
    let field = (0u8..8, any::<u8>(), path, any::<bool>()).prop_map(|(kind, byte, path, coded)| {
        let mut bytes = match kind {
            0 => return vec![0x80 | byte],
            1 => return vec![0x20 | byte & 0x1f],
            2 => return b"\x40\x0bgrpc-status\x0214".to_vec(),
            3 => return b"\x10\x06cookie\x08~~~~~~~~".to_vec(),
            4 => vec![0x40 | byte & 0x3f],
            5 => vec![0x44],
            6 => vec![0x04],
            _ => vec![0x14],
        };
        if coded {
            let (text, length) = huffman::encode::<64>(path.as_bytes());
            bytes.push(0x80 | length as u8);
            bytes.extend(&text[..length]);
        } else {
            bytes.push(path.len() as u8);
            bytes.extend(path.as_bytes());
        }
        bytes
    });
    let block = prop::collection::vec(field, 0..8).prop_map(|fields| fields.concat());
    let noise = prop::collection::vec(any::<u8>(), 0..60);
    prop::collection::vec(prop_oneof![4 => block, 1 => noise], 1..12)
}

proptest! {
    /// However a block is cut, it says the same in a replay; and where no value is cut, the same as whole.
    #[test]
    fn a_replay_reads_the_same(blocks in blocks(), cuts in prop::collection::vec(1usize..20, 1..30)) {
        let (mut live, mut replayed, mut cuts) = (Hpack::new(Table::new(true)), Hpack::new(Table::new(true)), cuts.iter().cycle());
        for block in &blocks {
            let mut rest = &block[..];
            while let Some(&cut) = cuts.next().filter(|_| !rest.is_empty()) {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                let mut shown = vec![Kept::FILL; part.len()];
                live.read(part, &mut |range| shown[range.clone()].copy_from_slice(&part[range]));
                replayed.read(&shown, &mut nothing);
                rest = after;
            }
            prop_assert_eq!(live.end(), replayed.end(), "{}", block.escape_ascii());
        }
    }
}
