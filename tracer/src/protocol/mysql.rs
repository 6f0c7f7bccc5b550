//! MySQL's and MariaDB's packets (MySQL source documentation, "MySQL Packets", "Command Phase"): a length of
//! three bytes, little-endian, and a sequence number that each command starts anew.

use super::exchange::Exchange;
use super::speech::{Fit, Note, Session, Side, Speech, Start};
use super::walker::{Head, Walker};
use super::{Chunk, Direction, InFlight, Kept, Protocol, Sign, User};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Mysql,
    name: "MySQL",
    in_user_memory: true,
    opens,
    may_open,
    fits,
    session: |start| Box::new(Mysql::new(start)),
};

/// Length and sequence number.
const HEADER: usize = 4;

const COM_QUIT: u8 = 0x01;
const COM_QUERY: u8 = 0x03;
const COM_STMT_PREPARE: u8 = 0x16;
const COM_STMT_SEND_LONG_DATA: u8 = 0x18;
const COM_STMT_CLOSE: u8 = 0x19;

/// What a statement begins with, where one is looked for in unknown bytes.
const VERBS: [&str; 22] = [
    "alter", "begin", "call", "commit", "create", "delete", "describe", "drop", "explain", "flush", "insert",
    "kill", "lock", "replace", "rollback", "select", "set", "show", "start", "truncate", "update", "use",
];

/// The payload's length and the sequence number.
fn header(&[a, b, c, sequence]: &[u8; HEADER]) -> (u32, u8) {
    (u32::from_le_bytes([a, b, c, 0]), sequence)
}

/// Is this the header of a packet that may be a greeting?
fn greets(head: &[u8; HEADER]) -> bool {
    let (length, sequence) = header(head);
    (30..=512).contains(&length) && sequence == 0
}

/// Where a version's text ends: at its zero, or at what cannot be in one. It is not noted, so that what
/// stands for it is taken for text.
fn text_ends(version: &[u8]) -> Option<usize> {
    version.iter().position(|&byte| !byte.is_ascii_graphic() && byte != Kept::FILL)
}

/// The server's greeting: protocol 10 and its version as text ("Protocol::HandshakeV10").
fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    let (head, greeting) = data.split_first_chunk()?;
    let (&10, version) = greeting.split_first()? else { return None };
    let end = text_ends(version).filter(|&end| version[end] == 0)?;
    note(0..HEADER + 2);
    note(HEADER + 1 + end..HEADER + 2 + end);
    (greets(head) && version.first()?.is_ascii_digit()).then_some(Side::Server)
}

/// The first bytes of a greeting, up to the end of the version. A header alone is one, as clients read
/// it, but not a part of a header: any byte may be its first, and what begins with one is mostly
/// something else's content.
fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let Some((_, greeting)) = data.split_first_chunk().filter(|(head, _)| greets(head)) else {
        return false;
    };
    match greeting {
        [] => note(0..HEADER),
        [10] => note(0..HEADER + 1),
        [10, b'0'..=b'9', ..] => {
            note(0..HEADER + 2);
            if let Some(end) = text_ends(&greeting[1..]) {
                note(HEADER + 1 + end..HEADER + 2 + end);
                return false;
            }
        }
        _ => return false,
    }
    true
}

/// Is it one command with a statement? Other packets look like those of many protocols.
fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (head, payload) = data.split_first_chunk()?;
    let ((length, 0), (&(COM_QUERY | COM_STMT_PREPARE), text)) = (header(head), payload.split_first()?)
    else {
        return None;
    };
    // With CLIENT_QUERY_ATTRIBUTES: no attribute, in one set.
    let text = text.strip_prefix(&[0, 1]).unwrap_or(text).trim_ascii_start();
    let is =
        |verb: &&str| text.get(..verb.len()).is_some_and(|word| word.eq_ignore_ascii_case(verb.as_bytes()));
    let whole = u64::from(length) + HEADER as u64 == len;
    let verb = VERBS.iter().find(|verb| is(verb))?;
    note(0..data.len() - text.len() + verb.len());
    whole.then_some(Fit { sure: true, from: Some(Side::Client) })
}

/// Does a reply begin here, in a session that is known to be one: packets 1, 2, 3, ... that tile these bytes?
fn resumes(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (mut rest, mut seen, mut packets) = (data, 0u64, 0u8);
    while let Some((start, after)) = rest.split_first_chunk() {
        let (length, sequence) = header(start);
        if packets < u8::MAX && sequence != packets + 1 {
            return None;
        }
        packets = packets.saturating_add(1);
        let at = data.len() - rest.len();
        note(at..at + HEADER);
        seen += HEADER as u64 + u64::from(length);
        rest = after.get(length as usize..).unwrap_or_default();
    }
    (seen == len || packets > 1).then_some(Fit { sure: packets > 2 || seen == len, from: Some(Side::Server) })
}

/// A packet's header with the first byte of its payload, where one begins.
fn head(bytes: &[u8]) -> Head {
    let Some(start) = bytes.first_chunk() else { return Head::Short(HEADER - bytes.len()) };
    match header(start) {
        (0, _) => Head::Message { head: HEADER, body: 0 },
        (length, _) if bytes.len() > HEADER => {
            Head::Message { head: HEADER + 1, body: u64::from(length) - 1 }
        }
        (length, _) => Head::Short(length as usize),
    }
}

/// One MySQL session. A command has sequence 0, and its reply begins with 1.
#[derive(Debug)]
struct Mysql {
    client: Option<Direction>,
    walkers: [Walker; 2],
    /// The last sequence number each way.
    last: [Option<u8>; 2],
    exchange: Exchange,
}

impl Mysql {
    fn new(start: Start) -> Self {
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            last: [None; 2],
            exchange: Exchange::new(start.fresh[0] && start.fresh[1]),
        }
    }

    /// Can this sequence number come now? Commands have 0, replies begin with 1, all else counts on.
    fn follows(&self, dir: Direction, sequence: u8) -> bool {
        let begins = if self.client == Some(dir) { 0 } else { 1 };
        let goes_on = self.last.iter().flatten().any(|last| last.wrapping_add(1) == sequence);
        sequence == begins || goes_on || self.last == [None; 2]
    }

    /// The client's packet: a command, or a part of the login or of a file.
    fn asked(&mut self, user: User, head: &[u8], out: &mut dyn FnMut(Sign)) {
        let unanswered =
            matches!(head.get(HEADER), Some(&(COM_QUIT | COM_STMT_SEND_LONG_DATA | COM_STMT_CLOSE)));
        if head.get(HEADER - 1) == Some(&0) && head.get(HEADER) == Some(&COM_QUIT) {
            out(Sign::Goodbye { by: user, message: "COM_QUIT" });
        }
        if head.get(HEADER - 1) == Some(&0) && !unanswered {
            self.exchange.request(user, out);
        }
    }

    /// The server's packet: the first of a reply, or another. After its 0 its 1 goes on, in a reply of more
    /// than 255 packets.
    fn answered(&mut self, user: User, head: &[u8], last: Option<u8>, out: &mut dyn FnMut(Sign)) {
        if head.get(HEADER - 1) == Some(&1) && last != Some(0) {
            if self.exchange.has_begun() {
                self.exchange.ended();
            }
            self.exchange.reply(user, out);
        } else if self.exchange.has_begun() {
            self.exchange.reply(user, out);
        }
    }
}

impl Session for Mysql {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        let at = dir.index();
        let client = self.client == Some(dir);
        let begins = if client { fits } else { resumes };
        let mut cursor = self.walkers[at].start(user, dir, chunk, begins, out);
        if !client {
            self.exchange.heard();
        }
        if !client && self.walkers[at].payload_of().is_some() && self.exchange.has_begun() {
            self.exchange.reply(user, out);
        }
        while let Some(packet) = self.walkers[at].next(&mut cursor, head) {
            let sequence = packet.head().get(HEADER - 1).copied();
            if packet.head().len() > HEADER && sequence != Some(0) {
                // It is no command's first byte, but one of a row or of a file.
                cursor.withhold();
            }
            if !sequence.is_some_and(|sequence| self.follows(dir, sequence)) {
                self.walkers[at].lose();
                break;
            }
            let last = std::mem::replace(&mut self.last[at], sequence);
            match client {
                true => self.asked(user, packet.head(), out),
                false => self.answered(user, packet.head(), last, out),
            }
        }
        if self.walkers[at].is_lost() {
            self.exchange.unread(user, client, out);
        }
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.exchange.lose_end();
        if self.client == Some(dir) {
            self.exchange.doubt();
        } else {
            self.exchange.heard();
        }
    }

    fn in_flight(&self) -> InFlight {
        let is_client = self.client == Some(Direction::Sent);
        if is_client { self.exchange.in_flight(false) } else { InFlight::Unknown }
    }
}

#[cfg(test)]
mod tests;
