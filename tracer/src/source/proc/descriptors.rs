//! The descriptors of a process.

use super::link::{Info, RING, Target};
use super::numbers;
use crate::event::SnapshotFd;
use forkscope_proto::{Config, FileKind, FileRef};
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a number is looked at that changes while it is looked at.
const TRIES: usize = 4;

/// The links and the fdinfo files of one process.
struct Folders<'a> {
    links: &'a File,
    infos: &'a File,
    /// Set where an io_uring is seen.
    ring: &'a AtomicBool,
    /// The mount that all sockets are in.
    sockets: Option<u64>,
}

/// All descriptors of a process, in no order, and whether an io_uring is among them. One that is
/// closed meanwhile is left out.
///
/// # Errors
/// Where the process does not exist, or may not be looked at.
pub(super) fn of(pid: u32) -> io::Result<(Vec<SnapshotFd>, bool)> {
    let infos = File::open(format!("/proc/{pid}/fdinfo"))?;
    let ring = AtomicBool::new(false);
    let sockets = sockets_mount();
    let found = numbers::each(pid, |links, fd, name| {
        Folders { links, infos: &infos, ring: &ring, sockets }.look(fd, name)
    })?;
    Ok((found, ring.into_inner()))
}

/// The number of the mount that all sockets of the system are in: the kernel makes it when it starts, for
/// good (`sock_init`, net/socket.c). `None` where a socket of this process' own does not tell.
fn sockets_mount() -> Option<u64> {
    static MOUNT: OnceLock<Option<u64>> = OnceLock::new();
    *MOUNT.get_or_init(|| {
        let (own, _) = UnixStream::pair().ok()?;
        let text = std::fs::read(format!("/proc/self/fdinfo/{}", own.as_raw_fd())).ok()?;
        Info::read(&text).mount
    })
}

impl Folders<'_> {
    /// One descriptor. Of a socket fdinfo says all; of others fdinfo and link are two looks, between which
    /// the number may get another file.
    fn look(&self, fd: i32, name: &CStr) -> Option<SnapshotFd> {
        let mut last = None;
        for _ in 0..TRIES {
            let info = self.info(name)?;
            if let Some(inode) = info.inode.filter(|_| info.mount.is_some() && info.mount == self.sockets) {
                let file = FileRef { inode, kind: FileKind::Socket as u8, ..FileRef::NONE };
                return Some(SnapshotFd { fd, cloexec: info.cloexec, file, path: None, socket: None });
            }
            let link = readlinkat(self.links, name).ok()?;
            if *link == *RING {
                self.ring.store(true, Ordering::Relaxed);
            }
            let target = Target::read(link.as_bytes());
            let (file, path) = self.file(name, target, info)?;
            let same = !matches!(target, Target::Inode(_, inode) if info.inode.is_some_and(|i| i != inode));
            last = Some(SnapshotFd { fd, cloexec: info.cloexec, file, path, socket: None });
            if same {
                break;
            }
        }
        last
    }

    fn info(&self, name: &CStr) -> Option<Info> {
        let mut text = [0; 256];
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let length = File::from(openat(self.infos, name, flags, Mode::empty()).ok()?).read(&mut text).ok()?;
        Some(Info::read(&text[..length]))
    }

    fn file(&self, name: &CStr, target: Target<'_>, info: Info) -> Option<(FileRef, Option<String>)> {
        let file = |kind, inode| FileRef { inode, kind: kind as u8, ..FileRef::NONE };
        Some(match target {
            Target::Inode(kind, inode) => (file(kind, inode), None),
            Target::Anonymous(kind) => {
                let inode = match info.inode {
                    Some(inode) => inode,
                    None => stat(self.links.as_raw_fd(), name)?.stx_ino,
                };
                (file(kind, inode), None)
            }
            Target::Path(path) => {
                let stat = stat(self.links.as_raw_fd(), name)?;
                let (kind, device) = kind_and_device(&stat);
                let file = FileRef { device, ..file(kind, info.inode.unwrap_or(stat.stx_ino)) };
                // No more of it than of one that a call opens.
                let path = &path[..path.len().min(Config::MOST_DETAIL)];
                (file, Some(String::from_utf8_lossy(path).into_owned()))
            }
        })
    }
}

/// The file behind a link, by its name in a folder that is open, as far as it is known without asking a file
/// server: that may not answer, or may be traced itself.
pub(super) fn stat(folder: RawFd, name: &CStr) -> Option<libc::statx> {
    let mut stat = MaybeUninit::<libc::statx>::zeroed();
    let flags = libc::AT_STATX_DONT_SYNC | libc::AT_NO_AUTOMOUNT;
    let wanted = libc::STATX_TYPE | libc::STATX_INO;
    // SAFETY: the name ends with a NUL, `stat` has room for the answer, and both outlive the call.
    let result = unsafe { libc::statx(folder, name.as_ptr(), flags, wanted, stat.as_mut_ptr()) };
    // SAFETY: all bytes were zero before the call, which is a valid value of this plain struct.
    (result == 0).then(|| unsafe { stat.assume_init() })
}

/// The kind of a file that has a path, and what device it stands for; 0: none.
pub(super) fn kind_and_device(stat: &libc::statx) -> (FileKind, u32) {
    let kind = kind_of(stat.stx_mode);
    let device = match kind {
        // `MKDEV` (include/linux/kdev_t.h).
        FileKind::CharDevice | FileKind::BlockDevice => stat.stx_rdev_major << 20 | stat.stx_rdev_minor,
        _ => 0,
    };
    (kind, device)
}

/// The kind of a file that has a path, by its mode, as the probe tells them. A socket's file that was opened
/// with `O_PATH` is none: its inode is the file system's.
fn kind_of(mode: u16) -> FileKind {
    match u32::from(mode) & libc::S_IFMT {
        0 | libc::S_IFREG => FileKind::Regular,
        libc::S_IFDIR => FileKind::Directory,
        libc::S_IFCHR => FileKind::CharDevice,
        libc::S_IFBLK => FileKind::BlockDevice,
        libc::S_IFIFO => FileKind::Pipe,
        _ => FileKind::Other,
    }
}
