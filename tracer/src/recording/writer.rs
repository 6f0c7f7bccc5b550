//! Writing a recording while the session goes on.

use super::bytes::put;
use super::chunk::Out;
use super::entry::{End, tag};
use super::format::{FULL, Header, MAGIC, MOST_HEADER, Preamble, VERSION};
use super::pack::Packer;
use super::snapshot;
use crate::event::{Event, NamedStack, What};
use crate::model::{Facts, Place};
use crate::protocol::Kept;
use serde::Serialize;
use std::io::{self, Write};
use zerocopy::IntoBytes;

/// Writes a recording. An error is the end of it: what was written before can be read.
pub struct Recorder<W: Write> {
    out: Out<W>,
    packer: Packer,
    raw: Vec<u8>,
    /// Nothing has been taken in since what was new was shown.
    shown: bool,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording.
    ///
    /// # Errors
    /// What the system answered.
    pub fn begin(mut to: W, header: &Header) -> io::Result<Self> {
        let text = serde_json::to_vec(header)?;
        if text.len() > MOST_HEADER {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the command line is too long to record",
            ));
        }
        let (version, length) = (VERSION.into(), (text.len() as u32).into());
        let preamble = Preamble { magic: MAGIC, version, length, checksum: crc32fast::hash(&text).into() };
        to.write_all(preamble.as_bytes())?;
        to.write_all(&text)?;
        to.flush()?;
        Ok(Self { out: Out::new(to)?, packer: Packer::new(header.payload), raw: Vec::new(), shown: true })
    }

    /// An event that the analyser was given. `kept`: which bytes of a transfer its readers read.
    ///
    /// # Errors
    /// What the system answered, here and below.
    pub fn event(&mut self, event: &Event<'_>, kept: &Kept) -> io::Result<()> {
        let length = if let What::Snapshot(seen) = event.what { snapshot::most(seen) } else { 0 };
        self.entry(length, |packer| packer.event(event, kept))
    }

    /// Facts that the analyser was given.
    ///
    /// # Errors
    /// As above.
    pub fn facts(&mut self, pid: u32, facts: &Facts) -> io::Result<()> {
        self.told(tag::FACTS, pid, facts)
    }

    /// Where a process lives, as the analyser was told.
    ///
    /// # Errors
    /// As above.
    pub fn place(&mut self, pid: u32, place: &Place) -> io::Result<()> {
        self.told(tag::PLACE, pid, place)
    }

    /// Stacks of a finding that the analyser was given.
    ///
    /// # Errors
    /// As above.
    pub fn stacks(&mut self, finding: u32, stacks: &[NamedStack]) -> io::Result<()> {
        self.told(tag::STACKS, finding, &stacks)
    }

    fn told(&mut self, tag: u8, about: u32, what: &impl Serialize) -> io::Result<()> {
        let mut bytes = Vec::new();
        put(&mut bytes, about.into());
        serde_json::to_writer(&mut bytes, what)?;
        self.entry(bytes.len(), |packer| packer.whole(tag, &bytes))
    }

    /// Takes in an entry of about so many bytes. One that would fill a chunk has one of its own.
    fn entry(&mut self, length: usize, put: impl FnOnce(&mut Packer)) -> io::Result<()> {
        if length >= FULL {
            self.flush()?;
        }
        self.shown = false;
        put(&mut self.packer);
        if self.packer.columns.len() >= FULL { self.flush() } else { Ok(()) }
    }

    /// The analyser was told that events were lost.
    pub fn losses(&mut self) {
        self.packer.tag(tag::LOSSES);
    }

    /// What was new was shown. Said once between two events.
    pub fn turn(&mut self) {
        if !self.shown {
            self.shown = true;
            self.packer.tag(tag::TURN);
        }
    }

    /// The session ended.
    ///
    /// # Errors
    /// As above.
    pub fn end(mut self, end: &End) -> io::Result<()> {
        self.packer.whole(tag::END, &serde_json::to_vec(end)?);
        self.flush()
    }

    /// Writes what has gathered as a chunk.
    ///
    /// # Errors
    /// As above.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.packer.entries == 0 {
            return Ok(());
        }
        let entries = self.packer.entries;
        self.raw.clear();
        self.packer.columns.drain_to(&mut self.raw);
        self.packer.reset();
        self.out.write(&self.raw, entries)
    }
}
