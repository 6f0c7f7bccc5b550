//! Why a file is no recording, or no whole one.

use super::format::VERSION;
use crate::files::system;
use std::io;
use thiserror::Error;

/// Why a file cannot be replayed at all.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It does not begin as a recording does.
    #[error("it is no recording; `forkscope run --record FILE` makes one")]
    NotARecording,
    /// Another version wrote it.
    #[error("it is a recording of version {0}, and this build of forkscope reads version {VERSION}; {cure}", cure = cure(*.0))]
    Version(u32),
    /// What should say how it was made is damaged.
    #[error("its header is damaged, so that nothing of it can be read; record again")]
    Header,
    /// The system refused.
    #[error("the file cannot be read: {}", system(.0))]
    Io(#[from] io::Error),
}

fn cure(version: u32) -> &'static str {
    if version > VERSION {
        "replay it with a newer forkscope"
    } else {
        "replay it with the forkscope that wrote it"
    }
}

/// Why no more can be read: everything before is good.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Broken {
    /// The file ends inside a chunk, or before the session's end.
    #[error("the recording was cut")]
    Cut,
    /// A chunk is not what was written.
    #[error("the recording is damaged")]
    Damaged,
    /// The system refused to read on.
    #[error("the recording cannot be read on: {}", system(&(*.0).into()))]
    Io(Answer),
}

/// What the system answered, so that two answers can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    kind: io::ErrorKind,
    errno: Option<i32>,
}

impl From<io::Error> for Answer {
    fn from(error: io::Error) -> Self {
        Self { kind: error.kind(), errno: error.raw_os_error() }
    }
}

impl From<Answer> for io::Error {
    fn from(answer: Answer) -> Self {
        answer.errno.map_or_else(|| answer.kind.into(), Self::from_raw_os_error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error.into())
    }
}
