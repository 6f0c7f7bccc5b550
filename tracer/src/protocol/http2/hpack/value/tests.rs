//! Values, and what of them a recording keeps.

use super::super::huffman;
use super::*;
use crate::protocol::kept::nothing;

/// A value in both forms: what is read, and what is kept of it (`.` stands for what is not).
#[track_caller]
fn check(name: Name, text: &str, expected: &Value, kept: &str) {
    let (coded, length) = huffman::encode::<512>(text.as_bytes());
    for (is_coded, bytes) in [(false, text.as_bytes()), (true, &coded[..length])] {
        for cut in 0..=bytes.len() {
            let (first, rest) = bytes.split_at(cut);
            let mut live = Reader::begin(name, is_coded, bytes.len() as u32);
            let (mut replayed, mut shown) = (live.clone(), Vec::new());
            for part in [first, rest].into_iter().filter(|part| !part.is_empty()) {
                let start = shown.len();
                shown.resize(start + part.len(), Kept::FILL);
                let noted = &mut shown[start..];
                live.push(part, &mut |range| noted[range.clone()].copy_from_slice(&part[range]));
                replayed.push(&shown[start..], &mut nothing);
                if shown.len() < bytes.len() {
                    live.pause();
                    replayed.pause();
                }
            }
            let value = live.end();
            assert_eq!(value, replayed.end(), "{text} cut at {cut}");
            // An end that is cut itself is not waited for.
            if !is_coded || value != Value::Unread {
                assert_eq!(&value, expected, "{text} cut at {cut}");
            }
            if !is_coded {
                let dots: String =
                    shown.iter().map(|&byte| if byte == Kept::FILL { '.' } else { byte.into() }).collect();
                assert_eq!(dots, kept, "{text} cut at {cut}");
            }
            if cut == 0 && is_coded {
                assert_eq!(&value, expected, "{text}");
                let end = huffman::encode::<512>(&text.as_bytes()[..kept.trim_end_matches('.').len()]).1;
                assert!(shown[end..].iter().all(|&byte| byte == Kept::FILL), "{text}: {shown:x?}");
            }
        }
    }
}

fn path(path: &str) -> Value {
    Value::Path(path.into())
}

#[test]
fn of_a_path_its_query_is_not_read() {
    for (text, read, kept) in [
        ("/p.Service/Method", path("/p.Service/Method"), "/p.Service/Method"),
        ("/a?key=SECRET", path("/a"), "/a..........."),
        ("/a#SECRET", path("/a"), "/a......."),
        ("/~u/it's+here!?k", path("/~u/it's+here!"), "/~u/it's+here!.."),
        ("*", path("*"), "*"),
        ("?k=SECRET", Value::Unread, "........."),
        ("", Value::Unread, ""),
    ] {
        check(Name::Path, text, &read, kept);
    }
    // Whatever comes before: an end at each place within a byte.
    for length in 1..20 {
        for byte in ["a", "n", "X", "~"] {
            let before = byte.repeat(length);
            check(
                Name::Path,
                &format!("{before}?token=0aSECRET"),
                &path(&before),
                &format!("{before}..............."),
            );
        }
    }
    let long = "/".repeat(400);
    check(Name::Path, &long, &Value::Unread, &".".repeat(400));
}

#[test]
fn other_values_are_what_they_can_be() {
    check(Name::Method, "DELETE", &Value::Verb(Verb::Delete), "DELETE");
    check(Name::Method, "BREW", &Value::Unread, "BREW");
    check(Name::Status, "418", &Value::Code(418), "418");
    check(Name::GrpcStatus, "0", &Value::Code(0), "0");
    check(Name::GrpcStatus, "secretsecret", &Value::Unread, "............");
    check(Name::ContentType, "application/grpc+proto", &Value::Grpc(true), "application/grpc......");
    check(Name::ContentType, "apple; k=SECRET", &Value::Grpc(false), "apple..........");
    check(Name::Other, "SECRET", &Value::Unread, "......");
}
