//! A recording in a file that can be read anywhere: how long it is before all of it is read,
//! and from the start again.

use super::chunk::In;
use super::entry::Entry;
use super::format::{CHUNK, ChunkHead, MOST_CHUNK};
use super::reader::Reader;
use super::unpack::Unpacker;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

/// At how many places near the file's end a chunk is looked for. More than one where the file was
/// cut, or was made to look so.
const MOST_PLACES: usize = 16;

impl<R: Read + Seek> Reader<R> {
    /// Reads from the first entry again.
    ///
    /// # Errors
    /// What the system answered; then it goes on where it was.
    pub fn rewind(&mut self) -> io::Result<()> {
        let before = self.before;
        self.chunks.from().seek(SeekFrom::Start(before))?;
        (self.left, self.ended) = (0, false);
        Ok(())
    }

    /// How long the session was: up to its end, or where the file has none up to the last event. From the
    /// file's last whole chunk; `None` where that is not found near the end. What is next does not change.
    ///
    /// # Errors
    /// What the system answered to going back to what is next.
    pub fn length(&mut self) -> io::Result<Option<Duration>> {
        let (clock, before) = (self.header().clock, self.before);
        let from = self.chunks.from();
        let place = from.stream_position()?;
        let tail = tail(from, before).unwrap_or_default();
        from.seek(SeekFrom::Start(place))?;
        let places = (0..tail.len()).rev().filter(|&at| tail[at..].starts_with(&CHUNK)).take(MOST_PLACES);
        Ok(places.filter_map(|at| up_to(&tail[at..], clock)).next())
    }
}

/// The file's last bytes: as many as an ordinary chunk can have, and none before the first.
fn tail(from: &mut (impl Read + Seek), first: u64) -> io::Result<Vec<u8>> {
    let most = (size_of::<ChunkHead>() + zstd::zstd_safe::compress_bound(MOST_CHUNK)) as u64;
    let end = from.seek(SeekFrom::End(0))?;
    from.seek(SeekFrom::Start(end.saturating_sub(most).max(first)))?;
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How long the session was at the end of the chunk that begins these bytes, if one does and tells.
fn up_to(bytes: &[u8], clock: u64) -> Option<Duration> {
    let mut unpacker = Unpacker::default();
    let entries = In::new(bytes).ok()?.read(unpacker.room()).ok()??;
    unpacker.begin(entries).ok()?;
    let mut last = None;
    while let Ok(Some(entry)) = unpacker.next() {
        let time = match entry {
            Entry::Event(event) => Duration::from_nanos(event.time.saturating_sub(clock)),
            Entry::End(end) => Duration::from_secs_f64(end.duration),
            Entry::Facts(..) | Entry::Place(..) | Entry::Stacks(..) | Entry::Losses | Entry::Turn => {
                continue;
            }
        };
        last = last.max(Some(time));
    }
    last
}
