//! What a record is made of after its head, in one table for writing and reading.

use forkscope_proto as proto;
use proto::Kind;

/// One field of a record, by how it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A [`proto::FileRef`]: by its number among those of the chunk.
    File,
    /// 8 bytes: near zero mostly.
    Long,
    /// 8 bytes: a time, near the record's.
    Time,
    /// 4 bytes: near zero mostly.
    Int,
    /// 4 bytes: anything.
    Word,
    /// 2 bytes.
    Short,
    /// 16 bytes.
    Name,
}

use Field::{File, Int, Long, Name, Short, Time, Word};

impl Field {
    /// Its bytes in a record.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::File => size_of::<proto::FileRef>(),
            Self::Long | Self::Time => 8,
            Self::Int | Self::Word => 4,
            Self::Short => 2,
            Self::Name => 16,
        }
    }
}

const FORK: &[Field] = &[Long, Long, Time, Int, Int, Int, Int, Name];
const EXEC: &[Field] = &[Name];
const EXIT: &[Field] = &[Int, Int];
const CALL: &[Field] = &[Long, Long, Long, Long, Long, Long, Long, Time, Int, Int, File, File, File];
const IO: &[Field] = &[File, Long, Long, Int, Int, Word, Int];
const SOCKET: &[Field] = &[File, Long, Long, Short, Short, Short, Short, Short, Short, Int, Name, Name];
const URING: &[Field] = &[File, Int, Int];
const PASSED: &[Field] = &[
    Int, Int, File, Int, Int, File, Int, Int, File, Int, Int, File, Int, Int, File, Int, Int, File, Int, Int,
    File, Int, Int, File, Int, Int,
];

/// The fields of a record of this kind.
pub(super) const fn of(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Fork => FORK,
        Kind::Exec => EXEC,
        Kind::Exit => EXIT,
        Kind::Call => CALL,
        Kind::Io => IO,
        Kind::Socket => SOCKET,
        Kind::Uring => URING,
        Kind::Passed => PASSED,
        // It was added later and is stored as a whole, so that each field has the column that it always had.
        Kind::Compat | Kind::Plaintext => &[],
        // No event: what is recorded of it is what was made of it.
        Kind::Stack => &[],
    }
}

/// Fields of all kinds together: each has a column.
pub(super) const ALL: usize = first(Kind::Compat) + of(Kind::Compat).len();

/// The column of a kind's first field.
pub(super) const fn first(kind: Kind) -> usize {
    let (mut at, mut columns) = (0, 0);
    while (Kind::ALL[at] as u16) < kind as u16 {
        columns += of(Kind::ALL[at]).len();
        at += 1;
    }
    columns
}

/// The same of all kinds, by their numbers: asked for each record.
static FIRSTS: [usize; Kind::ALL.len() + 1] = {
    let (mut firsts, mut at) = ([0; Kind::ALL.len() + 1], 0);
    while at < Kind::ALL.len() {
        firsts[Kind::ALL[at] as usize] = first(Kind::ALL[at]);
        at += 1;
    }
    firsts
};

/// As [`first`], without counting.
pub(super) fn first_of(kind: Kind) -> usize {
    FIRSTS[kind as usize]
}

/// Bytes of a record of this kind, head and all.
pub(super) const fn size(kind: Kind) -> usize {
    let (mut at, mut size) = (0, size_of::<proto::Header>());
    while at < of(kind).len() {
        size += of(kind)[at].size();
        at += 1;
    }
    size
}

/// The longest record.
pub(super) const LONGEST: usize = size(Kind::Passed);

const _: () = assert!(
    size(Kind::Fork) == size_of::<proto::Fork>()
        && size(Kind::Exec) == size_of::<proto::Exec>()
        && size(Kind::Exit) == size_of::<proto::Exit>()
        && size(Kind::Call) == size_of::<proto::Call>()
        && size(Kind::Io) == size_of::<proto::Io>()
        && size(Kind::Socket) == size_of::<proto::Socket>()
        && size(Kind::Uring) == size_of::<proto::UringIo>()
        && size(Kind::Passed) == size_of::<proto::Passed>()
        && size(Kind::Compat) == size_of::<proto::Header>()
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_is_longer_than_the_longest() {
        assert!(Kind::ALL.iter().all(|&kind| size(kind) <= LONGEST));
    }
}
