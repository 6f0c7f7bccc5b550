//! What a recording's file is made of.

use super::payload::Payload;
use crate::report::{Backend, Host, Target, Tool};
use serde::{Deserialize, Serialize};
use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How a recording begins: a byte that is no text, a name, and a line end that careless copying would change.
pub(super) const MAGIC: [u8; 8] = *b"\xf5FSREC\r\n";

/// The version of the format that this build writes and reads. Raised with each change of what is written:
/// also where a field of a record is added, moved or removed (`fields` knows them all).
pub const VERSION: u32 = 1;

/// How a chunk begins.
pub(super) const CHUNK: [u8; 4] = *b"CHNK";

/// The longest header, in bytes: a command line may be 2 MiB long (execve(2)), and JSON may double it.
pub(super) const MOST_HEADER: usize = 4 << 20;

/// Bytes of columns from which a chunk is written.
pub(super) const FULL: usize = 256 << 10;

/// The most bytes of columns in a chunk.
pub(super) const MOST_CHUNK: usize = 1 << 20;

/// The same where the chunk has one entry: the table of a process with a million descriptors fits.
pub(super) const MOST_ALONE: usize = 256 << 20;

/// How many times longer than its compressed bytes a chunk beyond [`MOST_CHUNK`] may be: bytes made to fill
/// the memory of who reads them compress better. So do long paths; what is written of those is made longer.
const MOST_RATIO: usize = 100;

/// The longest payload of a record: what probes take of a transfer, a path, a command line is far less.
pub(super) const MOST_PAYLOAD: usize = 4096;

/// The first bytes of the file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Preamble {
    /// [`MAGIC`].
    pub(super) magic: [u8; 8],
    /// [`VERSION`].
    pub(super) version: U32,
    /// Bytes of the header that follows.
    pub(super) length: U32,
    /// CRC-32 of the header.
    pub(super) checksum: U32,
}

/// The first bytes of a chunk.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct ChunkHead {
    /// [`CHUNK`].
    pub(super) magic: [u8; 4],
    /// Bytes of the columns.
    pub(super) raw: U32,
    /// Bytes that follow: the columns, compressed.
    pub(super) packed: U32,
    /// Entries in it.
    pub(super) entries: U32,
    /// CRC-32 of what stands before this, and of the bytes that follow.
    pub(super) checksum: U32,
}

impl ChunkHead {
    /// The checksum that belongs to this head and these bytes.
    pub(super) fn sum(&self, packed: &[u8]) -> u32 {
        let own = self.as_bytes();
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&own[..own.len() - size_of::<U32>()]);
        hasher.update(packed);
        hasher.finalize()
    }

    /// The fewest compressed bytes that so many bytes of columns may have.
    pub(super) fn least(raw: usize) -> usize {
        if raw > MOST_CHUNK { raw.div_ceil(MOST_RATIO) } else { 0 }
    }

    /// The most bytes of columns that a chunk with so many entries may have.
    pub(super) fn most(&self) -> usize {
        if self.entries.get() != 1 {
            return MOST_CHUNK;
        }
        (self.packed.get() as usize).saturating_mul(MOST_RATIO).clamp(MOST_CHUNK, MOST_ALONE)
    }
}

/// How a recording was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// What wrote it.
    pub tool: Tool,
    /// When the session began, in RFC 3339 with UTC.
    pub start: String,
    /// The same moment on the clock of the events, in nanoseconds.
    pub clock: u64,
    /// What was traced.
    pub target: Target,
    /// The machine.
    pub host: Host,
    /// How it was traced.
    pub backend: Backend,
    /// What was kept of the bytes of transfers.
    pub payload: Payload,
    /// Bytes that were taken of each transfer, at most.
    pub capture: u32,
}
