//! HTTP/2 in the clear (RFC 9113): frames and streams, by process.

mod codes;
mod frame;
mod hpack;
mod log;
mod messages;
mod open;
mod payload;
mod shared;
mod streams;

pub use codes::{error_name, grpc_status_name};
pub use frame::FrameKind;
pub use hpack::Verb;
pub use log::{Goaway, Log, Stream, StreamUse};

use super::speech::{Fit, Note, Session, Side, Speech, Start};
use super::walker::{Cursor, Head, Part, Walker};
use super::{Chunk, Direction, InFlight, Protocol, Sign, User};
use frame::{Frame, HEADER};
use open::Open;
use payload::{Payloads, Resting};
use streams::{Opening, Streams};

pub(super) const SPEECH: Speech = Speech {
    protocol: Protocol::Http2,
    name: "HTTP/2",
    in_user_memory: true,
    opens,
    may_open,
    fits,
    session: |start| Box::new(Http2::new(start)),
};

/// An endpoint's last word (RFC 9113, 6.8): it opens no more streams, and may finish those that are open.
pub const GOAWAY: &str = "GOAWAY";

/// What a client sends first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The client's preface.
fn opens(data: &[u8], note: Note<'_>) -> Option<Side> {
    data.starts_with(PREFACE).then(|| {
        note(0..PREFACE.len());
        Side::Client
    })
}

/// The first bytes of the preface.
fn may_open(data: &[u8], note: Note<'_>) -> bool {
    let begun = PREFACE.starts_with(data);
    note(0..if begun { data.len() } else { 0 });
    begun
}

/// Do whole, legal frames tile these bytes? A lone one that says little, or whose end is not seen, is not
/// enough to be sure.
fn fits(data: &[u8], len: u64, note: Note<'_>) -> Option<Fit> {
    if let Some(side) = opens(data, note) {
        return Some(Fit { sure: true, from: Some(side) });
    }
    let (mut rest, mut seen, mut telling) = (data, 0u64, 0u32);
    let mut frames = 0;
    while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
        let frame = Frame::parse(header);
        if !frame.is_plausible() {
            return None;
        }
        frames += 1;
        let at = data.len() - rest.len();
        note(at..at + HEADER);
        telling += u32::from(frame.length > 0);
        seen += HEADER as u64 + u64::from(frame.length);
        rest = after.get(frame.length as usize..).unwrap_or_default();
    }
    note(data.len() - rest.len()..data.len());
    // A header cut by the end: its length's first byte is zero in any frame of the default size.
    if frames == 0 || rest.first().is_some_and(|&byte| byte != 0) {
        return None;
    }
    let tiles = seen == len && (frames > 1 || telling > 0);
    Some(Fit { sure: tiles || telling > 2, from: None })
}

/// The header of the frame that begins here, in a stream where one does.
fn head(bytes: &[u8]) -> Head {
    let prefix = bytes.len().min(PREFACE.len());
    // As a frame these nine bytes would be of an unknown type and 5 MB long.
    if prefix >= HEADER && bytes[..prefix] == PREFACE[..prefix] {
        return match PREFACE.len() - prefix {
            0 => Head::Message { head: prefix, body: 0 },
            lacks => Head::Short(lacks),
        };
    }
    let Some(header) = bytes.first_chunk::<HEADER>() else { return Head::Short(HEADER - bytes.len()) };
    let frame = Frame::parse(header);
    match frame.is_legal() {
        true => Head::Message { head: HEADER, body: u64::from(frame.length) },
        false => Head::Bad,
    }
}

/// One HTTP/2 session.
#[derive(Debug)]
struct Http2 {
    /// The way of the client's bytes.
    client: Option<Direction>,
    walkers: [Walker; 2],
    payloads: [Resting; 2],
    log: Log,
    /// The stream whose frame is being received.
    receiving: u32,
    streams: Streams,
    open: Open,
    prefaced: bool,
}

impl Http2 {
    fn new(start: Start) -> Self {
        let mut streams = Streams::new();
        if !start.fresh[Direction::Sent.index()] {
            streams.doubt();
        }
        Self {
            client: start.client,
            walkers: start.fresh.map(Walker::new),
            payloads: start.fresh.map(Resting::new),
            log: Log::default(),
            receiving: 0,
            streams,
            open: Open::new(start.fresh == [true; 2]),
            prefaced: false,
        }
    }

    /// One frame's header was completed by a transfer of `user`.
    fn frame(
        &mut self,
        payloads: &mut Payloads,
        user: User,
        dir: Direction,
        frame: Frame,
        out: &mut dyn FnMut(Sign),
    ) {
        let Frame { kind, stream, .. } = frame;
        let exact = self.walkers[dir.index()].is_exact();
        if exact {
            self.log.frame(user, dir, frame);
            payloads.begin(frame, user, &mut self.log);
        } else {
            payloads.lose(&mut self.log);
        }
        match dir {
            Direction::Received => {
                self.receiving = if kind.answers() { stream } else { 0 };
                if exact {
                    self.answer(user, out);
                }
            }
            Direction::Sent if kind == FrameKind::Headers && self.client == Some(dir) && stream % 2 == 1 => {
                let opening = self.streams.open(stream, user, frame.ends_stream());
                if exact && opening != Opening::Known {
                    self.log.opened(stream, user);
                }
                match opening {
                    Opening::New => {
                        self.open.opened(stream, user);
                        out(Sign::StreamOpened { stream, by: user });
                    }
                    Opening::Reused(first) if exact => {
                        self.open.opened(stream, user);
                        out(Sign::StreamReused { stream, first, again: user });
                    }
                    Opening::Reused(_) | Opening::Known => {}
                }
            }
            Direction::Sent if self.client == Some(dir) && exact => self.ended(user, frame, out),
            Direction::Sent => {}
        }
        if frame.ends_stream() {
            self.open.ended(stream, dir);
        } else if kind == FrameKind::RstStream {
            self.open.reset(stream);
        }
    }

    /// A part of the payload of the frame that this direction is in.
    fn payload(&mut self, payloads: &mut Payloads, dir: Direction, part: Part<'_>, cursor: &Cursor<'_>) {
        if self.walkers[dir.index()].is_exact() {
            payloads.read(part, &mut self.log, &mut |range| cursor.keep(range));
        }
    }

    /// A client's frame that may end a stream, or the session (RFC 9113, 6.4 and 6.8).
    fn ended(&self, user: User, frame: Frame, out: &mut dyn FnMut(Sign)) {
        match frame.kind {
            FrameKind::RstStream => {
                if let Some(opener) = self.streams.stranger(frame.stream, user) {
                    out(Sign::Cancelled { stream: frame.stream, opener, by: user });
                }
            }
            FrameKind::Goaway => out(Sign::Goodbye { by: user, message: GOAWAY }),
            _ => {}
        }
    }

    /// `reader` reads in a frame of an answer: is it its own?
    fn answer(&self, reader: User, out: &mut dyn FnMut(Sign)) {
        let stream = self.receiving;
        if self.client == Some(Direction::Sent)
            && let Some(opener) = self.streams.stranger(stream, reader)
        {
            out(Sign::Answer { stream, opener, reader });
        }
    }
}

impl Session for Http2 {
    fn feed(&mut self, user: User, dir: Direction, chunk: Chunk<'_>, out: &mut dyn FnMut(Sign)) {
        let at = dir.index();
        let mut cursor = self.walkers[at].start(user, dir, chunk, fits, out);
        // Whoever completes a header is told of below; this is another process reading on in the payload.
        let other = self.walkers[at].payload_of().is_some_and(|owner| owner != user);
        if other && dir == Direction::Received && self.walkers[at].is_exact() {
            self.answer(user, out);
        }
        let rest = self.walkers[at].part(&cursor);
        let mut payloads = self.payloads[at].resume(dir);
        if payloads.is_unfinished() {
            if rest.len == 0 {
                // The frame was cut: whatever its receiver makes of it, what it said is not known.
                payloads.lose(&mut self.log);
            } else {
                self.payload(&mut payloads, dir, rest, &cursor);
            }
        }
        while let Some(message) = self.walkers[at].next(&mut cursor, head) {
            match message.head().first_chunk::<HEADER>() {
                Some(header) if message.head().len() == HEADER => {
                    let frame = Frame::parse(header);
                    if self.client.is_none()
                        && let Some((side, told)) = frame.side(message.body)
                    {
                        self.client = Some(side.client_when(dir));
                        cursor.keep(told);
                    }
                    if chunk.frames {
                        let Frame { kind, stream, length, flags } = frame;
                        out(Sign::Frame { dir, kind, stream, length, flags });
                    }
                    self.frame(&mut payloads, user, dir, frame, out);
                    if frame.kind == FrameKind::Goaway && dir == Direction::Received {
                        // Which of them are still answered its payload says, which no recording keeps (6.8).
                        self.open.lose(dir);
                    }
                    let part = self.walkers[at].part(&cursor);
                    self.payload(&mut payloads, dir, part, &cursor);
                }
                _ => {
                    self.client = Some(dir);
                    if dir == Direction::Sent {
                        out(Sign::Preface { by: user, again: self.prefaced });
                        self.prefaced = true;
                    }
                }
            }
        }
        if self.walkers[at].is_lost() {
            self.open.lose(dir);
            payloads.lose(&mut self.log);
            if dir == Direction::Sent {
                self.streams.doubt();
            }
        }
        self.payloads[at] = payloads.rest();
        self.log.rest();
    }

    fn fetch(&self) {
        self.log.fetch();
    }

    fn skip(&mut self, dir: Direction) {
        self.walkers[dir.index()].lose();
        self.open.lose(dir);
        self.payloads[dir.index()].lose(dir, &mut self.log);
        if dir == Direction::Sent {
            self.streams.doubt();
        }
    }

    fn in_flight(&self) -> InFlight {
        let answers = &self.walkers[Direction::Received.index()];
        let known = self.client == Some(Direction::Sent) && answers.is_exact();
        if known { self.open.in_flight() } else { InFlight::Unknown }
    }

    fn is_idle(&self) -> bool {
        // What is not known to be open is not named later either.
        self.open.is_none()
    }

    fn http2(&self) -> Option<&Log> {
        Some(&self.log)
    }
}

#[cfg(test)]
mod tests;
