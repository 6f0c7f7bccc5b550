//! RESP tokens: one type byte, then a line, or a count and as many bytes or items.

use crate::protocol::speech::{Fit, Side};
use crate::protocol::walker::Head;

/// The largest string that Redis can be set to take is far below this.
const MOST: u64 = 1 << 40;

/// The longest line with a count: a type, 20 digits, a line feed with its carriage return.
const COUNT_LINE: usize = 23;

/// The commands by which a session is recognised: what clients send first, and most.
const COMMANDS: [&str; 48] = [
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
    "GET",
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
    "SET",
    "SETEX",
    "SMEMBERS",
    "SUBSCRIBE",
    "TTL",
    "UNSUBSCRIBE",
    "XADD",
    "XREAD",
    "ZADD",
];

/// The count after a type byte and the length of its line; -1 means null.
fn count(bytes: &[u8]) -> Option<(i64, usize)> {
    let line = &bytes[..bytes.len().min(COUNT_LINE)];
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

/// The command that begins here, if it is one of the known.
fn command(data: &[u8]) -> Option<&'static str> {
    let (items, first) = count(data).filter(|_| data.starts_with(b"*"))?;
    let string = data.get(first..)?;
    let (length, start) = count(string).filter(|_| string.starts_with(b"$"))?;
    let name = string.get(start..)?.get(..usize::try_from(length).ok()?)?;
    COMMANDS.into_iter().find(|known| items > 0 && name.eq_ignore_ascii_case(known.as_bytes()))
}

pub(super) fn opens(data: &[u8]) -> Option<Side> {
    command(data).map(|_| Side::Client)
}

/// Do commands, or values longer than a line, tile these bytes? A lone `+OK` may be another protocol's.
pub(super) fn fits(data: &[u8], len: u64) -> Option<Fit> {
    if let Some(side) = opens(data) {
        return Some(Fit { sure: true, from: Some(side) });
    }
    resumes(data, len).filter(|_| matches!(data.first(), Some(b'$' | b'*' | b'%' | b'~' | b'>')))
}

/// Do tokens tile these bytes, in a session that is known to be one?
pub(super) fn resumes(data: &[u8], len: u64) -> Option<Fit> {
    let (mut rest, mut seen, mut tokens) = (data, 0u64, 0);
    while !rest.is_empty() {
        let long = match head(&rest[..rest.len().min(COUNT_LINE)]) {
            Head::Message { head, body } => head as u64 + body,
            Head::Line { .. } => {
                let line = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                let text = rest[..line].strip_suffix(b"\r").unwrap_or(&rest[..line]);
                if text.iter().any(u8::is_ascii_control) {
                    return None;
                }
                line as u64 + 1
            }
            Head::Short(_) => break,
            Head::Bad => return None,
        };
        tokens += 1;
        seen += long;
        rest = usize::try_from(long).ok().and_then(|long| rest.get(long..)).unwrap_or_default();
    }
    (tokens > 0).then_some(Fit { sure: seen == len && tokens > 1, from: None })
}

/// Is this string, as far as it was captured, `name`?
pub(super) fn may_be(body: &[u8], name: &str) -> bool {
    body.strip_suffix(b"\r\n").is_none_or(|text| text.eq_ignore_ascii_case(name.as_bytes()))
}

/// "Redis command GET".
pub(super) fn describe(data: &[u8]) -> Option<String> {
    if let Some(name) = command(data) {
        return Some(format!("Redis command {name}"));
    }
    let what = match (head(&data[..data.len().min(COUNT_LINE)]), data.first()?) {
        (Head::Bad | Head::Short(_), _) => return None,
        (_, b'+') => "status",
        (_, b'-' | b'!') => "error",
        (_, b':') => "number",
        (_, b'$') => "string",
        (_, b'*') => "array",
        (_, b'>') => "push",
        _ => "value",
    };
    Some(format!("Redis {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_tokens() {
        for (data, sure, words) in [
            ("*1\r\n$4\r\nPING\r\n", Some(true), Some("Redis command PING")),
            ("*2\r\n$3\r\nget\r\n$1\r\na\r\n", Some(true), Some("Redis command GET")),
            ("*2\r\n$6\r\nsecret\r\n$1\r\na\r\n", Some(true), Some("Redis array")),
            ("$5\r\nhello\r\n", Some(false), Some("Redis string")),
            ("$500\r\nhello", Some(false), Some("Redis string")),
            ("+OK\r\n", None, Some("Redis status")),
            ("-ERR no\r\n", None, Some("Redis error")),
            ("*x\r\n", None, None),
            ("$99999999999999999999\r\n", None, None),
            ("hello", None, None),
        ] {
            let data = data.as_bytes();
            assert_eq!(fits(data, data.len() as u64).map(|fit| fit.sure), sure, "{data:?}");
            assert_eq!(describe(data).as_deref(), words, "{data:?}");
        }
    }
}
