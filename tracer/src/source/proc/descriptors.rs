//! The descriptors of a process.

use crate::event::SnapshotFd;
use forkscope_proto::{FileKind, FileRef};
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// All descriptors of a process, in no order. One that is closed meanwhile is left out.
pub(super) fn of(pid: u32) -> io::Result<Vec<SnapshotFd>> {
    let folder = format!("/proc/{pid}/fd");
    Ok(fs::read_dir(&folder)?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let fd: i32 = entry.file_name().to_str()?.parse().ok()?;
            let target = fs::read_link(entry.path()).ok()?;
            let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).ok()?;
            describe(fd, &entry.path(), &target.to_string_lossy(), is_cloexec(&info))
        })
        .collect())
}

/// Whether `flags:` of a fdinfo file (proc_pid_fdinfo(5), octal) has `O_CLOEXEC`.
pub(super) fn is_cloexec(info: &str) -> bool {
    const O_CLOEXEC: u32 = 0o2_000_000;
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    flags
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        .is_some_and(|flags| flags & O_CLOEXEC != 0)
}

/// The number in `socket:[N]` or `pipe:[N]`.
pub(super) fn inode_in(target: &str, kind: &str) -> Option<u64> {
    target.strip_prefix(kind)?.strip_prefix(":[")?.strip_suffix(']')?.parse().ok()
}

fn describe(fd: i32, link: &Path, target: &str, cloexec: bool) -> Option<SnapshotFd> {
    let named = |kind, inode| FileRef { inode, kind: kind as u8, ..FileRef::NONE };
    let mut path = None;
    let file = if let Some(inode) = inode_in(target, "socket") {
        named(FileKind::Socket, inode)
    } else if let Some(inode) = inode_in(target, "pipe") {
        named(FileKind::Pipe, inode)
    } else {
        let metadata = fs::metadata(link).ok()?;
        let kind = match target.strip_prefix("anon_inode:") {
            Some("[eventpoll]") => FileKind::Epoll,
            Some("[eventfd]") => FileKind::Eventfd,
            Some(_) => FileKind::Anonymous,
            None => {
                path = Some(target.to_owned());
                kind_of(metadata.file_type())
            }
        };
        let device = if kind == FileKind::CharDevice { kernel_device(metadata.rdev()) } else { 0 };
        FileRef { device, ..named(kind, metadata.ino()) }
    };
    Some(SnapshotFd { fd, cloexec, file, path, socket: None })
}

fn kind_of(kind: fs::FileType) -> FileKind {
    if kind.is_file() {
        FileKind::Regular
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_char_device() {
        FileKind::CharDevice
    } else if kind.is_block_device() {
        FileKind::BlockDevice
    } else if kind.is_fifo() {
        FileKind::Pipe
    } else {
        FileKind::Other
    }
}

/// A device number as the kernel keeps it (`MKDEV`, include/linux/kdev_t.h), from the one of stat(2).
fn kernel_device(device: u64) -> u32 {
    libc::major(device) << 20 | libc::minor(device)
}
