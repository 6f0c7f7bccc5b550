//! Chunks: columns, compressed and summed up.

use super::error::Broken;
use super::format::{CHUNK, ChunkHead, MOST_ALONE};
use std::io::{self, ErrorKind, Read, Write};
use zerocopy::{FromZeros, IntoBytes};

/// zstd's fastest level of those that compress well: the recorder must keep up with the events.
const LEVEL: i32 = 3;

/// Writes chunks.
pub(super) struct Out<W> {
    to: W,
    compressor: zstd::bulk::Compressor<'static>,
    packed: Vec<u8>,
}

impl<W: Write> Out<W> {
    pub(super) fn new(to: W) -> io::Result<Self> {
        Ok(Self { to, compressor: zstd::bulk::Compressor::new(LEVEL)?, packed: Vec::new() })
    }

    /// Writes one. On the disk it is whole, or the file's end.
    pub(super) fn write(&mut self, raw: &[u8], entries: u32) -> io::Result<()> {
        if raw.len() > MOST_ALONE {
            return Err(io::Error::new(ErrorKind::InvalidInput, "a process has more than can be recorded"));
        }
        self.packed.clear();
        self.packed.resize(size_of::<ChunkHead>() + zstd::zstd_safe::compress_bound(raw.len()), 0);
        let room = &mut self.packed[size_of::<ChunkHead>()..];
        let length = self.compressor.compress_to_buffer(raw, room)?;
        self.packed.truncate(size_of::<ChunkHead>() + length);
        lengthen(&mut self.packed, size_of::<ChunkHead>() + ChunkHead::least(raw.len()));
        let (head, packed) = self.packed.split_at_mut(size_of::<ChunkHead>());
        let (raw, length) = (raw.len() as u32, packed.len() as u32);
        let mut sum = ChunkHead {
            magic: CHUNK,
            raw: raw.into(),
            packed: length.into(),
            entries: entries.into(),
            checksum: 0.into(),
        };
        sum.checksum = sum.sum(packed).into();
        head.copy_from_slice(sum.as_bytes());
        self.to.write_all(&self.packed)?;
        self.to.flush()
    }
}

/// Makes compressed bytes longer, to so many at least, by a frame that decompressors pass over
/// (RFC 8878, section 3.1.2).
fn lengthen(packed: &mut Vec<u8>, least: usize) {
    const SKIPPED: u32 = 0x184d_2a50;
    let Some(missing) = least.checked_sub(packed.len()).filter(|missing| *missing > 0) else { return };
    let filling = missing.saturating_sub(2 * size_of::<u32>());
    packed.extend_from_slice(&SKIPPED.to_le_bytes());
    packed.extend_from_slice(&(filling as u32).to_le_bytes());
    packed.resize(packed.len() + filling, 0);
}

/// Reads chunks.
pub(super) struct In<R> {
    from: R,
    decompressor: zstd::bulk::Decompressor<'static>,
    packed: Vec<u8>,
}

impl<R: Read> In<R> {
    pub(super) fn new(from: R) -> io::Result<Self> {
        Ok(Self { from, decompressor: zstd::bulk::Decompressor::new()?, packed: Vec::new() })
    }

    /// What it reads from.
    pub(super) fn from(&mut self) -> &mut R {
        &mut self.from
    }

    /// Reads the next chunk's columns to `raw`; the number of its entries, or `None` where the file ends.
    pub(super) fn read(&mut self, raw: &mut Vec<u8>) -> Result<Option<u32>, Broken> {
        let mut head = ChunkHead::new_zeroed();
        match read_full(&mut self.from, head.as_mut_bytes())? {
            0 => return Ok(None),
            length if length < size_of::<ChunkHead>() => return Err(Broken::Cut),
            _ => {}
        }
        let (size, packed) = (head.raw.get() as usize, head.packed.get() as usize);
        if head.magic != CHUNK || size > head.most() || packed > zstd::zstd_safe::compress_bound(MOST_ALONE) {
            return Err(Broken::Damaged);
        }
        // Room is made as bytes come, not as a length promises them.
        self.packed.clear();
        let read = (&mut self.from).take(packed as u64).read_to_end(&mut self.packed);
        match read? {
            read if read < packed => return Err(Broken::Cut),
            _ => {}
        }
        if head.sum(&self.packed) != head.checksum.get() {
            return Err(Broken::Damaged);
        }
        raw.clear();
        raw.resize(size, 0);
        match self.decompressor.decompress_to_buffer(&self.packed, &mut raw[..]) {
            Ok(length) if length == size => Ok(Some(head.entries.get())),
            _ => Err(Broken::Damaged),
        }
    }
}

/// Reads until the buffer is full or the file ends: how many bytes there were.
pub(super) fn read_full(from: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Broken> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}
