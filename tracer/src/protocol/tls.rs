//! TLS records (RFC 8446, 5.1; RFC 5246, 6.2): the record layer's headers are never encrypted.

mod facts;
mod hello;

pub use facts::Facts;

use super::speech::{Fit, Note, Session, Side, Speech, Start};
use super::walker::{Cursor, Head, Walker};
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use hello::Hello;

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Tls,
    name: "TLS",
    in_user_memory: true,
    opens,
    may_open,
    fits,
    session: |start| Box::new(Tls::new(start)),
};

/// Type, version, length.
const HEADER: usize = 5;

/// 2^14 of plaintext and what encryption may add in TLS 1.2 (RFC 5246, 6.2.3).
const MOST: u16 = (1 << 14) + 2048;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;

/// A handshake record that begins with a ClientHello (RFC 8446, 4.1.2).
fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    note(0..HEADER + 6);
    let (header, hello) = data.split_first_chunk::<HEADER>()?;
    let &[kind, 0, _, _, 3, ..] = hello.first_chunk::<6>()? else { return None };
    (header[0] == HANDSHAKE && kind == CLIENT_HELLO && length(header).is_some()).then_some(Side::Client)
}

/// A record that begins with the hello of a client or a server: each says one in a session, but for a server
/// that asks for another (RFC 8446, 4.1.3 and 4.1.4).
#[must_use]
pub fn is_hello(chunk: Chunk<'_>) -> bool {
    let is_it = chunk.data.split_first_chunk::<HEADER>().is_some_and(|(header, body)| {
        let hello = matches!(body, [CLIENT_HELLO | SERVER_HELLO, 0, _, _, 3, ..]);
        header[0] == HANDSHAKE && length(header).is_some() && hello
    });
    chunk.keep(0..if is_it { HEADER + 5 } else { 0 });
    is_it
}

/// The longest record that what a session says to its end makes, PostgreSQL's Terminate or MySQL's
/// COM_QUIT: five bytes, and what authenticated encryption adds (RFC 5288, section 3: 24; RFC 8446,
/// section 5.2: 17). A request is longer, but for a ping, of whose loss the client hears; with the older
/// CBC suites a goodbye is, too.
const MOST_GOODBYE: u16 = 5 + 24;

/// Whether all that was to be sent may be a session's goodbye: alerts, and records that are
/// too short for a request.
pub(super) fn may_be_goodbye(chunk: Chunk<'_>) -> bool {
    let mut at = 0;
    while let Some(header) = chunk.data.get(at..).and_then(<[u8]>::first_chunk::<HEADER>) {
        let Some(length) = length(header) else { return false };
        let is_short = header[0] == APPLICATION_DATA && length <= MOST_GOODBYE;
        if header[0] != ALERT && !is_short {
            return false;
        }
        chunk.keep(at..at + HEADER);
        at += HEADER + usize::from(length);
    }
    at > 0 && at as u64 == chunk.len
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

/// An alert in the clear: its level and what it says (RFC 5246, 7.2). Encrypted ones are longer.
const CLEAR_ALERT: usize = 2;
const CLOSE_NOTIFY: u8 = 0;
const FATAL: u8 = 2;

/// One TLS session: its opening, and whole records, of which no more than the type is told apart.
#[derive(Debug)]
struct Tls {
    client: Option<Direction>,
    walkers: [Walker; 2],
    /// The hello of each direction that is read from its first byte.
    hellos: [Option<Hello>; 2],
    facts: Facts,
}

impl Tls {
    fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            hellos: start.fresh.map(|fresh| fresh.then(Hello::new)),
            facts: Facts::default(),
        }
    }

    /// What was captured of a handshake record's body; `whole`: nothing of it passed that was not.
    fn opening(&mut self, dir: Direction, body: &[u8], whole: bool, note: &mut dyn FnMut(usize)) {
        let hello = &mut self.hellos[dir.index()];
        if let Some(reading) = hello {
            reading.read(body, &mut self.facts, note);
            if !whole || reading.is_done() {
                *hello = None;
            }
        }
    }

    /// An alert that ends the session, by its name: the clear ones by what they say. Of an encrypted one only
    /// its type shows, and with TLS 1.3 not even that.
    fn ending(&self, length: usize, body: &[u8], cursor: &Cursor<'_>) -> Option<&'static str> {
        if length != CLEAR_ALERT {
            return (!self.facts.hides_alerts()).then_some("an encrypted alert");
        }
        let &[level, what] = body.first_chunk::<CLEAR_ALERT>()?;
        cursor.keep(0..CLEAR_ALERT);
        match (level, what) {
            (_, CLOSE_NOTIFY) => Some("close_notify"),
            (FATAL, _) => Some("a fatal alert"),
            _ => None,
        }
    }
}

impl Session for Tls {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        let at = dir.index();
        let mut cursor = self.walkers[at].start(user, dir, chunk, fits, out);
        if self.hellos[at].is_some() && self.walkers[at].left() > 0 {
            // It goes on in the record that is not complete yet: after the first one's
            // header, only a hello's is open.
            let left = self.walkers[at].left().min(chunk.len);
            let body = &chunk.data[..usize::try_from(left).unwrap_or(usize::MAX).min(chunk.data.len())];
            self.opening(dir, body, body.len() as u64 == left, &mut |at| chunk.keep(at..at + 1));
        }
        while let Some(record) = self.walkers[at].next(&mut cursor, head) {
            let length = record.head().first_chunk().and_then(length).unwrap_or(0).into();
            let whole = record.body.len() == length || cursor.is_whole();
            match record.head().first() {
                Some(&HANDSHAKE) => {
                    self.opening(dir, record.body, whole, &mut |at| cursor.keep(at..at + 1));
                    continue;
                }
                Some(&ALERT) if self.walkers[at].is_exact() => {
                    let ending = self.ending(length, record.body, &cursor);
                    out(match (ending, dir) {
                        (None, _) => continue,
                        (Some(message), Direction::Sent) => Sign::Goodbye { by: user, message },
                        (Some(message), Direction::Received) => Sign::PeerGoodbye { reader: user, message },
                    });
                }
                _ => {}
            }
            self.hellos[at] = None;
        }
        if self.walkers[at].is_lost() {
            self.hellos[at] = None;
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.hellos[dir.index()] = None;
    }

    fn tls(&self) -> Option<&Facts> {
        Some(&self.facts)
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
mod tests;
