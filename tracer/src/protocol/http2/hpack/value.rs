//! Reads the few values that say something, as their bytes come.
//!
//! What is noted of them is all that a recording needs for the same answer. Of a path that is what
//! stands before its query: after that come [`Kept::FILL`] and nothing else, which is how an end looks
//! in the Huffman code, too.

use super::huffman::{Bits, EOS};
use super::names::Name;
use crate::protocol::Kept;
use crate::protocol::speech::Note;
use std::cell::Cell;
use std::sync::Arc;

/// Bytes of a path that is read, as it is and as it is coded.
const MOST_PATH: usize = 256;

/// Bytes of a method and of a status, likewise.
const MOST_VERB: usize = 8;
const MOST_CODE: usize = 3;

/// Bytes of either.
const MOST_SHORT: usize = if MOST_CODE > MOST_VERB { MOST_CODE } else { MOST_VERB };

/// What a path ends with: its query, or what no request has (RFC 9113, 8.3.1). Their codes are longer than a
/// byte, and begin with eight ones.
const ENDS: [u8; 2] = [b'?', b'#'];

/// How the content of gRPC is called (gRPC over HTTP/2, Content-Type), whatever follows.
const GRPC: &[u8] = b"application/grpc";

/// A method of HTTP (RFC 9110, 9; RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `CONNECT`.
    Connect,
    /// `DELETE`.
    Delete,
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `OPTIONS`.
    Options,
    /// `PATCH`.
    Patch,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `TRACE`.
    Trace,
}

impl Verb {
    const ALL: [Self; 9] = [
        Self::Connect,
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
        Self::Trace,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Trace => "TRACE",
        }
    }
}

/// What a field says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    /// Not read: it is not of interest, or is not known.
    Unread,
    /// `:path`, without its query.
    Path(Arc<str>),
    /// `:method`.
    Verb(Verb),
    /// `:status`, `grpc-status`.
    Code(u16),
    /// `content-type`: is it gRPC's?
    Grpc(bool),
}

/// How far a value was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It goes on.
    Reading,
    /// The rest does not matter.
    Enough,
    /// It is none that is told.
    Failed,
}

impl Progress {
    /// Where a value of so many bytes begins.
    fn of(name: Name, length: u32) -> Self {
        let most = match name {
            Name::Path => MOST_PATH as u32,
            Name::Method => MOST_VERB as u32,
            Name::Status | Name::GrpcStatus => MOST_CODE as u32,
            Name::ContentType => u32::MAX,
            Name::Other | Name::Unknown => 0,
        };
        if length <= most { Self::Reading } else { Self::Failed }
    }
}

/// What a symbol is to a value.
enum Part {
    /// A part of it.
    Text(u8),
    /// It stands after its end.
    End,
    /// No such value.
    Wrong,
}

thread_local! {
    /// Room for a path: hardly ever is more than one begun.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The value that is being read.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    name: Name,
    huffman: bool,
    progress: Progress,
    bits: Bits,
    /// Its text, of a path.
    // Most readers read none, and one is made for each transfer.
    path: Vec<u8>,
    /// Likewise of what is short.
    text: [u8; MOST_SHORT],
    /// Bytes of it so far.
    have: usize,
}

impl Reader {
    /// None.
    pub(super) fn new() -> Self {
        Self::begin(Name::Other, false, 0)
    }

    /// A value of so many bytes begins.
    pub(super) fn begin(name: Name, huffman: bool, length: u32) -> Self {
        let progress = Progress::of(name, length);
        let (path, text) = (Vec::new(), [0; MOST_SHORT]);
        Self { name, huffman, progress, bits: Bits::default(), path, text, have: 0 }
    }

    /// The same, in the room of the one before.
    pub(super) fn restart(&mut self, name: Name, huffman: bool, length: u32) {
        (self.name, self.huffman, self.have) = (name, huffman, 0);
        (self.progress, self.bits) = (Progress::of(name, length), Bits::default());
        if name == Name::Path {
            self.path = ROOM.take();
            self.path.clear();
            self.path.reserve(MOST_PATH);
        }
    }

    /// More of it.
    pub(super) fn push(&mut self, data: &[u8], note: Note<'_>) {
        // Bytes that lie whole within a code are noted when it is known that it is no end.
        let mut noted = 0;
        for (at, &byte) in data.iter().enumerate() {
            if self.progress != Progress::Reading {
                return;
            }
            if self.byte(byte) {
                return;
            }
            if self.bits.len() < 8 {
                note(noted..at + 1);
                noted = at + 1;
            }
        }
        note(noted..data.len());
    }

    /// The bytes given so far were all of a transfer, and there is more to come. A code that was begun and
    /// may be an end or not is not waited for: what follows would tell, but is not noted if it is one.
    pub(super) fn pause(&mut self) {
        let begun = self.huffman && self.name == Name::Path && self.bits.len() > 8;
        let may_end = ENDS.iter().any(|&end| self.bits.may_become(end)) && !self.bits.are_padding();
        if begun && may_end && self.progress == Progress::Reading {
            self.progress = Progress::Failed;
        }
    }

    /// One more byte. Says whether the value ended before it.
    fn byte(&mut self, byte: u8) -> bool {
        if !self.huffman {
            let symbol = if byte == Kept::FILL { EOS } else { byte.into() };
            return self.symbol(symbol);
        }
        for at in (0..8).rev() {
            if let Some(symbol) = self.bits.push(byte >> at & 1 == 1) {
                if self.symbol(symbol) {
                    return true;
                }
                if self.progress != Progress::Reading {
                    break;
                }
            }
        }
        false
    }

    /// One more symbol. Says whether the value ended before it.
    fn symbol(&mut self, symbol: u16) -> bool {
        match self.part(symbol) {
            Part::Text(byte) => {
                self.progress = self.text(byte);
                false
            }
            Part::End => {
                self.progress = Progress::Enough;
                true
            }
            Part::Wrong => {
                self.progress = Progress::Failed;
                false
            }
        }
    }

    /// One more byte of the value.
    fn text(&mut self, byte: u8) -> Progress {
        let is_short = matches!(self.name, Name::Method | Name::Status | Name::GrpcStatus);
        match self.name {
            Name::Path if self.path.len() < MOST_PATH => self.path.push(byte),
            _ if is_short && self.have < MOST_SHORT => self.text[self.have] = byte,
            // What it is was compared.
            Name::ContentType => {}
            _ => return Progress::Failed,
        }
        self.have += 1;
        let is_enough = self.name == Name::ContentType && self.have == GRPC.len();
        if is_enough { Progress::Enough } else { Progress::Reading }
    }

    fn part(&self, symbol: u16) -> Part {
        let byte = u8::try_from(symbol).ok();
        match (self.name, byte) {
            (Name::Path, None) => Part::End,
            (Name::Path, Some(byte)) if ENDS.contains(&byte) => Part::End,
            (Name::ContentType, Some(byte)) if GRPC.get(self.have) != Some(&byte) => Part::Wrong,
            (_, Some(byte)) if byte.is_ascii_graphic() => Part::Text(byte),
            _ => Part::Wrong,
        }
    }

    /// The value, complete.
    pub(super) fn end(&mut self) -> Value {
        let value = self.value();
        if self.name == Name::Path {
            ROOM.set(std::mem::take(&mut self.path));
        }
        value
    }

    fn value(&self) -> Value {
        let text = self.text.get(..self.have).unwrap_or_default();
        let whole = self.progress == Progress::Reading && self.bits.are_padding();
        let read = |value: Option<Value>| value.filter(|_| whole).unwrap_or(Value::Unread);
        match self.name {
            Name::Path if whole || self.progress == Progress::Enough => match std::str::from_utf8(&self.path)
            {
                Ok(path) if !path.is_empty() => Value::Path(path.into()),
                _ => Value::Unread,
            },
            Name::Method => {
                let verb = Verb::ALL.into_iter().find(|verb| verb.name().as_bytes() == text);
                read(verb.map(Value::Verb))
            }
            Name::Status | Name::GrpcStatus => {
                let code = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                read(code.map(Value::Code))
            }
            Name::ContentType => Value::Grpc(self.progress == Progress::Enough),
            Name::Path | Name::Other | Name::Unknown => Value::Unread,
        }
    }
}

#[cfg(test)]
mod tests;
