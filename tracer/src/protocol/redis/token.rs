//! RESP tokens: one type byte, then a line, or a count and as many bytes or items.

use crate::protocol::speech::{Fit, Note, Side};
use crate::protocol::walker::Head;
use std::ops::Range;

/// The largest string that Redis can be set to take is far below this.
const MOST: u64 = 1 << 40;

/// The longest line with a count: a type, 20 digits, a line feed with its carriage return.
const COUNT_LINE: usize = 23;

/// Digits that are read one by one.
const FEW: usize = 9;

/// The same of the most items that Redis takes of a client in one command, 1024 * 1024
/// (networking.c, up to 7.0).
const SMALL_COUNT: usize = 10;

/// The commands by which a session is recognised: what clients send first, and most. They are looked for in
/// this order, so that what is sent most comes first.
const COMMANDS: [&str; 48] = [
    "GET",
    "SET",
    "APPEND",
    "AUTH",
    "BLPOP",
    "BRPOP",
    "CLIENT",
    "CLUSTER",
    "COMMAND",
    "CONFIG",
    "DBSIZE",
    "DECR",
    "DEL",
    "ECHO",
    "EVAL",
    "EVALSHA",
    "EXEC",
    "EXISTS",
    "EXPIRE",
    "HELLO",
    "HGET",
    "HGETALL",
    "HSET",
    "INCR",
    "INFO",
    "KEYS",
    "LPOP",
    "LPUSH",
    "LRANGE",
    "MGET",
    "MSET",
    "MULTI",
    "PING",
    "PSUBSCRIBE",
    "PUBLISH",
    "RPOP",
    "RPUSH",
    "SADD",
    "SCAN",
    "SELECT",
    "SETEX",
    "SMEMBERS",
    "SUBSCRIBE",
    "TTL",
    "UNSUBSCRIBE",
    "XADD",
    "XREAD",
    "ZADD",
];

/// Bytes of the longest word that is told from others.
const LONGEST: usize = 12;

/// The count after a type byte and the length of its line; -1 means null.
fn count(bytes: &[u8]) -> Option<(i64, usize)> {
    let line = &bytes[..bytes.len().min(COUNT_LINE)];
    // Most are a few digits.
    let (mut number, mut at) = (0, 1);
    while let Some(digit @ b'0'..=b'9') = line.get(at)
        && at <= FEW
    {
        number = number * 10 + i64::from(digit - b'0');
        at += 1;
    }
    if at > 1 && line[at..].starts_with(b"\r\n") {
        return Some((number, at + 2));
    }
    any_count(line)
}

/// The same, however it is written.
fn any_count(line: &[u8]) -> Option<(i64, usize)> {
    let end = line.windows(2).position(|pair| pair == b"\r\n")?;
    let number: i64 = std::str::from_utf8(line.get(1..end)?).ok()?.parse().ok()?;
    (number >= -1).then_some((number, end + 2))
}

/// The items that a token with this header announces; 0 for one that holds none.
pub(super) fn items(head: &[u8]) -> u64 {
    let number = count(head).and_then(|(number, _)| u64::try_from(number).ok()).unwrap_or(0);
    match head.first() {
        Some(b'*' | b'~' | b'>') => number,
        Some(b'%') => number.saturating_mul(2),
        // Attributes come before the value that they are about.
        Some(b'|') => number.saturating_mul(2).saturating_add(1),
        _ => 0,
    }
}

/// A token's header, where one begins.
pub(super) fn head(bytes: &[u8]) -> Head {
    match bytes.first() {
        None => Head::Short(1),
        Some(b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(') => Head::Line { head: 1 },
        Some(b'$' | b'=' | b'!' | b'*' | b'~' | b'>' | b'%' | b'|') => match count(bytes) {
            Some((number, head)) if matches!(bytes[0], b'$' | b'=' | b'!') => match u64::try_from(number) {
                Ok(number) if number > MOST => Head::Bad,
                Ok(number) => Head::Message { head, body: number + 2 },
                Err(_) => Head::Message { head, body: 0 },
            },
            Some((_, head)) => Head::Message { head, body: 0 },
            None if bytes.len() < COUNT_LINE && may_be_count(bytes) => Head::Short(1),
            None => Head::Bad,
        },
        Some(_) => Head::Bad,
    }
}

/// Can more bytes make this a type and a count?
fn may_be_count(bytes: &[u8]) -> bool {
    bytes[1..].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'\r'))
}

/// A command that is one of the known.
pub(super) fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    let (items, first) = count(data).filter(|_| data.starts_with(b"*"))?;
    let string = data.get(first..)?;
    let (length, start) = count(string).filter(|_| string.starts_with(b"$"))?;
    let name = string.get(start..)?.get(..usize::try_from(length).ok()?)?;
    let known = items > 0 && COMMANDS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    known.then(|| {
        note(0..first + start + name.len());
        Side::Client
    })
}

/// Do commands, or values longer than a line, tile these bytes? A lone `+OK` may be another protocol's.
pub(super) fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    if let Some(side) = opens(data, note) {
        return Some(Fit { sure: true, from: Some(side) });
    }
    resumes(data, len, note).filter(|_| matches!(data.first(), Some(b'$' | b'*' | b'%' | b'~' | b'>')))
}

/// Do tokens tile these bytes, in a session that is known to be one?
pub(super) fn resumes(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (mut rest, mut seen, mut tokens) = (data, 0u64, 0);
    while !rest.is_empty() {
        let at = data.len() - rest.len();
        let long = match head(&rest[..rest.len().min(COUNT_LINE)]) {
            Head::Message { head, body } => {
                note(at..at + head);
                head as u64 + body
            }
            Head::Line { .. } => {
                let line = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                let text = rest[..line].strip_suffix(b"\r").unwrap_or(&rest[..line]);
                if text.iter().any(u8::is_ascii_control) {
                    return None;
                }
                note(at..at + 1);
                note(at + line..at + line + 1);
                line as u64 + 1
            }
            Head::Short(_) => {
                note(at..data.len());
                break;
            }
            Head::Bad => return None,
        };
        tokens += 1;
        seen += long;
        rest = usize::try_from(long).ok().and_then(|long| rest.get(long..)).unwrap_or_default();
    }
    (tokens > 0).then_some(Fit { sure: seen == len && tokens > 1, from: None })
}

/// The first bytes of a command: a count, and a string's length and name.
pub(super) fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let begun = begins_command(data);
    note(0..if begun { data.len() } else { 0 });
    begun
}

fn begins_command(data: &[u8]) -> bool {
    // A longer number is none of items, and may be something else's content.
    let counts = |bytes: &[u8]| bytes.len() < SMALL_COUNT && may_be_count(bytes);
    let Some(rest) = data.strip_prefix(b"*").and_then(|_| count(data)).map(|(_, first)| &data[first..])
    else {
        return data.first() == Some(&b'*') && counts(data);
    };
    let Some((length, start)) = rest.strip_prefix(b"$").and_then(|_| count(rest)) else {
        return rest.first().is_none_or(|&first| first == b'$' && counts(rest));
    };
    let begun = &rest[start..];
    COMMANDS.iter().any(|name| {
        name.len() as i64 == length
            && name.get(..begun.len()).is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(begun))
    })
}

/// What to note of an item that may be a command's name or its first word: all of a known one, of
/// another that it is whole.
pub(super) fn name_in(body: &[u8]) -> Range<usize> {
    let Some(text) = body.strip_suffix(b"\r\n") else { return 0..0 };
    // Most keys have a digit or a colon, and are compared with none.
    let may_be = text.len() <= LONGEST && text.iter().all(u8::is_ascii_alphabetic);
    let mut known = COMMANDS.iter().chain(&super::PUSHING).chain(&["REPLY", super::QUIT]);
    let known = may_be && known.any(|name| text.eq_ignore_ascii_case(name.as_bytes()));
    if known { 0..body.len() } else { text.len()..body.len() }
}

/// Is this string `name`?
pub(super) fn is(body: &[u8], name: &str) -> bool {
    body.strip_suffix(b"\r\n").is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()))
}

/// Is this string, as far as it was captured, `name`?
pub(super) fn may_be(body: &[u8], name: &str) -> bool {
    body.strip_suffix(b"\r\n").is_none_or(|text| text.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::kept::nothing;
    use proptest::prelude::*;

    #[test]
    fn first_tokens() {
        for (data, sure) in [
            ("*1\r\n$4\r\nPING\r\n", Some(true)),
            ("*2\r\n$3\r\nget\r\n$1\r\na\r\n", Some(true)),
            ("*2\r\n$6\r\nsecret\r\n$1\r\na\r\n", Some(true)),
            ("$5\r\nhello\r\n", Some(false)),
            ("$500\r\nhello", Some(false)),
            ("+OK\r\n", None),
            ("-ERR no\r\n", None),
            ("*x\r\n", None),
            ("$99999999999999999999\r\n", None),
            ("hello", None),
        ] {
            let data = data.as_bytes();
            assert_eq!(fits(data, data.len() as u64, &mut nothing).map(|fit| fit.sure), sure, "{data:?}");
        }
    }

    #[test]
    fn no_word_is_longer_than_the_longest() {
        let words = COMMANDS.iter().chain(&super::super::PUSHING).chain(&["REPLY", super::super::QUIT]);
        assert!(words.into_iter().all(|word| word.len() <= LONGEST));
    }

    #[test]
    fn names_are_noted_whole_and_keys_are_not() {
        let all = COMMANDS.iter().chain(&super::super::PUSHING).chain(&["REPLY", super::super::QUIT]);
        for name in all {
            let body = format!("{}\r\n", name.to_ascii_lowercase());
            assert_eq!(name_in(body.as_bytes()), 0..body.len(), "{name}");
        }
        for key in [&b"key:1\r\n"[..], b"00000001\r\n", b"secret\r\n"] {
            assert_eq!(name_in(key), key.len() - 2..key.len());
        }
    }

    proptest! {
        #[test]
        fn few_digits_are_read_as_any_count_is(line in "[*$][-+0-9]{0,12}(\r\n|\r|\n|x)[a-z]{0,3}") {
            let line = line.as_bytes();
            prop_assert_eq!(count(line), any_count(&line[..line.len().min(COUNT_LINE)]));
        }
    }
}
