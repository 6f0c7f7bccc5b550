//! What the payloads of one direction's frames say: header blocks, and the few numbers of others.

use super::codes::SETTINGS;
use super::frame::{Frame, FrameKind};
use super::hpack::{Fields, Hpack, Table};
use super::log::{Goaway, Log};
use super::messages::Messages;
use crate::protocol::speech::Note;
use crate::protocol::walker::Part;
use crate::protocol::{Direction, User};

/// Bytes of an entry of SETTINGS (RFC 9113, 6.5.1).
const SETTING: usize = 6;

/// The payloads of one direction between two transfers.
#[derive(Debug)]
pub(super) enum Resting {
    /// No frame and no block was cut: all that lasts is the table.
    Between(Table),
    Within(Box<Payloads>),
}

impl Resting {
    /// From the first frame when `fresh`, else from somewhere.
    pub(super) fn new(fresh: bool) -> Self {
        Self::Between(Table::new(fresh))
    }

    /// Goes on reading. What is left in its place is empty, until [`Payloads::rest`] comes back.
    pub(super) fn resume(&mut self, dir: Direction) -> Payloads {
        match std::mem::replace(self, Self::new(true)) {
            Self::Between(table) => Payloads::new(dir, table),
            Self::Within(payloads) => *payloads,
        }
    }

    /// Bytes were missed.
    pub(super) fn lose(&mut self, dir: Direction, log: &mut Log) {
        let mut payloads = self.resume(dir);
        payloads.lose(log);
        *self = payloads.rest();
    }
}

/// Reads payloads, over any split.
#[derive(Debug)]
pub(super) struct Payloads {
    dir: Direction,
    hpack: Hpack,
    /// Whose header block is not complete yet.
    block: Option<(Frame, User)>,
    /// The frame that is being read, and its sender or reader.
    frame: Frame,
    user: User,
    /// Bytes of its payload that went by.
    at: u32,
    pad: u32,
    /// A number, or entry, that is being read, and how many of its bytes are there.
    item: [u8; 8],
    have: usize,
}

impl Payloads {
    /// Where a frame begins.
    fn new(dir: Direction, table: Table) -> Self {
        let frame = Frame { kind: FrameKind::Data, stream: 0, length: 0, flags: 0 };
        let (hpack, user) = (Hpack::new(table), User(0));
        Self { dir, hpack, block: None, frame, user, at: 0, pad: 0, item: [0; 8], have: 0 }
    }

    /// A transfer has ended.
    pub(super) fn rest(self) -> Resting {
        let is_cut = self.is_unfinished() || self.block.is_some() || !self.hpack.is_between();
        if is_cut {
            return Resting::Within(Box::new(self));
        }
        let mut table = self.hpack.into_table();
        table.rest();
        Resting::Between(table)
    }

    /// Is there more to come of a frame?
    pub(super) fn is_unfinished(&self) -> bool {
        self.at < self.frame.length
    }

    /// Bytes were missed, or come in another order than they were meant.
    pub(super) fn lose(&mut self, log: &mut Log) {
        self.at = self.frame.length;
        self.lose_block(log);
        log.lose(self.dir);
    }

    /// A header block's rest, or whole ones, will not be read.
    fn lose_block(&mut self, log: &mut Log) {
        let fields = self.hpack.lose();
        self.tell(fields, log);
    }

    /// The header block that was begun is over, and said this.
    fn tell(&mut self, fields: Fields, log: &mut Log) {
        if let Some((begun, user)) = self.block.take()
            // What is promised is no part of the stream that it is promised on (RFC 9113, 6.6).
            && begun.kind == FrameKind::Headers
        {
            log.fields(begun.stream, user, self.dir, fields);
        }
    }

    /// A frame's header was completed by `user`.
    pub(super) fn begin(&mut self, frame: Frame, user: User, log: &mut Log) {
        let goes_on = frame.kind == FrameKind::Continuation
            && self.block.is_some_and(|(begun, _)| begun.stream == frame.stream);
        if !goes_on && (self.block.is_some() || frame.kind == FrameKind::Continuation) {
            // Nothing may come between (RFC 9113, 6.10).
            self.lose_block(log);
        }
        if matches!(frame.kind, FrameKind::Headers | FrameKind::PushPromise) {
            self.block = Some((frame, user));
        }
        (self.frame, self.user, self.at, self.pad, self.have) = (frame, user, 0, 0, 0);
        let says = match frame.kind {
            FrameKind::Headers | FrameKind::PushPromise | FrameKind::Settings => true,
            FrameKind::RstStream | FrameKind::Goaway => true,
            FrameKind::Continuation => goes_on,
            FrameKind::Data => log.messages(frame.stream, self.dir).is_some(),
            FrameKind::Priority | FrameKind::Ping | FrameKind::WindowUpdate | FrameKind::Other(_) => false,
        };
        if !says {
            self.at = frame.length;
        }
    }

    /// More of the frame's payload went by.
    pub(super) fn read(&mut self, part: Part<'_>, log: &mut Log, note: Note<'_>) {
        let Frame { kind, length, .. } = self.frame;
        if length > 0 && self.at == length {
            return;
        }
        let (from, to) = (self.at, self.at.saturating_add(part.len as u32).min(length));
        match kind {
            FrameKind::Headers | FrameKind::PushPromise | FrameKind::Continuation => {
                self.read_block(part, log, note);
            }
            FrameKind::Data => self.read_data(part, log, note),
            FrameKind::Settings | FrameKind::RstStream | FrameKind::Goaway => {
                self.read_numbers(from, part.data, log, note);
            }
            FrameKind::Priority | FrameKind::Ping | FrameKind::WindowUpdate | FrameKind::Other(_) => {}
        }
        self.at = to;
        if to == length && self.block.is_some() && self.frame.ends_block() {
            let fields = self.hpack.end();
            self.tell(fields, log);
        }
    }

    /// Of these bytes of the payload those between padding's length, `skip` more, and the padding: which they
    /// are of the part, and how many of them were captured. `None`: padding's length was not.
    fn inner(&mut self, part: Part<'_>, skip: u32, note: Note<'_>) -> Option<(u32, u32, usize)> {
        let from = self.at;
        if self.frame.is_padded() && from == 0 && part.len > 0 {
            self.pad = u32::from(*part.data.first()?);
            note(0..1);
        }
        let first = skip + u32::from(self.frame.is_padded());
        let end = self.frame.length.saturating_sub(self.pad).max(first);
        let to = from.saturating_add(part.len as u32).min(end).max(from);
        let first = first.max(from).min(to) - from;
        let captured = part.data.len().min((to - from) as usize);
        Some((first, to - from, captured.max(first as usize)))
    }

    fn read_block(&mut self, part: Part<'_>, log: &mut Log, note: Note<'_>) {
        if self.block.is_none() {
            return;
        }
        let Some((first, end, captured)) = self.inner(part, self.frame.before_block(), note) else {
            return self.lose_block(log);
        };
        let first = first as usize;
        if let Some(data) = part.data.get(first..captured) {
            self.hpack.read(data, &mut |range| note(first + range.start..first + range.end));
        }
        if captured < end as usize {
            self.lose_block(log);
        }
    }

    fn read_data(&mut self, part: Part<'_>, log: &mut Log, note: Note<'_>) {
        let (stream, dir) = (self.frame.stream, self.dir);
        let inner = self.inner(part, 0, note);
        let Some(messages) = log.messages(stream, dir) else { return };
        let Some((first, end, captured)) = inner else {
            *messages = Messages::Lost;
            return;
        };
        let data = part.data.get(first as usize..captured).unwrap_or_default();
        let begun = messages.read(data, u64::from(end - first), &mut |range| {
            note(first as usize + range.start..first as usize + range.end);
        });
        if begun > 0 {
            log.begun(stream, self.user, dir, begun);
        }
    }

    /// Numbers at fixed places: entries of SETTINGS, an error code.
    fn read_numbers(&mut self, from: u32, data: &[u8], log: &mut Log, note: Note<'_>) {
        let (size, repeats) = match self.frame.kind {
            FrameKind::Settings => (SETTING, true),
            FrameKind::RstStream => (4, false),
            _ => (8, false),
        };
        for (at, &byte) in data.iter().enumerate() {
            let place = from as usize + at;
            if place >= size && !repeats {
                return;
            }
            if place.is_multiple_of(size) {
                self.have = 0;
            }
            if self.have != place % size {
                continue;
            }
            self.item[self.have] = byte;
            self.have += 1;
            // Parameters that are not known say nothing.
            let known = |number| SETTINGS.iter().any(|(known, _)| *known == number);
            let says = match (repeats, self.have) {
                (true, 1) => byte == 0,
                (true, _) => known(u16::from_be_bytes([self.item[0], self.item[1]])),
                (false, _) => true,
            };
            if !says {
                self.have = SETTING + 1;
                continue;
            }
            note(at..at + 1);
            if self.have == size {
                self.number(log);
            }
        }
    }

    /// A number, or entry, is complete.
    fn number(&mut self, log: &mut Log) {
        let [a, b, c, d, e, f, g, h] = self.item;
        let (stream, user, dir) = (self.frame.stream, self.user, self.dir);
        match self.frame.kind {
            FrameKind::Settings => log.set(dir, u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])),
            FrameKind::RstStream => log.reset(stream, user, dir, u32::from_be_bytes([a, b, c, d])),
            _ => {
                let last_stream = u32::from_be_bytes([a, b, c, d]) & (u32::MAX >> 1);
                let error = u32::from_be_bytes([e, f, g, h]);
                log.goaway(Goaway { user, dir, last_stream, error });
            }
        }
    }
}
