//! What the probe itself found behind a descriptor.

use crate::arguments::EBADF;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What kind of thing an open file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FileKind {
    /// Nothing is behind the descriptor.
    #[default]
    None = 0,
    /// A socket of any family.
    Socket = 1,
    /// An epoll instance.
    Epoll = 2,
    /// An eventfd.
    Eventfd = 3,
    /// A pipe or FIFO.
    Pipe = 4,
    /// A regular file.
    Regular = 5,
    /// A directory.
    Directory = 6,
    /// A character device, for example `/dev/null`.
    CharDevice = 7,
    /// A block device.
    BlockDevice = 8,
    /// Another anonymous inode: timerfd, signalfd, inotify, pidfd, BPF, ...
    Anonymous = 9,
    /// Anything else.
    Other = 10,
}

impl FileKind {
    const ALL: [Self; 11] = [
        Self::None,
        Self::Socket,
        Self::Epoll,
        Self::Eventfd,
        Self::Pipe,
        Self::Regular,
        Self::Directory,
        Self::CharDevice,
        Self::BlockDevice,
        Self::Anonymous,
        Self::Other,
    ];

    /// The kind with this number; an unknown number is [`FileKind::Other`].
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        if (number as usize) < Self::ALL.len() { Self::ALL[number as usize] } else { Self::Other }
    }
}

/// The open file behind a descriptor, as the kernel held it when the probe ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FileRef {
    /// Address of the `struct file`: the identity of the open file while it is open. 0: no file, or one whose
    /// address the source cannot see (ptrace, /proc).
    pub file: u64,
    /// Inode number; for a socket its number in `socket:[N]`.
    pub inode: u64,
    /// Device number (`i_rdev`, kernel encoding: major << 20 | minor) of a device file.
    pub device: u32,
    /// A [`FileKind`] as its number.
    pub kind: u8,
    /// [`FileRef::CLOEXEC`].
    pub flags: u8,
    /// Zero.
    pub reserved: u16,
}

impl FileRef {
    /// The descriptor is marked close-on-exec. Only read where a call made the descriptor.
    pub const CLOEXEC: u8 = 1;

    /// Nothing behind the descriptor.
    pub const NONE: Self = Self { file: 0, inode: 0, device: 0, kind: 0, flags: 0, reserved: 0 };

    /// What kind of file this is.
    #[must_use]
    pub const fn kind(&self) -> FileKind {
        FileKind::from_number(self.kind)
    }

    /// Whether a file was found.
    #[must_use]
    pub const fn is_some(&self) -> bool {
        self.kind != FileKind::None as u8
    }

    /// The most bytes that a wake-up moves through a pipe at once: one, or the eight of an
    /// eventfd where there is none.
    pub const MOST_WAKE: i64 = 8;

    /// Whether a plain `read` or `write` with this result is worth a record ([`crate::Gate::Endpoint`]): on a
    /// socket or eventfd, on a pipe where it may be a wake-up, or on a number with nothing behind it. Files,
    /// terminals and what flows through pipes are not.
    #[must_use]
    #[inline(always)]
    pub const fn is_endpoint(&self, ret: i64) -> bool {
        let kind = self.kind;
        kind == FileKind::Socket as u8
            || kind == FileKind::Eventfd as u8
            || (kind == FileKind::Pipe as u8 && ret > 0 && ret <= Self::MOST_WAKE)
            || (kind == FileKind::None as u8 && ret == EBADF)
    }

    /// Whether a call between two files with this result is worth a record ([`crate::Gate::EitherSocket`]):
    /// where one of them is a socket, or nothing is behind one of the numbers.
    #[must_use]
    #[inline(always)]
    pub const fn either_matters(&self, other: &Self, ret: i64) -> bool {
        let (one, other, socket) = (self.kind, other.kind, FileKind::Socket as u8);
        one == socket
            || other == socket
            || (ret == EBADF && (one == FileKind::None as u8 || other == FileKind::None as u8))
    }

    /// Whether both may be the same open file: nothing that both sides know differs.
    #[must_use]
    pub const fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.inode == other.inode
            && (self.file == 0 || other.file == 0 || self.file == other.file)
    }
}

crate::layout!(FileRef, 24);
