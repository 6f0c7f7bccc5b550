//! One descriptor of one thread, looked at while the thread stands still.

use super::descriptors::{kind_and_device, stat};
use super::link::{Info, Target};
use forkscope_proto::{FileKind, FileRef};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::ffi::CStr;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// Looks at descriptors; keeps its buffers, and what does not change.
#[derive(Debug, Default)]
pub struct Looker {
    path: String,
    /// The inode that all epoll instances and eventfds have in common (`anon_inode_inode`, fs/anon_inodes.c).
    anonymous: Option<u64>,
    refused: bool,
    /// The folders of links of threads that were looked at, held open: a look from there is a third cheaper.
    folders: FxHashMap<u32, OwnedFd>,
}

/// Folders that are held open, at most: far fewer than the descriptors that a process may usually have.
const MOST_FOLDERS: usize = 64;

impl Looker {
    /// Whether a look was refused since this was asked last: the process does not let itself be looked at.
    pub fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// What is behind a number of the table that a thread uses; [`FileRef::NONE`] where there is nothing, or
    /// it may not be looked at.
    pub fn behind(&mut self, tid: u32, fd: i32) -> FileRef {
        self.look(tid, fd).0
    }

    /// What is behind a number, and what fdinfo tells of it, where that was needed.
    fn look(&mut self, tid: u32, fd: i32) -> (FileRef, Option<Info>) {
        if fd < 0 {
            return (FileRef::NONE, None);
        }
        let mut link = [0; 128];
        let length = match self.read_link(tid, fd, &mut link) {
            Ok(length) => length,
            Err(errno) => {
                self.refused |= matches!(errno, Errno::EACCES | Errno::EPERM);
                return (FileRef::NONE, None);
            }
        };
        let file = |kind, inode| FileRef { inode, kind: kind as u8, ..FileRef::NONE };
        match Target::read(&link[..length]) {
            Target::Inode(kind, inode) => (file(kind, inode), None),
            Target::Anonymous(kind @ (FileKind::Epoll | FileKind::Eventfd)) => {
                let (inode, info) = match self.anonymous {
                    Some(inode) => (inode, None),
                    None => self.inode(tid, fd),
                };
                self.anonymous = Some(inode).filter(|&inode| inode != 0);
                (file(kind, inode), info)
            }
            Target::Anonymous(kind) => {
                let (inode, info) = self.inode(tid, fd);
                (file(kind, inode), info)
            }
            Target::Path(_) => self.named(tid, fd),
        }
    }

    /// A file that has a path.
    fn named(&mut self, tid: u32, fd: i32) -> (FileRef, Option<Info>) {
        let path = terminated(&self.path);
        let stat = CStr::from_bytes_until_nul(&path).ok().and_then(|path| stat(libc::AT_FDCWD, path));
        let Some(stat) = stat else {
            return (FileRef { kind: FileKind::Other as u8, ..FileRef::NONE }, None);
        };
        let (kind, device) = kind_and_device(&stat);
        let info = self.info(tid, fd);
        let inode = info.and_then(|info| info.inode).unwrap_or(stat.stx_ino);
        (FileRef { inode, device, kind: kind as u8, ..FileRef::NONE }, info)
    }

    /// Reads the link of a number: how long it is, as far as it fits. Names its path.
    fn read_link(&mut self, tid: u32, fd: i32, link: &mut [u8]) -> nix::Result<usize> {
        self.name(tid, "fd", fd);
        let name = terminated(&self.path);
        let number = self.path.rfind('/').map_or(0, |slash| slash + 1);
        if let Some(folder) = self.folder(tid) {
            let length = readlink(folder.as_raw_fd(), &name[number..], link);
            if length.is_ok() {
                return length;
            }
            // The folder may be that of a thread that is gone, and the number another's: its path says.
            self.forget(tid);
        }
        readlink(libc::AT_FDCWD, &name, link)
    }

    /// The folder of links of a thread. As long as it can be read, the number is the same thread's.
    fn folder(&mut self, tid: u32) -> Option<&OwnedFd> {
        if self.folders.len() >= MOST_FOLDERS && !self.folders.contains_key(&tid) {
            self.folders.clear();
        }
        match self.folders.entry(tid) {
            Entry::Occupied(entry) => Some(entry.into_mut()),
            Entry::Vacant(entry) => {
                let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
                let folder = open(format!("/proc/{tid}/fd").as_str(), flags, Mode::empty()).ok()?;
                Some(entry.insert(folder))
            }
        }
    }

    /// A thread has ended.
    pub fn forget(&mut self, tid: u32) {
        self.folders.remove(&tid);
    }

    /// What is behind a number that a call has just made, with its close-on-exec mark.
    pub fn made(&mut self, tid: u32, fd: i32) -> FileRef {
        let (file, info) = self.look(tid, fd);
        let cloexec = file.is_some() && info.or_else(|| self.info(tid, fd)).is_some_and(|info| info.cloexec);
        FileRef { flags: if cloexec { FileRef::CLOEXEC } else { 0 }, ..file }
    }

    /// The kernel's own inode number, as the probes see it; 0 where it is not told.
    fn inode(&mut self, tid: u32, fd: i32) -> (u64, Option<Info>) {
        let info = self.info(tid, fd);
        (info.and_then(|info| info.inode).unwrap_or(0), info)
    }

    fn info(&mut self, tid: u32, fd: i32) -> Option<Info> {
        self.name(tid, "fdinfo", fd);
        let mut text = [0; 256];
        let length = File::open(&self.path).ok()?.read(&mut text).ok()?;
        Some(Info::read(&text[..length]))
    }

    fn name(&mut self, tid: u32, folder: &str, fd: i32) {
        self.path.clear();
        let _ = write!(self.path, "/proc/{tid}/{folder}/{fd}");
    }
}

/// A path of /proc, ended by a NUL.
fn terminated(path: &str) -> [u8; 64] {
    let mut name = [0_u8; 64];
    // "/proc/", two numbers and a folder's name are shorter.
    let length = path.len().min(name.len() - 1);
    name[..length].copy_from_slice(&path.as_bytes()[..length]);
    name
}

/// Reads a link into a buffer: how long it is, as far as it fits. The name ends with a NUL.
fn readlink(folder: RawFd, name: &[u8], link: &mut [u8]) -> nix::Result<usize> {
    let name = CStr::from_bytes_until_nul(name).map_err(|_| Errno::ENAMETOOLONG)?;
    // SAFETY: the name ends with a NUL, the buffer is as long as is said, and both outlive the call.
    let length = unsafe { libc::readlinkat(folder, name.as_ptr(), link.as_mut_ptr().cast(), link.len()) };
    Errno::result(length).map(|length| length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sees_what_a_snapshot_sees() {
        let pid = std::process::id();
        let (pipe, _end) = std::io::pipe().expect("a pipe");
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let null = File::open("/dev/null").expect("there");
        let file = tempfile::tempfile().expect("a file");
        let epoll = nix::sys::epoll::Epoll::new(nix::sys::epoll::EpollCreateFlags::empty()).expect("epoll");
        let event = nix::sys::eventfd::EventFd::new().expect("an eventfd");
        let mut looker = Looker::default();
        let (_, snapshot) = crate::source::proc::snapshot(pid).expect("itself");
        for fd in [
            pipe.as_raw_fd(),
            socket.as_raw_fd(),
            null.as_raw_fd(),
            file.as_raw_fd(),
            epoll.0.as_raw_fd(),
            std::os::fd::AsFd::as_fd(&event).as_raw_fd(),
        ] {
            let seen = snapshot.descriptors.iter().find(|entry| entry.fd == fd).expect("open");
            let cloexec = if seen.cloexec { FileRef::CLOEXEC } else { 0 };
            assert_eq!(looker.made(pid, fd), FileRef { flags: cloexec, ..seen.file }, "{seen:?}");
            assert_eq!(looker.behind(pid, fd), seen.file);
        }
        // As from a thread that is gone, whose number is this one's now.
        let gone = File::open("/proc/sys/fs").expect("there");
        looker.folders.insert(pid, gone.into());
        assert_eq!(looker.behind(pid, socket.as_raw_fd()).kind(), FileKind::Socket);
        assert_eq!(looker.behind(pid, 1 << 20), FileRef::NONE);
        assert_eq!(looker.behind(pid, -1), FileRef::NONE);
    }
}
