//! From a descriptor to what is behind it.

use crate::kernel::read;
use crate::maps::{SEEN, Seen};
use crate::settings::offset;
use crate::socket;
use crate::traced::Me;
use forkscope_proto::{FileKind, FileRef};

/// `S_IFMT` and the types under it (include/uapi/linux/stat.h).
const S_IFMT: u16 = 0o170_000;
/// `ANON_INODE_FS_MAGIC` (include/uapi/linux/magic.h): epoll, eventfd and others live in this file system.
const ANON_INODE_FS_MAGIC: u64 = 0x0904_1934;

/// The `struct file` at a number of the current task's descriptor table, 0 if there is none
/// (`files_lookup_fd_raw`, include/linux/fdtable.h).
#[inline(never)]
pub fn file_at(task: u64, fd: i32) -> u64 {
    let table: u64 = read(read::<u64>(task, offset!(task_files)), offset!(files_fdt));
    let most: u32 = read(table, offset!(fdt_max_fds));
    if table == 0 || fd < 0 || fd as u32 >= most {
        return 0;
    }
    let array: u64 = read(table, offset!(fdt_fd));
    read(array.wrapping_add(fd as u64 * 8), 0)
}

/// Whether the number is marked close-on-exec in the current task's table.
#[inline(never)]
pub fn is_cloexec(task: u64, fd: i32) -> u64 {
    let table: u64 = read(read::<u64>(task, offset!(task_files)), offset!(files_fdt));
    let bits: u64 = read(table, offset!(fdt_close_on_exec));
    let word: u64 = read(bits.wrapping_add(fd as u64 / 64 * 8), 0);
    (word >> (fd as u64 & 63)) & 1
}

/// What is behind a number; [`FileRef::NONE`] where there is nothing. A socket that user space has not
/// met yet is described to it first; `again` describes it anew.
#[inline(always)]
pub fn behind(me: &Me, fd: i32, again: bool) -> FileRef {
    let mut found = FileRef::NONE;
    describe(me, file_at(me.task, fd), again, &mut found);
    found
}

/// What a file is, with the close-on-exec mark of the number that a call has just made for it.
#[inline(always)]
pub fn made(me: &Me, fd: i32, again: bool) -> FileRef {
    let mut found = behind(me, fd, again);
    if found.is_some() {
        found.flags = is_cloexec(me.task, fd) as u8 & FileRef::CLOEXEC;
    }
    found
}

/// What a file is.
#[inline(never)]
pub fn describe(me: &Me, file: u64, again: bool, found: &mut FileRef) {
    *found = FileRef::NONE;
    if file == 0 {
        return;
    }
    let inode: u64 = read(file, offset!(file_f_inode));
    let number: u64 = read(inode, offset!(inode_i_ino));
    found.file = file;
    found.inode = number;
    let kind = match read::<u16>(inode, offset!(inode_i_mode)) & S_IFMT {
        0o140_000 => {
            let known = seen(file, inode, number).is_some();
            if !known || again {
                socket::introduce(me, file, inode, number);
            }
            FileKind::Socket
        }
        0o010_000 => FileKind::Pipe,
        0o040_000 => FileKind::Directory,
        0o020_000 => {
            found.device = read(inode, offset!(inode_i_rdev));
            FileKind::CharDevice
        }
        0o060_000 => FileKind::BlockDevice,
        // Anonymous inodes have no type before Linux 6.16 and are regular files after.
        0 | 0o100_000 => without_type(file, inode),
        _ => FileKind::Other,
    };
    found.kind = kind as u8;
}

/// What is remembered of a file, if it still is the same one.
#[inline(always)]
pub fn seen(file: u64, inode: u64, number: u64) -> Option<Seen> {
    // SAFETY: the value is copied; a torn one fails the comparison or describes the same file.
    let seen = unsafe { SEEN.get(file) }.copied()?;
    (seen.inode_address == inode && seen.inode == number).then_some(seen)
}

#[inline(always)]
fn without_type(file: u64, inode: u64) -> FileKind {
    let magic: u64 = read(read::<u64>(inode, offset!(inode_i_sb)), offset!(super_s_magic));
    if magic != ANON_INODE_FS_MAGIC {
        return FileKind::Regular;
    }
    let name: [u8; 8] = read(name_of(file), 0);
    match &name {
        b"[eventpo" => FileKind::Epoll,
        b"[eventfd" => FileKind::Eventfd,
        _ => FileKind::Anonymous,
    }
}

/// Where the last part of a file's path is (`struct qstr`, include/linux/dcache.h).
#[inline(always)]
pub fn name_of(file: u64) -> u64 {
    let dentry: u64 = read(file, offset!(file_dentry));
    read(dentry, offset!(dentry_name))
}
