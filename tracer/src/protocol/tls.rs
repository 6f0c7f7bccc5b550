//! TLS records (RFC 8446, 5.1; RFC 5246, 6.2): the record layer's headers are never encrypted.

use super::kept::nothing;
use super::speech::{Fit, Note, Session, Side, Speech, Start};
use super::walker::{Head, Walker};
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Tls,
    name: "TLS",
    in_user_memory: true,
    opens,
    may_open,
    fits,
    describe,
    session: |start| Box::new(Tls::new(start)),
};

/// Type, version, length.
const HEADER: usize = 5;

/// 2^14 of plaintext and what encryption may add in TLS 1.2 (RFC 5246, 6.2.3).
const MOST: u16 = (1 << 14) + 2048;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// A handshake record that begins with a ClientHello (RFC 8446, 4.1.2).
fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    note(0..HEADER + 6);
    let (header, hello) = data.split_first_chunk::<HEADER>()?;
    let &[kind, 0, _, _, 3, ..] = hello.first_chunk::<6>()? else { return None };
    (header[0] == HANDSHAKE && kind == CLIENT_HELLO && length(header).is_some()).then_some(Side::Client)
}

/// The first bytes of what [`opens`], as far as they are there.
fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let [most_high, _] = MOST.to_be_bytes();
    let begun = data.len() < HEADER + 6
        && data.iter().enumerate().all(|(at, &byte)| match at {
            0 => byte == HANDSHAKE,
            1 | 9 => byte == 3,
            2 => byte <= 4,
            3 => byte <= most_high,
            5 => byte == CLIENT_HELLO,
            6 => byte == 0,
            // The rest of lengths.
            _ => true,
        });
    note(0..if begun { data.len() } else { 0 });
    begun
}

/// The length in a record's header, if it is one: types 20 to 23, versions SSL 3.0 to TLS 1.3.
fn length(&[kind, major, minor, a, b]: &[u8; HEADER]) -> Option<u16> {
    let length = u16::from_be_bytes([a, b]);
    let known = matches!(kind, 20..=23) && major == 3 && minor <= 4;
    (known && (1..=MOST).contains(&length)).then_some(length)
}

/// Do records tile these bytes?
fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (mut rest, mut seen, mut records) = (data, 0u64, 0);
    while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
        let length = length(header)?;
        records += 1;
        let at = data.len() - rest.len();
        note(at..at + HEADER);
        seen += HEADER as u64 + u64::from(length);
        rest = after.get(usize::from(length)..).unwrap_or_default();
    }
    note(data.len() - rest.len()..data.len());
    let cut = rest.first().is_some_and(|kind| !matches!(kind, 20..=23));
    (records > 0 && !cut).then_some(Fit { sure: seen == len || records > 1, from: None })
}

/// A record's header, where one begins.
fn head(bytes: &[u8]) -> Head {
    match bytes.first_chunk().map(length) {
        None => Head::Short(HEADER - bytes.len()),
        Some(Some(length)) => Head::Message { head: HEADER, body: u64::from(length) },
        Some(None) => Head::Bad,
    }
}

fn describe(data: &[u8]) -> Option<String> {
    length(data.first_chunk()?)?;
    Some(
        match data[0] {
            _ if opens(data, &mut nothing).is_some() => "TLS ClientHello",
            20 => "TLS change cipher spec",
            21 => "TLS alert",
            HANDSHAKE => "TLS handshake",
            _ => "TLS application data",
        }
        .to_owned(),
    )
}

/// One TLS session: only whole records can be told apart.
#[derive(Debug)]
struct Tls {
    client: Option<Direction>,
    walkers: [Walker; 2],
}

impl Tls {
    fn new(start: Start) -> Self {
        Self { client: start.client, walkers: start.fresh.map(Walker::new) }
    }
}

impl Session for Tls {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        let walker = &mut self.walkers[dir.index()];
        let mut cursor = walker.start(user, dir, chunk, fits, out);
        while walker.next(&mut cursor, head).is_some() {}
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
    }

    /// A record that is read or written in part. Whether a request awaits its reply inside, nobody can see.
    fn in_flight(&self) -> InFlight {
        let is_client = self.client == Some(Direction::Sent);
        let mut ways = [Direction::Sent, Direction::Received].into_iter().filter(|_| is_client);
        let cut = ways.find(|dir| {
            let walker = &self.walkers[dir.index()];
            walker.is_exact() && walker.unfinished().is_some()
        });
        cut.map_or(InFlight::Unknown, InFlight::Message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        // bytes, whole length -> a message begins here and is sure, words
        for (data, len, fit, words) in [
            (&[23, 3, 3, 0, 2, 9, 9][..], 7, Some(true), Some("TLS application data")),
            (&[23, 3, 3, 0, 9, 9, 9], 7, Some(false), Some("TLS application data")),
            (&[23, 3, 3, 1, 0, 9, 9], 261, Some(true), Some("TLS application data")),
            (&[23, 3, 3, 0, 2, 9, 9, 21, 3, 3, 0, 1], 12, Some(true), Some("TLS application data")),
            (&[21, 3, 3, 0, 2, 1, 0], 7, Some(true), Some("TLS alert")),
            (&[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3], 11, Some(true), Some("TLS ClientHello")),
            (&[24, 3, 3, 0, 2, 9, 9], 7, None, None),
            (&[23, 3, 3, 0xff, 2, 9, 9], 7, None, None),
            (&[23, 3, 3, 0, 2, 9, 9, 99], 8, None, Some("TLS application data")),
            (&[23, 3], 2, None, None),
        ] {
            assert_eq!(fits(data, len, &mut nothing).map(|fit| fit.sure), fit, "{data:?}");
            assert_eq!(describe(data).as_deref(), words, "{data:?}");
        }
    }
}
