//! HTTP/1.0 and 1.1 (RFC 9112): request lines and status lines where transfers begin.

use super::exchange::Exchange;
use super::speech::{Fit, Note, Session, Side, Speech, Start};
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Http1,
    name: "HTTP/1",
    in_user_memory: false,
    opens,
    may_open,
    fits,
    session: |start| Box::new(Http1::new(start)),
};

/// RFC 9110, 9.3, and PATCH (RFC 5789).
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// How a request line ends (RFC 9112, 3).
const VERSIONS: [&[u8]; 2] = [b" HTTP/1.1", b" HTTP/1.0"];

/// The length of one of these.
const VERSION: usize = VERSIONS[0].len();

/// The length of `HTTP/1.1 200`.
const STATUS: usize = 12;

/// First bytes of targets that nothing but HTTP has after a method: a path, an asterisk (RFC 9112, 3.2).
const TARGET: &[u8] = b"/*";

/// The client's request line (RFC 9112, 3). There are secrets in URLs: of the target nothing is noted
/// but a first byte of [`TARGET`]. Any other target (a host or URL for proxies) is believed for the
/// version at the line's end.
fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    let method = METHODS.into_iter().find(|name| data.starts_with(name.as_bytes()))?;
    let rest = data[method.len()..].strip_prefix(b" ")?;
    let path = TARGET.contains(rest.first()?);
    let line = rest.split(|&byte| byte == b'\r').next()?;
    let ended = line.len() < rest.len();
    let text = line.iter().all(|byte| !byte.is_ascii_control());
    let version = line.len() > VERSION && VERSIONS.iter().any(|version| line.ends_with(version));
    if !(text && (version || !ended && path)) {
        return None;
    }
    let (start, end) = (method.len() + 1, method.len() + 1 + line.len());
    note(0..start + usize::from(path));
    note(if version { end - VERSION..end } else { end..end });
    note(end..end + usize::from(ended));
    Some(Side::Client)
}

/// The status code of the status line that begins here (RFC 9112, 4).
fn status(data: &[u8], note: Note<'_>) -> Option<u16> {
    let &[b'0' | b'1', b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] =
        data.strip_prefix(b"HTTP/1.")?
    else {
        return None;
    };
    note(0..STATUS);
    Some([a, b, c].into_iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

/// A method, a space, and a target that goes on. Of the target nothing is noted but what may be the beginning
/// of the version, and the control character that ends it.
fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let Some(method) = METHODS.into_iter().find(|name| data.starts_with(name.as_bytes())) else {
        let begun = METHODS.into_iter().any(|name| name.as_bytes().starts_with(data));
        note(0..if begun { data.len() } else { 0 });
        return begun;
    };
    let Some((&space, target)) = data[method.len()..].split_first() else {
        note(0..data.len());
        return true;
    };
    if space != b' ' {
        return false;
    }
    note(0..method.len() + 1);
    if let Some(end) = target.iter().position(u8::is_ascii_control) {
        let at = method.len() + 1 + end;
        note(at..at + 1);
        return false;
    }
    let begun = |&length: &usize| VERSIONS.iter().any(|version| target.ends_with(&version[..length]));
    let version = (1..=VERSION).rev().find(begun).unwrap_or(0);
    note(data.len() - version..data.len());
    true
}

fn fits(data: &[u8], _len: u64, note: Note<'_>) -> Option<Fit> {
    let side = opens(data, note).or(status(data, note).map(|_| Side::Server))?;
    Some(Fit { sure: true, from: Some(side) })
}

/// One HTTP/1 session. Only what begins where a transfer begins is seen: the ends of bodies are not.
#[derive(Debug)]
struct Http1 {
    client: Option<Direction>,
    exchange: Exchange,
}

impl Http1 {
    fn new(start: Start) -> Self {
        Self { client: start.client, exchange: Exchange::new(start.fresh[0] && start.fresh[1]) }
    }
}

impl Session for Http1 {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        if self.client == Some(dir) {
            if chunk.opens(opens).is_some() {
                // The reply before this request is complete, unless requests are pipelined.
                if self.exchange.has_begun() {
                    self.exchange.ended();
                }
                self.exchange.request(user, out);
            }
            return;
        }
        self.exchange.heard();
        match status(chunk.data, &mut |range| chunk.keep(range)) {
            // 100 Continue, 103 Early Hints: the reply is still to come (RFC 9110, 15.2).
            Some(100 | 102 | 103) => {}
            Some(_) => {
                if self.exchange.has_begun() {
                    self.exchange.ended();
                }
                self.exchange.reply(user, out);
            }
            None if self.exchange.has_begun() => self.exchange.reply(user, out),
            None => {}
        }
        // Another response may begin further on in these bytes.
        if self.exchange.is_shared() {
            self.exchange.doubt();
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.exchange.doubt();
        if self.client != Some(dir) {
            self.exchange.heard();
        }
    }

    fn at_once(&self) -> Option<[User; 2]> {
        self.exchange.at_once()
    }

    fn in_flight(&self) -> InFlight {
        let is_client = self.client == Some(Direction::Sent);
        if is_client { self.exchange.in_flight(false) } else { InFlight::Unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::kept::nothing;

    #[test]
    fn first_lines() {
        for (data, from) in [
            ("GET / HTTP/1.1\r\nHost: x\r\n", Some(Side::Client)),
            ("OPTIONS * HTTP/1.1\r\n", Some(Side::Client)),
            ("CONNECT db:5432 HTTP/1.1\r\n", Some(Side::Client)),
            ("GET http://host/ HTTP/1.0", Some(Side::Client)),
            ("GET http://host/ HTTP/1.", None),
            ("GET  HTTP/1.1\r\n", None),
            ("POST /a/long/path/that/goes/on", Some(Side::Client)),
            ("HTTP/1.1 200 OK\r\n", Some(Side::Server)),
            ("GET key\r\n", None),
            ("GET / HTTP/3.0\r\n", None),
            ("HTTP/1.1 OK", None),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
            ("", None),
        ] {
            let found = fits(data.as_bytes(), data.len() as u64, &mut nothing).and_then(|fit| fit.from);
            assert_eq!(found, from, "{data:?}");
        }
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n", &mut nothing), Some(200));
    }
}
