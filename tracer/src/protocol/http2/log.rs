//! What was seen on the streams of one connection, by process: for reports and for words of evidence.

use super::Verb;
use super::codes::SETTINGS;
use super::frame::{Frame, FrameKind};
use super::hpack::Fields;
use super::messages::Messages;
use crate::protocol::{Direction, User};
use std::collections::VecDeque;
use std::sync::Arc;

/// Streams that are remembered: the newest, and before them those that go on.
const STREAMS: usize = 32;

/// Processes that are told apart on one stream.
const USERS: usize = 32;

/// GOAWAYs that are remembered, first come: a second one is the last word before the end (RFC 9113, 6.8).
const GOAWAYS: usize = 8;

/// What was seen on the streams of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The connection itself: stream 0.
    connection: Stream,
    streams: VecDeque<Stream>,
    forgotten: u64,
    /// The highest stream that was forgotten.
    forgotten_to: u32,
    unread: [u64; 2],
    settings: [[Option<u32>; SETTINGS.len()]; 2],
    goaways: Vec<Goaway>,
}

/// One stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Its number.
    pub id: u32,
    /// What each process did on it.
    pub uses: Vec<StreamUse>,
    messages: [Messages; 2],
    /// Each direction has ended.
    ended: [bool; 2],
}

/// What one process did on one stream. What it sent, and what it read of the other side's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamUse {
    /// The process.
    pub user: User,
    /// It opened the stream.
    pub opened: bool,
    /// `:path` of a request, without its query.
    pub path: Option<Arc<str>>,
    /// `:method` of a request.
    pub verb: Option<Verb>,
    /// `:status` of a response, the last one.
    pub status: Option<u16>,
    /// `grpc-status` of a response.
    pub grpc_status: Option<u16>,
    /// The error code of a RST_STREAM, sent and received.
    pub reset: [Option<u32>; 2],
    /// Messages of gRPC whose prefix was sent, and received.
    messages: [u32; 2],
    /// Frames sent and received, by type.
    frames: [[u32; FrameKind::COUNT]; 2],
}

/// The end of a session was announced (RFC 9113, 6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goaway {
    /// Who sent it, or read it.
    pub user: User,
    /// Which way.
    pub dir: Direction,
    /// Streams up to this one may have been worked on.
    pub last_stream: u32,
    /// The error code.
    pub error: u32,
}

impl Log {
    /// The connection itself, then its streams, oldest first.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        std::iter::once(&self.connection).chain(&self.streams)
    }

    /// Streams that were seen and are not remembered.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Header blocks of which something is not known: captured in part, or resting on what was not seen.
    #[must_use]
    pub fn unread(&self, dir: Direction) -> u64 {
        self.unread[dir.index()]
    }

    /// Parameters that were set, by name: the last values.
    pub fn settings(&self, dir: Direction) -> impl Iterator<Item = (&'static str, u32)> {
        let values = self.settings[dir.index()];
        SETTINGS.iter().zip(values).filter_map(|((_, name), value)| Some((*name, value?)))
    }

    /// The ends of the session that were announced.
    #[must_use]
    pub fn goaways(&self) -> &[Goaway] {
        &self.goaways
    }

    /// What a process did on a stream; `None` where that is not remembered.
    #[must_use]
    pub fn usage(&self, stream: u32, user: User) -> Option<&StreamUse> {
        let stream = self.streams.iter().rev().find(|known| known.id == stream)?;
        stream.uses.iter().find(|known| known.user == user)
    }

    fn usage_mut(&mut self, id: u32, user: User) -> Option<&mut StreamUse> {
        self.stream(id)?.usage_mut(user)
    }

    fn stream(&mut self, id: u32) -> Option<&mut Stream> {
        if id == 0 {
            return Some(&mut self.connection);
        }
        match self.streams.iter().rposition(|stream| stream.id == id) {
            Some(at) => self.streams.get_mut(at),
            None if id <= self.forgotten_to => None,
            None => Some(self.add(id)),
        }
    }

    fn add(&mut self, id: u32) -> &mut Stream {
        let mut uses = Vec::new();
        if self.streams.len() == STREAMS {
            let ended = self.streams.iter().position(|stream| stream.ended == [true; 2]);
            if let Some(old) = self.streams.remove(ended.unwrap_or(0)) {
                self.forgotten += 1;
                // One that nobody was seen to open may be a misread number, above all that are to come.
                if old.uses.iter().any(|usage| usage.opened) {
                    self.forgotten_to = self.forgotten_to.max(old.id);
                }
                uses = old.uses;
                uses.clear();
            }
        }
        let at = self.streams.len();
        self.streams.push_back(Stream { id, uses, ..Stream::default() });
        &mut self.streams[at]
    }

    /// A frame's header was sent or received by `user`.
    pub(super) fn frame(&mut self, user: User, dir: Direction, frame: Frame) {
        let Some(stream) = self.stream(frame.stream) else { return };
        let reset = frame.kind == FrameKind::RstStream;
        stream.ended[dir.index()] |= frame.ends_stream();
        stream.ended = stream.ended.map(|ended| ended || reset);
        if let Some(usage) = stream.usage_mut(user) {
            let count = &mut usage.frames[dir.index()][frame.kind.index()];
            *count = count.saturating_add(1);
        }
    }

    /// `user` opened a stream.
    pub(super) fn opened(&mut self, id: u32, user: User) {
        if let Some(usage) = self.usage_mut(id, user) {
            usage.opened = true;
        }
    }

    /// A header block of a stream said this.
    pub(super) fn fields(&mut self, id: u32, user: User, dir: Direction, fields: Fields) {
        let at = dir.index();
        self.unread[at] += u64::from(fields.gaps);
        let Some(stream) = self.stream(id) else { return };
        if let (Some(grpc), Messages::Not) = (fields.grpc, stream.messages[at]) {
            stream.messages[at] = if grpc { Messages::At { have: 0, left: 0 } } else { Messages::Not };
        }
        let Some(usage) = stream.usage_mut(user) else { return };
        usage.path = fields.path.or(usage.path.take());
        usage.verb = fields.verb.or(usage.verb);
        usage.status = fields.status.or(usage.status);
        usage.grpc_status = fields.grpc_status.or(usage.grpc_status);
    }

    /// The place among the messages of a stream, where they are counted.
    pub(super) fn messages(&mut self, id: u32, dir: Direction) -> Option<&mut Messages> {
        let stream = self.streams.iter_mut().rev().find(|stream| stream.id == id)?;
        Some(&mut stream.messages[dir.index()]).filter(|messages| messages.are_read())
    }

    /// Messages began.
    pub(super) fn begun(&mut self, id: u32, user: User, dir: Direction, count: u32) {
        if let Some(usage) = self.usage_mut(id, user) {
            let messages = &mut usage.messages[dir.index()];
            *messages = messages.saturating_add(count);
        }
    }

    /// A RST_STREAM had this code.
    pub(super) fn reset(&mut self, id: u32, user: User, dir: Direction, code: u32) {
        if let Some(usage) = self.usage_mut(id, user) {
            usage.reset[dir.index()] = Some(code);
        }
    }

    /// A parameter was set.
    pub(super) fn set(&mut self, dir: Direction, number: u16, value: u32) {
        if let Some(at) = SETTINGS.iter().position(|(known, _)| *known == number) {
            self.settings[dir.index()][at] = Some(value);
        }
    }

    /// A GOAWAY was read.
    pub(super) fn goaway(&mut self, goaway: Goaway) {
        if self.goaways.len() < GOAWAYS {
            self.goaways.push(goaway);
        }
    }

    /// Bytes of this direction were missed.
    pub(super) fn lose(&mut self, dir: Direction) {
        let at = dir.index();
        for stream in self.streams.iter_mut().filter(|stream| !stream.ended[at]) {
            stream.messages[at] = Messages::Lost;
        }
    }
}

impl Stream {
    fn usage_mut(&mut self, user: User) -> Option<&mut StreamUse> {
        let at = match self.uses.iter().position(|known| known.user == user) {
            Some(at) => at,
            None if self.uses.len() < USERS => {
                // Most streams are one process', and there are many streams.
                self.uses.reserve_exact(1);
                self.uses.push(StreamUse::new(user));
                self.uses.len() - 1
            }
            None => return None,
        };
        self.uses.get_mut(at)
    }

    /// Messages of gRPC that one of its processes sent, or received; `None` where they were not counted.
    #[must_use]
    pub fn messages(&self, usage: &StreamUse, dir: Direction) -> Option<u32> {
        let took_part = [FrameKind::Headers, FrameKind::Data]
            .iter()
            .any(|kind| usage.frames[dir.index()][kind.index()] > 0);
        (took_part && self.messages[dir.index()].are_read()).then_some(usage.messages[dir.index()])
    }
}

impl StreamUse {
    fn new(user: User) -> Self {
        Self {
            user,
            opened: false,
            path: None,
            verb: None,
            status: None,
            grpc_status: None,
            reset: [None; 2],
            messages: [0; 2],
            frames: [[0; FrameKind::COUNT]; 2],
        }
    }

    /// Frames that it sent or received: types, and how many of each.
    pub fn frames(&self, dir: Direction) -> impl Iterator<Item = (&'static str, u32)> {
        let counts = self.frames[dir.index()].into_iter().zip(FrameKind::NAMES);
        counts.filter(|(count, _)| *count > 0).map(|(count, name)| (name, count))
    }
}

#[cfg(test)]
mod tests;
