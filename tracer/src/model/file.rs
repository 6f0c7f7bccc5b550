//! Open files: what descriptors refer to.

use super::{ProcId, SockId};
use forkscope_proto::{FileKind, FileRef};
use std::cell::Cell;
use std::ops::Deref;
use std::rc::Rc;

/// An open file in the model. Never reused in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(super) u64);

/// Who did something, when and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Nanoseconds.
    pub time: u64,
    /// The process.
    pub process: ProcId,
    /// The thread.
    pub tid: u32,
    /// The system call; 0: it was there before forkscope looked.
    pub nr: u16,
}

/// The kernel's `struct file`: shared by dup, fork and `SCM_RIGHTS`, never copied.
#[derive(Debug)]
pub struct OpenFile {
    /// Its id: the same one in each table that holds it.
    pub id: FileId,
    /// What it is.
    pub kind: FileKind,
    /// Its inode.
    pub inode: u64,
    /// Its device, for a device file.
    pub device: u32,
    /// Sockets have none.
    path: Option<Box<Box<str>>>,
    /// Who opened it.
    pub opened: Origin,
    /// The socket, where it is one.
    pub socket: Option<SockId>,
    /// Address of the kernel's struct; 0 until an event showed it.
    pub(super) address: Cell<u64>,
    /// How many descriptors there are for it, those of tables that share a page counted once.
    pub(super) held: Cell<u32>,
}

/// An open file as a descriptor holds it.
#[derive(Debug)]
pub struct Held(Rc<OpenFile>);

impl Held {
    /// One more descriptor holds it.
    #[must_use]
    pub fn new(file: Rc<OpenFile>) -> Self {
        file.held.set(file.held.get() + 1);
        Self(file)
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.0))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.set(self.0.held.get() - 1);
    }
}

impl Deref for Held {
    type Target = Rc<OpenFile>;

    fn deref(&self) -> &Rc<OpenFile> {
        &self.0
    }
}

#[cfg(test)]
impl OpenFile {
    /// One of a kind, of which nothing else is known.
    pub(super) fn example(id: u64, kind: FileKind, opened: Origin, socket: Option<SockId>) -> Rc<Self> {
        let (id, address, held) = (FileId(id), Cell::new(0), Cell::new(0));
        Rc::new(Self { id, kind, inode: 1, device: 0, path: None, opened, socket, address, held })
    }
}

impl OpenFile {
    /// Of which nothing is known but what the probe found and who opened it; its path as it was
    /// opened or as /proc showed it.
    pub(super) fn new(
        id: FileId,
        found: &FileRef,
        path: Option<Box<str>>,
        opened: Origin,
        socket: Option<SockId>,
    ) -> Self {
        Self {
            id,
            kind: found.kind(),
            inode: found.inode,
            device: found.device,
            path: path.map(Box::new),
            opened,
            socket,
            address: Cell::new(found.file),
            held: Cell::new(0),
        }
    }

    /// Whether this is what the probe found. An address that was not known is learned.
    pub(super) fn is(&self, found: &FileRef) -> bool {
        let same = self.kind == found.kind()
            && self.inode == found.inode
            && (self.address.get() == 0 || found.file == 0 || self.address.get() == found.file);
        if same && self.address.get() == 0 {
            self.address.set(found.file);
        }
        same
    }

    /// Whether rules ask what became of it.
    #[must_use]
    pub fn is_endpoint(&self) -> bool {
        matches!(self.kind, FileKind::Socket | FileKind::Epoll | FileKind::Eventfd)
    }

    /// What it is, in words for evidence: its path, or its kind.
    #[must_use]
    pub fn describe(&self) -> String {
        if let Some(path) = &self.path {
            return path.to_string();
        }
        match self.kind {
            FileKind::None => "nothing".into(),
            FileKind::Socket => "a socket".into(),
            FileKind::Epoll => "an epoll instance".into(),
            FileKind::Eventfd => "an eventfd".into(),
            FileKind::Pipe => "a pipe".into(),
            FileKind::Regular => "a file".into(),
            FileKind::Directory => "a directory".into(),
            FileKind::CharDevice => match (self.device >> 20, self.device & 0xf_ffff) {
                (1, 3) => "/dev/null".into(),
                (major, minor) => format!("character device {major}:{minor}"),
            },
            FileKind::BlockDevice => "a block device".into(),
            FileKind::Anonymous | FileKind::Other => "another file".into(),
        }
    }
}
