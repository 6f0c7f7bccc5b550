//! The endpoints among a process' descriptors, for a look: cheaper than a snapshot, because fdinfo is read
//! only where it tells more.

use super::link::{Details, Target};
use super::numbers;
use crate::inspect::SeenFd;
use forkscope_proto::FileKind;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{Mode, fstatat};
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

/// The most that is read of one fdinfo file, in bytes: a line for each descriptor that
/// an epoll instance watches.
const MOST_INFO: u64 = 4 << 20;

/// The sockets, epoll instances, eventfds and pipes of a process, by number. One that is
/// closed meanwhile is left out.
///
/// # Errors
/// Where the process does not exist, or may not be looked at.
pub(super) fn of(pid: u32) -> io::Result<Vec<SeenFd>> {
    let infos = File::open(format!("/proc/{pid}/fdinfo"))?;
    let mut found = numbers::each(pid, |links, fd, name| look(links, &infos, fd, name))?;
    found.sort_by_key(|entry| entry.fd);
    Ok(found)
}

fn look(links: &File, infos: &File, fd: i32, name: &CStr) -> Option<SeenFd> {
    let link = readlinkat(links, name).ok()?;
    let entry = |kind, inode| SeenFd { fd, kind, inode, ..SeenFd::default() };
    match Target::read(link.as_bytes()) {
        Target::Inode(FileKind::Pipe, inode) => {
            Some(SeenFd { access: access(links, name), ..entry(FileKind::Pipe, inode) })
        }
        Target::Inode(kind, inode) => Some(entry(kind, inode)),
        Target::Anonymous(kind @ (FileKind::Epoll | FileKind::Eventfd)) => {
            let info = openat(infos, name, OFlag::O_RDONLY | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
            let mut text = Vec::new();
            File::from(info).take(MOST_INFO).read_to_end(&mut text).ok()?;
            let Details { eventfd, watches } = Details::read(&text);
            Some(SeenFd { eventfd, watches, ..entry(kind, 0) })
        }
        Target::Anonymous(_) | Target::Path(_) => None,
    }
}

/// Whether it may be read and written: the link's mode says so (`tid_fd_update_inode`, fs/proc/fd.c).
fn access(links: &File, name: &CStr) -> (bool, bool) {
    let mode = fstatat(links, name, AtFlags::AT_SYMLINK_NOFOLLOW).map_or(0, |stat| stat.st_mode);
    (mode & libc::S_IRUSR != 0, mode & libc::S_IWUSR != 0)
}
