//! From a descriptor to what is behind it.

use crate::kernel::{Access, Probing, Typed, read};
use crate::maps::{FOUND, SEEN, Seen};
use crate::settings::{kind, offset, one_reference};
use crate::socket;
use forkscope_proto::{FileKind, FileRef};

/// `S_IFMT` and the types under it (include/uapi/linux/stat.h).
const S_IFMT: u16 = 0o170_000;
/// `ANON_INODE_FS_MAGIC` (include/uapi/linux/magic.h): epoll, eventfd and others live in this file system.
const ANON_INODE_FS_MAGIC: u64 = 0x0904_1934;

/// How to [`look`]: describe a socket anew.
pub const AGAIN: u32 = 1;
/// How to [`look`]: read the close-on-exec mark, too.
pub const MADE: u32 = 2;

/// The `struct file` at a number of the current thread's descriptor table, 0 if there is none
/// (`files_lookup_fd_raw`, include/linux/fdtable.h).
#[inline(always)]
pub fn file_at<A: Access>(task: u64, fd: i32) -> u64 {
    let table: u64 = A::member(A::member(task, offset!(task_files)), offset!(files_fdt));
    let most: u32 = A::member(table, offset!(fdt_max_fds));
    if table == 0 || fd < 0 || fd as u32 >= most {
        return 0;
    }
    let array: u64 = A::member(table, offset!(fdt_fd));
    A::at(array.wrapping_add(fd as u64 * 8), kind!(word), 0)
}

/// Whether a file has one reference: that of one number in one descriptor table (which processes may share,
/// by `CLONE_FILES`), and no other thread is in a call on it.
#[inline(always)]
pub fn is_alone<A: Access>(file: u64) -> bool {
    A::at::<u64>(file, kind!(file), offset!(file_count)) == u64::from(one_reference())
}

/// Whether the number is marked close-on-exec in the current thread's table.
#[inline(always)]
fn is_cloexec<A: Access>(task: u64, fd: i32) -> u64 {
    let table: u64 = A::member(A::member(task, offset!(task_files)), offset!(files_fdt));
    let bits: u64 = A::member(table, offset!(fdt_close_on_exec));
    let word: u64 = A::at(bits.wrapping_add(fd as u64 / 64 * 8), kind!(word), 0);
    (word >> (fd as u64 & 63)) & 1
}

/// What is behind a number; [`FileRef::NONE`] where there is nothing. A socket that user space has not
/// met yet is described to it first; `again` describes it anew.
#[inline(always)]
pub fn behind<A: Access>(fd: i32, again: bool) -> FileRef {
    look::<A>(fd, if again { AGAIN } else { 0 }).0
}

/// As [`behind`], with the close-on-exec mark of the number that a call has just made for it.
#[inline(always)]
pub fn made<A: Access>(fd: i32, again: bool) -> FileRef {
    look::<A>(fd, if again { AGAIN | MADE } else { MADE }).0
}

/// As [`behind`], and what [`describe`] returns.
#[inline(always)]
pub fn look<A: Access>(fd: i32, how: u32) -> (FileRef, u64) {
    let tcp = A::look(fd, how);
    // SAFETY: the scratch is this CPU's own while the program runs.
    (FOUND.get_ptr(0).map_or(FileRef::NONE, |found| unsafe { *found }), tcp)
}

/// [`Access::look`] of programs that follow typed pointers.
///
/// A global function for the verifier: with a name of its own, numbers only as arguments, and what it finds
/// left in [`FOUND`], it is verified once, and not again for each way in which a call can reach it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_look(fd: i32, how: u32) -> u64 {
    found::<Typed>(fd, how)
}

/// [`Access::look`] of programs that ask helpers; global for the same reason.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn forkscope_look_probing(fd: i32, how: u32) -> u64 {
    found::<Probing>(fd, how)
}

/// Leaves in [`FOUND`] what is behind a number; returns what [`describe`] does.
#[inline(always)]
fn found<A: Access>(fd: i32, how: u32) -> u64 {
    let Some(found) = FOUND.get_ptr_mut(0) else { return 0 };
    // SAFETY: the scratch is this CPU's own while the program runs.
    let found = unsafe { &mut *found };
    let task = A::task();
    let tcp = describe::<A>(file_at::<A>(task, fd), how & AGAIN != 0, found);
    if how & MADE != 0 && found.is_some() {
        found.flags = is_cloexec::<A>(task, fd) as u8 & FileRef::CLOEXEC;
    }
    tcp
}

/// What a file is. Returns the address of the `struct sock` if it is a socket whose transfers
/// have TCP positions, else 0.
#[inline(always)]
pub fn describe<A: Access>(file: u64, again: bool, found: &mut FileRef) -> u64 {
    if file == 0 {
        *found = FileRef::NONE;
        return 0;
    }
    let inode: u64 = A::at(file, kind!(file), offset!(file_f_inode));
    let number: u64 = A::at(inode, kind!(inode), offset!(inode_i_ino));
    found.file = file;
    found.inode = number;
    (found.device, found.kind, found.flags, found.reserved) = (0, FileKind::Socket as u8, 0, 0);
    let kind = match A::at::<u16>(inode, kind!(inode), offset!(inode_i_mode)) & S_IFMT {
        0o140_000 => {
            return match seen(file, inode, number).filter(|_| !again) {
                Some(seen) => seen.tcp,
                None => socket::introduce::<A>(file, inode, number),
            };
        }
        0o010_000 => FileKind::Pipe,
        0o040_000 => FileKind::Directory,
        0o020_000 => {
            found.device = read(inode, offset!(inode_i_rdev));
            FileKind::CharDevice
        }
        0o060_000 => FileKind::BlockDevice,
        // Anonymous inodes have no type before Linux 6.16 and are regular files after.
        0 | 0o100_000 => without_type::<A>(file, inode),
        _ => FileKind::Other,
    };
    found.kind = kind as u8;
    0
}

/// What is remembered of a file, if it still is the same one.
#[inline(always)]
fn seen(file: u64, inode: u64, number: u64) -> Option<Seen> {
    // SAFETY: the value is copied; a torn one fails the comparison or describes the same file.
    let seen = unsafe { SEEN.get(file) }.copied()?;
    (seen.inode_address == inode && seen.inode == number).then_some(seen)
}

/// Whether a file is an eventfd.
#[inline(always)]
pub fn is_eventfd<A: Access>(file: u64) -> bool {
    let inode: u64 = A::at(file, kind!(file), offset!(file_f_inode));
    let mode: u16 = A::at(inode, kind!(inode), offset!(inode_i_mode));
    matches!(mode & S_IFMT, 0 | 0o100_000) && without_type::<A>(file, inode) as u8 == FileKind::Eventfd as u8
}

#[inline(always)]
fn without_type<A: Access>(file: u64, inode: u64) -> FileKind {
    let system: u64 = A::at(inode, kind!(inode), offset!(inode_i_sb));
    let magic: u64 = A::at(system, kind!(super_block), offset!(super_s_magic));
    if magic != ANON_INODE_FS_MAGIC {
        return FileKind::Regular;
    }
    let name: u64 = A::at(name_of::<A>(file), kind!(word), 0);
    match &name.to_ne_bytes() {
        b"[eventpo" => FileKind::Epoll,
        b"[eventfd" => FileKind::Eventfd,
        _ => FileKind::Anonymous,
    }
}

/// Where the last part of a file's path is (`struct qstr`, include/linux/dcache.h).
#[inline(always)]
pub fn name_of<A: Access>(file: u64) -> u64 {
    let dentry: u64 = A::at(file, kind!(file), offset!(file_dentry));
    A::at(dentry, kind!(dentry), offset!(dentry_name))
}
