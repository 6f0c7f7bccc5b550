//! Cuts the bytes of one direction into messages, over any split into transfers.

use super::speech::Fits;
use super::{Chunk, Direction, Kept, Sign, User};
use std::ops::Range;

/// The longest message header of any protocol: HTTP/2's client preface, which is all header.
const HEAD_MAX: usize = 24;

/// What the bytes where a message begins say about its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The header is longer: at least so many bytes more are needed.
    Short(usize),
    /// A header of `head` bytes, and `body` bytes after it.
    Message { head: usize, body: u64 },
    /// A header of `head` bytes; the message ends with the next line feed.
    Line { head: usize },
    /// No message begins so.
    Bad,
}

/// One message, reported as soon as its header is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    head: Bytes<'a>,
    /// What this transfer captured of the rest.
    pub(super) body: &'a [u8],
}

/// A header's bytes.
#[derive(Clone, Copy, Debug)]
enum Bytes<'a> {
    /// All in one transfer.
    Whole(&'a [u8]),
    /// So many of these, which came in several.
    Joined([u8; HEAD_MAX], usize),
}

impl Message<'_> {
    /// The header's bytes.
    pub(super) fn head(&self) -> &[u8] {
        match &self.head {
            Bytes::Whole(bytes) => bytes,
            Bytes::Joined(bytes, length) => &bytes[..*length],
        }
    }
}

/// What one transfer brings of a message's body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// What was captured of it.
    pub(super) data: &'a [u8],
    /// Bytes of it in all.
    pub(super) len: u64,
}

/// How well the place in the stream is known.
///
/// ```text
///   Exact ---- a header that cannot be, one beyond the captured bytes, a loss ----> Lost
///     ^                                                                            |   |
///     |------------------- a transfer surely begins with a message ----------------+   |
///     +--- the next header is where it was foretold --- Guess <--- ... may begin ------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    Exact,
    Guess { read: bool },
    Lost,
}

/// The rest of a message that another process cut.
#[derive(Clone, Copy, Debug)]
struct Parked {
    owner: User,
    left: u64,
}

/// The place in one direction's stream of messages. There are two for each connection: it is small.
#[derive(Clone, Debug)]
pub(super) struct Walker {
    /// Bytes of the current message still to come.
    left: u64,
    /// Few connections have one for long.
    cut: Option<Box<Cut>>,
    /// Whose transfer began the current message, where `begun`.
    owner: User,
    begun: bool,
    sync: Sync,
    /// The current message goes on to the next line feed.
    line: bool,
}

/// What was cut: a header by the end of a transfer, a message by another process.
#[derive(Clone, Debug, Default)]
struct Cut {
    /// A header that is not complete yet, and what it lacks at least.
    head: [u8; HEAD_MAX],
    have: u8,
    lacks: u32,
    parked: Option<Parked>,
}

const _: () = assert!(size_of::<Walker>() == 24);

/// The place in one transfer.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    chunk: Chunk<'a>,
    at: u64,
    user: User,
}

impl Walker {
    /// At the stream's first byte when `fresh`, else somewhere unknown.
    pub(super) fn new(fresh: bool) -> Self {
        let sync = if fresh { Sync::Exact } else { Sync::Lost };
        Self { left: 0, cut: None, owner: User(0), begun: false, sync, line: false }
    }

    /// The place is unknown until a transfer begins with a message.
    pub(super) fn lose(&mut self) {
        *self = Self::new(false);
    }

    /// Is the place unknown?
    pub(super) fn is_lost(&self) -> bool {
        self.sync == Sync::Lost
    }

    /// Is the place known for certain?
    pub(super) fn is_exact(&self) -> bool {
        self.sync == Sync::Exact
    }

    /// Who began the message that is not complete yet, if one is not.
    pub(super) fn unfinished(&self) -> Option<User> {
        self.owner().filter(|_| self.left > 0 || self.have() > 0 || self.line)
    }

    /// Who completed the header of the message whose rest is still to come, if some is.
    pub(super) fn payload_of(&self) -> Option<User> {
        self.owner().filter(|_| self.left > 0 || self.line)
    }

    fn owner(&self) -> Option<User> {
        self.begun.then_some(self.owner)
    }

    /// Bytes of a header that is not complete yet.
    fn have(&self) -> usize {
        self.cut.as_ref().map_or(0, |cut| usize::from(cut.have))
    }

    /// Bytes of the current message that are still to come, where its length is known.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Begins to read a transfer. `fits` says whether messages begin where it begins.
    pub(super) fn start<'a>(
        &mut self,
        user: User,
        dir: Direction,
        chunk: Chunk<'a>,
        fits: Fits,
        out: &mut dyn FnMut(Sign),
    ) -> Cursor<'a> {
        let others = self.unfinished().filter(|&owner| owner != user && dir == Direction::Sent);
        match others {
            Some(cut) if chunk.fits(fits).is_some() => self.tear(user, cut, out),
            _ => self.resume(user),
        }
        if self.is_lost()
            && let Some(fit) = chunk.fits(fits)
        {
            self.sync = if fit.sure { Sync::Exact } else { Sync::Guess { read: false } };
        }
        Cursor { chunk, at: 0, user }
    }

    /// `user` begins a message inside the one of `cut`.
    fn tear(&mut self, user: User, cut: User, out: &mut dyn FnMut(Sign)) {
        if !self.is_exact() {
            return self.lose();
        }
        let lacks = self.cut.as_ref().map_or(0, |cut| cut.lacks);
        let missing = if self.left > 0 { self.left } else { lacks.max(1).into() };
        out(Sign::Torn { by: user, cut, missing });
        let parked = (self.left > 0).then_some(Parked { owner: cut, left: self.left });
        let cut = parked.map(|parked| Box::new(Cut { parked: Some(parked), ..Cut::default() }));
        *self = Self { cut, ..Self::new(true) };
    }

    /// The process whose message was cut goes on with it.
    fn resume(&mut self, user: User) {
        if self.unfinished().is_none()
            && let Some(cut) = &mut self.cut
            && let Some(parked) = cut.parked.take_if(|parked| parked.owner == user)
        {
            (self.left, self.owner, self.begun) = (parked.left, parked.owner, true);
        }
    }

    /// The next message whose header this transfer completes. `read` reads a header.
    // One for each protocol: in one piece it costs every message a call.
    #[inline]
    pub(super) fn next<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        read: impl Fn(&[u8]) -> Head,
    ) -> Option<Message<'a>> {
        if self.is_lost() || !self.finish(cursor) {
            return None;
        }
        let Some(rest) = cursor.captured().filter(|rest| !rest.is_empty()) else {
            self.lose();
            return None;
        };
        let have = self.have();
        let owner = if have == 0 { cursor.user } else { self.owner };
        (self.owner, self.begun) = (cursor.user, true);
        let taken = rest.len().min(HEAD_MAX - have);
        let filled = have + taken;
        let mut joined = [0; HEAD_MAX];
        let bytes = match self.cut.as_deref().filter(|_| have > 0) {
            None => &rest[..taken],
            Some(cut) => {
                joined[..have].copy_from_slice(&cut.head[..have]);
                joined[have..filled].copy_from_slice(&rest[..taken]);
                &joined[..filled]
            }
        };
        let (head, body, line) = match read(bytes) {
            Head::Message { head, body } => (head, body, false),
            Head::Line { head } => (head, 0, true),
            Head::Short(lacks) if filled < HEAD_MAX && cursor.is_whole() => {
                cursor.keep(0..taken);
                let cut = self.cut.get_or_insert_default();
                cut.head[have..filled].copy_from_slice(&rest[..taken]);
                cut.have = filled as u8;
                cut.lacks = u32::try_from(lacks).unwrap_or(u32::MAX);
                self.owner = owner;
                cursor.at = cursor.chunk.len;
                return None;
            }
            Head::Short(_) => {
                cursor.keep(0..taken);
                self.lose();
                return None;
            }
            Head::Bad => {
                cursor.keep(0..bad(bytes, have, read));
                self.lose();
                return None;
            }
        };
        let Some(used) = head.checked_sub(have).filter(|_| head > 0 && head <= filled) else {
            self.lose();
            return None;
        };
        cursor.keep(0..used);
        let head = if have == 0 { Bytes::Whole(&rest[..head]) } else { Bytes::Joined(joined, head) };
        if let Some(cut) = self.cut.as_mut().filter(|_| have > 0) {
            (cut.have, cut.lacks) = (0, 0);
        }
        (self.left, self.line) = (body, line);
        cursor.at += used as u64;
        if let Sync::Guess { read } = self.sync {
            self.sync = if read { Sync::Exact } else { Sync::Guess { read: true } };
        }
        let body = cursor.captured().unwrap_or_default();
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(body.len());
        Some(Message { head, body: if line { body } else { &body[..most] } })
    }

    /// What this transfer brings of the current message's body, from here on.
    pub(super) fn part<'a>(&self, cursor: &Cursor<'a>) -> Part<'a> {
        let len = self.left.min(cursor.chunk.len - cursor.at);
        let captured = cursor.captured().filter(|_| !cursor.chunk.heads_only).unwrap_or_default();
        let most = usize::try_from(len).unwrap_or(usize::MAX).min(captured.len());
        Part { data: &captured[..most], len }
    }

    /// Passes over the current message. False when the transfer ends first, or exactly there.
    fn finish(&mut self, cursor: &mut Cursor<'_>) -> bool {
        let step = self.left.min(cursor.chunk.len - cursor.at);
        self.left -= step;
        cursor.at += step;
        if self.line && cursor.at < cursor.chunk.len {
            match cursor.captured().and_then(|rest| rest.iter().position(|&byte| byte == b'\n')) {
                Some(end) => {
                    self.line = false;
                    cursor.keep(end..end + 1);
                    cursor.at += end as u64 + 1;
                }
                None if cursor.is_whole() => cursor.at = cursor.chunk.len,
                None => self.lose(),
            }
        }
        cursor.at < cursor.chunk.len
    }
}

/// How many of these bytes, after the first `have`, are enough to see that no message begins so.
fn bad(bytes: &[u8], have: usize, read: impl Fn(&[u8]) -> Head) -> usize {
    let mut shown = [Kept::FILL; HEAD_MAX];
    shown[..have].copy_from_slice(&bytes[..have]);
    for at in have..bytes.len() {
        if read(&shown[..bytes.len()]) == Head::Bad {
            return at - have;
        }
        shown[at] = bytes[at];
    }
    bytes.len() - have
}

impl<'a> Cursor<'a> {
    /// These bytes from here on say something.
    pub(super) fn keep(&self, range: Range<usize>) {
        let at = usize::try_from(self.at).unwrap_or(usize::MAX);
        self.chunk.keep(at.saturating_add(range.start)..at.saturating_add(range.end));
    }

    /// The header's last byte says nothing after all.
    pub(super) fn withhold(&self) {
        if let Some(at) = self.at.checked_sub(1).and_then(|at| usize::try_from(at).ok()) {
            self.chunk.withhold(at);
        }
    }

    /// The captured bytes from here on; `None` beyond them.
    fn captured(&self) -> Option<&'a [u8]> {
        self.chunk.data.get(usize::try_from(self.at).ok()?..)
    }

    /// Was the whole transfer captured?
    pub(super) fn is_whole(&self) -> bool {
        self.chunk.data.len() as u64 == self.chunk.len
    }
}
