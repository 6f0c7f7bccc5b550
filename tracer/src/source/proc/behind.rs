//! One descriptor of one thread, looked at while the thread stands still.

use super::descriptors::{kind_and_device, stat};
use super::link::{Info, Target};
use forkscope_proto::{FileKind, FileRef};
use nix::errno::Errno;
use std::ffi::CStr;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;

/// Looks at descriptors; keeps its buffers, and what does not change.
#[derive(Debug, Default)]
pub struct Looker {
    path: String,
    /// The inode that all epoll instances and eventfds have in common (`anon_inode_inode`, fs/anon_inodes.c).
    anonymous: Option<u64>,
    refused: bool,
}

impl Looker {
    /// Whether a look was refused since this was asked last: the process does not let itself be looked at.
    pub fn take_refused(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// What is behind a number of the table that a thread uses; [`FileRef::NONE`] where there is nothing, or it may
    /// not be looked at.
    pub fn behind(&mut self, tid: u32, fd: i32) -> FileRef {
        if fd < 0 {
            return FileRef::NONE;
        }
        self.name(tid, "fd", fd);
        let mut link = [0; 128];
        let length = match readlink(&self.path, &mut link) {
            Ok(length) => length,
            Err(errno) => {
                self.refused |= matches!(errno, Errno::EACCES | Errno::EPERM);
                return FileRef::NONE;
            }
        };
        let file = |kind, inode| FileRef { inode, kind: kind as u8, ..FileRef::NONE };
        match Target::read(&link[..length]) {
            Target::Inode(kind, inode) => file(kind, inode),
            Target::Anonymous(kind @ (FileKind::Epoll | FileKind::Eventfd)) => {
                let inode = match self.anonymous {
                    Some(inode) => inode,
                    None => self.inode(tid, fd).unwrap_or(0),
                };
                self.anonymous = Some(inode).filter(|&inode| inode != 0);
                file(kind, inode)
            }
            Target::Anonymous(kind) => file(kind, self.inode(tid, fd).unwrap_or(0)),
            Target::Path(_) => self.named(tid, fd),
        }
    }

    /// A file that has a path.
    fn named(&mut self, tid: u32, fd: i32) -> FileRef {
        let path = terminated(&self.path);
        let stat = CStr::from_bytes_until_nul(&path).ok().and_then(|path| stat(libc::AT_FDCWD, path));
        let Some(stat) = stat else {
            return FileRef { kind: FileKind::Other as u8, ..FileRef::NONE };
        };
        let (kind, device) = kind_and_device(&stat);
        let inode = self.inode(tid, fd).unwrap_or(stat.stx_ino);
        FileRef { inode, device, kind: kind as u8, ..FileRef::NONE }
    }

    /// What is behind a number that a call has just made, with its close-on-exec mark.
    pub fn made(&mut self, tid: u32, fd: i32) -> FileRef {
        let file = self.behind(tid, fd);
        let cloexec = file.is_some() && self.info(tid, fd).is_some_and(|info| info.cloexec);
        FileRef { flags: if cloexec { FileRef::CLOEXEC } else { 0 }, ..file }
    }

    /// The kernel's own inode number, as the probes see it.
    fn inode(&mut self, tid: u32, fd: i32) -> Option<u64> {
        self.info(tid, fd)?.inode
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

/// Reads a link into a buffer: how long it is, as far as it fits.
fn readlink(path: &str, link: &mut [u8]) -> nix::Result<usize> {
    let name = terminated(path);
    // SAFETY: the name ends with a NUL, the buffer is as long as is said, and both outlive the call.
    let length = unsafe { libc::readlink(name.as_ptr().cast(), link.as_mut_ptr().cast(), link.len()) };
    Errno::result(length).map(|length| length as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

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
        assert_eq!(looker.behind(pid, 1 << 20), FileRef::NONE);
        assert_eq!(looker.behind(pid, -1), FileRef::NONE);
    }
}
