//! The headers of MongoDB's messages (MongoDB specification, "MongoDB Wire Protocol"): length, own id, the id
//! answered, operation, all little-endian.

use crate::protocol::speech::{Fit, Note, Side};
use crate::protocol::walker::Head;

/// Length, two ids, operation.
const HEADER: usize = 16;

/// The same, and the first number after it, which every message has: flags, or the
/// operation that was compressed.
const FLAGGED: usize = HEADER + 4;

/// The largest message: `maxMessageSizeBytes`, 48,000,000.
const MOST: u32 = 48_000_000;

/// A message cut by the transfer's end is believed where none was expected up to this length.
const BELIEVED: u32 = 1 << 20;

const OP_REPLY: u32 = 1;
const OP_UPDATE: u32 = 2001;
const OP_INSERT: u32 = 2002;
const OP_QUERY: u32 = 2004;
const OP_GET_MORE: u32 = 2005;
const OP_DELETE: u32 = 2006;
const OP_KILL_CURSORS: u32 = 2007;
const OP_COMPRESSED: u32 = 2012;
const OP_MSG: u32 = 2013;

/// Flags of OP_MSG: a checksum follows; more comes, unasked; the client takes several replies. Of the first
/// 16 all unknown ones are an error.
const CHECKSUM: u32 = 1;
const MORE_TO_COME: u32 = 1 << 1;
const EXHAUST: u32 = 1 << 16;

/// (operation, least length, the client waits for a reply).
const OPERATIONS: [(u32, u32, bool); 9] = [
    (OP_REPLY, 36, false),
    (OP_UPDATE, 38, false),
    (OP_INSERT, 27, false),
    (OP_QUERY, 34, true),
    (OP_GET_MORE, 34, true),
    (OP_DELETE, 31, false),
    (OP_KILL_CURSORS, 24, false),
    (OP_COMPRESSED, 25, true),
    (OP_MSG, 26, true),
];

/// Where commands were sent before OP_MSG, and where each session's first still is.
const COMMANDS: &[u8] = b"admin.$cmd\0";

/// A message's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    length: u32,
    pub(super) id: u32,
    /// The request that it answers; 0 in a request.
    pub(super) answers: u32,
    operation: u32,
    flags: u32,
}

/// Does the server answer a request?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Always,
    Never,
    /// It cannot be seen: the request is compressed.
    Perhaps,
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let &[a, b, c, d] = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes([a, b, c, d]))
}

impl Message {
    /// The header of a message, if it is one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let numbers = [number(bytes, 0)?, number(bytes, 4)?, number(bytes, 8)?, number(bytes, 12)?];
        let [length, id, answers, operation] = numbers;
        let flags = number(bytes, HEADER)?;
        let &(_, least, _) = OPERATIONS.iter().find(|(known, ..)| *known == operation)?;
        let side = match operation {
            OP_REPLY => answers != 0,
            OP_MSG => flags & 0xffff & !(CHECKSUM | MORE_TO_COME) == 0,
            OP_COMPRESSED => matches!(flags, OP_REPLY | OP_MSG | OP_UPDATE..=OP_KILL_CURSORS),
            _ => answers == 0,
        };
        (side && (least..=MOST).contains(&length)).then_some(Self { length, id, answers, operation, flags })
    }

    /// See [`Answered`].
    pub(super) fn answered(self) -> Answered {
        let waits = OPERATIONS.iter().any(|&(known, _, waits)| known == self.operation && waits);
        match self.operation {
            OP_COMPRESSED => Answered::Perhaps,
            OP_MSG if self.flags & MORE_TO_COME != 0 => Answered::Never,
            // Several replies come, each to the one before.
            OP_MSG if self.flags & EXHAUST != 0 => Answered::Perhaps,
            _ if waits => Answered::Always,
            _ => Answered::Never,
        }
    }

    /// Whose it is.
    fn side(self) -> Side {
        if self.answers == 0 { Side::Client } else { Side::Server }
    }

    /// What stands after the header where it begins as its operation demands, and as much of it as shows
    /// that: of OP_MSG the kind of its first section, and where that is a document, its length.
    fn body(self, bytes: &[u8]) -> Option<usize> {
        let rest = bytes.get(FLAGGED..)?;
        match (self.operation, rest.first()) {
            (OP_MSG, Some(0)) => {
                let checksum = if self.flags & CHECKSUM != 0 { 4 } else { 0 };
                let most = self.length - FLAGGED as u32 - 1 - checksum;
                let length = number(rest, 1);
                let fits = length.is_none_or(|length| (5..=most).contains(&length));
                fits.then_some(if length.is_some() { 5 } else { 1 })
            }
            (OP_MSG, Some(1)) => Some(1),
            (OP_MSG, Some(_)) => None,
            _ => Some(0),
        }
    }
}

/// Can a first command's flags begin with these bytes? Of OP_QUERY's the lowest eight are
/// known, of OP_MSG's see above.
fn may_be_flags(operation: u32, bytes: &[u8]) -> bool {
    let known = if operation == OP_QUERY { 0xff } else { CHECKSUM | MORE_TO_COME | EXHAUST };
    bytes.iter().zip(known.to_le_bytes()).all(|(byte, known)| byte & !known == 0)
}

/// Does a client's first message begin here: a command, the old way or the new?
pub(super) fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    let message = Message::parse(data).filter(|message| message.answers == 0)?;
    if !may_be_flags(message.operation, &data[HEADER..FLAGGED]) {
        return None;
    }
    let shown = match message.operation {
        OP_QUERY => data[FLAGGED..].starts_with(COMMANDS).then_some(COMMANDS.len())?,
        OP_MSG => message.body(data).filter(|&shown| shown == 5)?,
        _ => return None,
    };
    note(0..FLAGGED + shown);
    Some(Side::Client)
}

/// The first bytes of one. A header alone is one, but not a part of a header: any byte may be its first, and
/// what begins with one is mostly something else's content.
pub(super) fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let header = data.first_chunk::<HEADER>().map(|header| [0, 4, 8, 12].map(|at| number(header, at)));
    let flags = |operation| may_be_flags(operation, &data[HEADER..data.len().min(FLAGGED)]);
    let begun = match header {
        Some([Some(34..=4096), _, Some(0), Some(OP_QUERY)]) => {
            data.len() < FLAGGED + COMMANDS.len()
                && flags(OP_QUERY)
                && COMMANDS.starts_with(data.get(FLAGGED..).unwrap_or_default())
        }
        Some([Some(26..=4096), _, Some(0), Some(OP_MSG)]) => {
            let message = || Message::parse(data).filter(|message| message.body(data).is_some());
            flags(OP_MSG) && (data.len() < FLAGGED || data.len() < FLAGGED + 5 && message().is_some())
        }
        _ => false,
    };
    note(0..if begun { data.len() } else { 0 });
    begun
}

/// The header of the message that begins here.
pub(super) fn head(bytes: &[u8]) -> Head {
    match Message::parse(bytes) {
        Some(message) => Head::Message { head: FLAGGED, body: u64::from(message.length) - FLAGGED as u64 },
        None if bytes.len() < FLAGGED => Head::Short(FLAGGED - bytes.len()),
        None => Head::Bad,
    }
}

/// Do messages of one side tile these bytes?
pub(super) fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    let (mut rest, mut seen, mut from, mut last) = (data, 0u64, None, 0);
    while rest.len() >= FLAGGED {
        let message = Message::parse(rest)?;
        let shown = message.body(rest).or((rest.len() == FLAGGED).then_some(0))?;
        if from.is_some_and(|from| from != message.side()) {
            return None;
        }
        let at = data.len() - rest.len();
        note(at..at + FLAGGED + shown);
        (from, last) = (Some(message.side()), message.length);
        seen += u64::from(message.length);
        rest = rest.get(message.length as usize..).unwrap_or_default();
    }
    note(data.len() - rest.len()..data.len());
    let whole = seen == len;
    // What may be the beginning of a first command is not the middle of a session.
    let sure = whole || data.len() >= FLAGGED + COMMANDS.len();
    (seen > 0 && (whole || last <= BELIEVED)).then_some(Fit { sure, from })
}
