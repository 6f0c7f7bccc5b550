//! What was seen on the streams of one connection, by process: for reports and for words of evidence.

mod coded;
mod past;
mod remembered;
mod stream;

pub use stream::{Stream, StreamUse};

use super::codes::SETTINGS;
use super::frame::{Frame, FrameKind};
use super::hpack::Fields;
use super::messages::Messages;
use crate::protocol::{Direction, Few, User};
use remembered::{Going, Remembered};
use stream::usage_mut;

/// GOAWAYs that are remembered, first come: a second one is the last word before the end (RFC 9113, 6.8).
const GOAWAYS: usize = 8;

/// What was seen on the streams of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The connection itself: stream 0.
    connection: Few<StreamUse>,
    streams: Remembered,
    forgotten: u32,
    /// The highest stream that was forgotten.
    forgotten_to: u32,
    unread: [u32; 2],
    /// Few connections have any.
    said: Option<Box<Said>>,
}

/// What was said of the connection itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    /// In the order of their directions and of [`SETTINGS`].
    settings: Vec<Setting>,
    goaways: Vec<Goaway>,
}

/// A parameter that was set: in which direction, which of [`SETTINGS`], and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Setting {
    dir: u8,
    at: u8,
    value: u32,
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
    /// The connection itself, then its streams, by their numbers.
    pub fn streams(&self) -> impl Iterator<Item = Stream<'_>> {
        let connection = Stream { id: 0, uses: &self.connection, messages: [Messages::Not; 2] };
        std::iter::once(connection).chain(self.streams.iter())
    }

    /// Streams that were seen and are not remembered.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten.into()
    }

    /// Header blocks of which something is not known: captured in part, or resting on what was not seen.
    #[must_use]
    pub fn unread(&self, dir: Direction) -> u64 {
        self.unread[dir.index()].into()
    }

    /// Parameters that were set, by name: the last values.
    pub fn settings(&self, dir: Direction) -> impl Iterator<Item = (&'static str, u32)> {
        let settings = self.said.as_ref().map_or(&[][..], |said| &said.settings);
        let of = settings.iter().filter(move |setting| usize::from(setting.dir) == dir.index());
        of.map(|setting| (SETTINGS[usize::from(setting.at)].1, setting.value))
    }

    /// The ends of the session that were announced.
    #[must_use]
    pub fn goaways(&self) -> &[Goaway] {
        self.said.as_ref().map_or(&[], |said| &said.goaways)
    }

    /// What a process did on a stream; `None` where that is not remembered.
    #[must_use]
    pub fn usage(&self, stream: u32, user: User) -> Option<&StreamUse> {
        self.streams.get(stream)?.uses.iter().find(|known| known.user == user)
    }

    fn usage_mut(&mut self, id: u32, user: User) -> Option<&mut StreamUse> {
        match id {
            0 => usage_mut(&mut self.connection, user),
            id => self.stream(id)?.body.usage_mut(user),
        }
    }

    fn stream(&mut self, id: u32) -> Option<&mut Going> {
        if let Some(place) = self.streams.place(id) {
            return self.streams.at(place);
        }
        if id <= self.forgotten_to {
            return None;
        }
        let (stream, forgotten) = self.streams.add(id);
        if let Some((old, was_opened)) = forgotten {
            self.forgotten = self.forgotten.saturating_add(1);
            // One that nobody was seen to open may be a misread number, above all that are to come.
            if was_opened {
                self.forgotten_to = self.forgotten_to.max(old);
            }
        }
        Some(stream)
    }

    /// A frame's header was sent or received by `user`.
    pub(super) fn frame(&mut self, user: User, dir: Direction, frame: Frame) {
        let usage = if frame.stream == 0 {
            usage_mut(&mut self.connection, user)
        } else {
            self.stream(frame.stream).and_then(|going| {
                let is_reset = frame.kind == FrameKind::RstStream;
                if frame.ends_stream() || is_reset {
                    going.end(dir);
                }
                if is_reset {
                    going.end(dir.other());
                }
                going.body.usage_mut(user)
            })
        };
        if let Some(usage) = usage {
            usage.count(dir, frame.kind);
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
        self.unread[at] = self.unread[at].saturating_add(fields.gaps.into());
        let Some(Going { body, .. }) = self.stream(id) else { return };
        if let (Some(true), Messages::Not) = (fields.grpc, body.messages[at]) {
            body.messages[at] = Messages::At { have: 0, left: 0 };
        }
        let Some(usage) = body.usage_mut(user) else { return };
        usage.path = fields.path.or(usage.path.take());
        usage.verb = fields.verb.or(usage.verb);
        usage.status = fields.status.or(usage.status);
        usage.grpc_status = fields.grpc_status.or(usage.grpc_status);
    }

    /// The place among the messages of a stream, where they are counted.
    pub(super) fn messages(&mut self, id: u32, dir: Direction) -> Option<&mut Messages> {
        let messages = &mut self.streams.get_mut(id)?.body.messages[dir.index()];
        messages.are_read().then_some(messages)
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
            usage.reset(dir, code);
        }
    }

    /// A parameter was set.
    pub(super) fn set(&mut self, dir: Direction, number: u16, value: u32) {
        let Some(at) = SETTINGS.iter().position(|(known, _)| *known == number) else { return };
        let new = Setting { dir: dir.index() as u8, at: at as u8, value };
        let settings = &mut self.said.get_or_insert_default().settings;
        match settings.binary_search_by_key(&(new.dir, new.at), |known| (known.dir, known.at)) {
            Ok(place) => settings[place] = new,
            Err(place) => {
                if settings.len() == settings.capacity() {
                    settings.reserve_exact(SETTINGS.len());
                }
                settings.insert(place, new);
            }
        }
    }

    /// A GOAWAY was read.
    pub(super) fn goaway(&mut self, goaway: Goaway) {
        let goaways = &mut self.said.get_or_insert_default().goaways;
        if goaways.len() < GOAWAYS {
            goaways.push(goaway);
        }
    }

    /// Has the processor fetch what is known of streams.
    pub(super) fn fetch(&self) {
        self.streams.fetch();
    }

    /// A transfer has ended.
    pub(super) fn rest(&mut self) {
        self.streams.rest();
    }

    /// Bytes of this direction were missed.
    pub(super) fn lose(&mut self, dir: Direction) {
        self.streams.lose(dir);
    }
}

#[cfg(test)]
mod tests;
