//! Reading a recording.

use super::chunk::{In, read_full};
use super::entry::Entry;
use super::error::{Broken, OpenError};
use super::format::{Header, MAGIC, MOST_HEADER, Preamble, VERSION};
use super::unpack::Unpacker;
use std::io::Read;
use zerocopy::{FromZeros, IntoBytes};

/// Reads a recording, whatever its bytes: memory is bounded, and nothing panics.
pub struct Reader<R: Read> {
    header: Header,
    /// Bytes before the first chunk.
    pub(super) before: u64,
    pub(super) chunks: In<R>,
    unpacker: Unpacker,
    /// Entries of the chunk that are not read yet.
    pub(super) left: u32,
    pub(super) ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads how the recording was made.
    ///
    /// # Errors
    /// Where it is no recording that this build can read.
    pub fn open(mut from: R) -> Result<Self, OpenError> {
        let mut preamble = Preamble::new_zeroed();
        let length = read_full(&mut from, preamble.as_mut_bytes()).map_err(system)?;
        if preamble.magic != MAGIC {
            return Err(OpenError::NotARecording);
        }
        if length < size_of::<Preamble>() {
            return Err(OpenError::Header);
        }
        if preamble.version.get() != VERSION {
            return Err(OpenError::Version(preamble.version.get()));
        }
        let length = preamble.length.get() as usize;
        if length > MOST_HEADER {
            return Err(OpenError::Header);
        }
        let mut text = Vec::new();
        (&mut from).take(length as u64).read_to_end(&mut text)?;
        if text.len() < length || crc32fast::hash(&text) != preamble.checksum.get() {
            return Err(OpenError::Header);
        }
        let header = serde_json::from_slice(&text).map_err(|_| OpenError::Header)?;
        let before = (size_of::<Preamble>() + length) as u64;
        let (chunks, unpacker) = (In::new(from)?, Unpacker::default());
        Ok(Self { header, before, chunks, unpacker, left: 0, ended: false })
    }

    /// How it was made.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next entry. [`Entry::End`] is the last; then `None`.
    ///
    /// # Errors
    /// Where no more can be read, although the session had not ended.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'_>>, Broken> {
        if self.ended {
            return Ok(None);
        }
        self.fill()?;
        self.left -= 1;
        let entry = self.unpacker.next()?;
        self.ended = matches!(entry, Some(Entry::End(_)));
        Ok(entry)
    }

    /// The moment of the next entry if that is an event, in nanoseconds of the events' clock; `None` for
    /// another entry, and after the end.
    ///
    /// # Errors
    /// As [`Reader::next_entry`], which must not be called then.
    pub fn next_time(&mut self) -> Result<Option<u64>, Broken> {
        if self.ended {
            return Ok(None);
        }
        self.fill()?;
        Ok(self.unpacker.next_time())
    }

    /// Sees to it that a chunk has an entry left.
    fn fill(&mut self) -> Result<(), Broken> {
        while self.left == 0 {
            let entries = self.chunks.read(self.unpacker.room())?.ok_or(Broken::Cut)?;
            self.unpacker.begin(entries)?;
            self.left = entries;
        }
        Ok(())
    }
}

fn system(broken: Broken) -> OpenError {
    match broken {
        Broken::Io(answer) => OpenError::Io(answer.into()),
        Broken::Cut | Broken::Damaged => OpenError::Header,
    }
}
