//! Where a recording is read from.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

/// What can be read anywhere.
trait Anywhere: Read + Seek {}
impl<T: Read + Seek> Anywhere for T {}

/// Where a recording is read from.
pub struct Input(Kind);

enum Kind {
    /// Each byte comes once.
    Once(Box<dyn Read>),
    Anywhere(Box<dyn Anywhere>),
}

impl Input {
    /// What gives each byte once: standard input.
    #[must_use]
    pub fn once(from: impl Read + 'static) -> Self {
        Self(Kind::Once(Box::new(from)))
    }

    /// What can be read anywhere.
    #[must_use]
    pub fn anywhere(from: impl Read + Seek + 'static) -> Self {
        Self(Kind::Anywhere(Box::new(from)))
    }

    /// A file, whatever it is: of a pipe each byte comes once (`ESPIPE`, lseek(2)).
    #[must_use]
    pub fn file(mut file: File) -> Self {
        if file.stream_position().is_ok() { Self::anywhere(file) } else { Self::once(file) }
    }

    /// Whether it can be read from its beginning again.
    pub(super) fn can_rewind(&self) -> bool {
        matches!(self.0, Kind::Anywhere(_))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Once(from) => from.read(buffer),
            Kind::Anywhere(from) => from.read(buffer),
        }
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Kind::Once(_) => Err(ErrorKind::NotSeekable.into()),
            Kind::Anywhere(from) => from.seek(to),
        }
    }
}
