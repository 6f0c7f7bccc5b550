//! Files that users name to be written to: whose they are, and what the system says of them.
//!
//! In a directory that everybody may write to (/tmp), somebody else may have put there what forkscope, with
//! root's rights perhaps, then writes through: a link to another file, a FIFO of which they read.

use crate::errno;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why nothing is written to what is there.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Others may have put it there to be written through.
    #[error("it is {0} in a directory that everybody may write to; remove it, or name another file")]
    Planted(&'static str),
    /// It is a FIFO, and opening it would wait for a reader that may never come.
    #[error("it is a FIFO that nobody reads; start its reader first, or name a file")]
    Unread,
    /// The system refused.
    #[error("{}; {}", system(.0), cure(.0))]
    System(#[from] io::Error),
}

/// Is this path planted by others? What it is, if so: a symbolic link, whoever made it, what is not one's
/// own, or a file that has other names: whose it is does not say who gave it this one.
///
/// `there` is what the path names, a link not followed. /dev and /proc have links that lead to one's own
/// descriptors, and nobody else can make files there; /dev/shm is as /tmp is.
///
/// # Errors
/// Where the directory cannot be looked at.
pub fn planted(path: &Path, there: &Metadata) -> io::Result<Option<&'static str>> {
    let kind = there.file_type();
    let own = there.uid() == nix::unistd::geteuid().as_raw();
    let has_other_names = kind.is_file() && there.nlink() > 1;
    if own && !kind.is_symlink() && !has_other_names || !everybody_may_write(path)? {
        return Ok(None);
    }
    Ok(Some(match () {
        () if kind.is_symlink() => "a symbolic link",
        () if own => "a file that has other names, too,",
        () if kind.is_fifo() => "a FIFO of another user",
        () if kind.is_file() => "a file of another user",
        () => "something of another user",
    }))
}

/// Opens what is there to be written to, as it is, unless it is planted. A FIFO that nobody reads is refused:
/// who waited for its reader could not be told to stop.
///
/// # Errors
/// Where it is not to be written to, or the system refuses.
pub fn open(path: &Path) -> Result<File, Refusal> {
    open_with(path, libc::O_NONBLOCK)
}

/// As [`open`], but of a FIFO the reader is waited for.
///
/// # Errors
/// As there.
pub fn open_and_wait(path: &Path) -> Result<File, Refusal> {
    open_with(path, 0)
}

fn open_with(path: &Path, mut flags: i32) -> Result<File, Refusal> {
    let there = fs::symlink_metadata(path)?;
    if let Some(what) = planted(path, &there)? {
        return Err(Refusal::Planted(what));
    }
    let descriptor = is_descriptor(path);
    let real = if there.is_symlink() && !descriptor { fs::canonicalize(path)? } else { path.into() };
    flags |= if descriptor { 0 } else { libc::O_NOFOLLOW };
    // Where it is a file, what is in it stays: it is opened anew, and would be written from its beginning.
    let file = OpenOptions::new().write(true).append(descriptor).custom_flags(flags).open(&real);
    let file = file.map_err(|error| match error.raw_os_error() {
        // open(2): O_NONBLOCK, O_WRONLY, a FIFO and no reader.
        Some(libc::ENXIO) if is_fifo(&real) => Refusal::Unread,
        _ => error.into(),
    })?;
    // Asked of what was opened: it may be another than what was there before.
    if !descriptor && let Some(what) = planted(&real, &file.metadata()?)? {
        return Err(Refusal::Planted(what));
    }
    wait_from_now_on(&file)?;
    Ok(file)
}

/// Does a path lead to a descriptor of a process, as /dev/stdout and /dev/fd/63 do? What is behind it was
/// opened by who started forkscope, and may have no path of its own.
#[must_use]
pub fn is_descriptor(path: &Path) -> bool {
    let in_proc =
        |path: &Path| fs::canonicalize(parent(path)).is_ok_and(|folder| folder.starts_with("/proc"));
    in_proc(path) || fs::read_link(path).is_ok_and(|to| in_proc(&parent(path).join(to)))
}

/// Writes wait for a reader that is slow.
fn wait_from_now_on(file: &File) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = OFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFL)?);
    fcntl(file, FcntlArg::F_SETFL(flags - OFlag::O_NONBLOCK))?;
    Ok(())
}

fn is_fifo(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| there.file_type().is_fifo())
}

/// Do two paths name one file, or will they, when it is made? A device is never one: each writes for itself.
#[must_use]
pub fn same(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => {
            let device = one.file_type().is_char_device() || one.file_type().is_block_device();
            !device && (one.dev(), one.ino()) == (other.dev(), other.ino())
        }
        (Err(_), Err(_)) => {
            let place =
                |path: &Path| fs::canonicalize(parent(path)).ok().zip(path.file_name().map(Into::into));
            let (one, other): (Option<(PathBuf, PathBuf)>, _) = (place(one), place(other));
            one.is_some() && one == other
        }
        _ => false,
    }
}

/// What to do about what the system answered.
fn cure(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some room, or name a file on another disk",
        _ => "name a file in a directory that you may write to",
    }
}

/// Where a command may be: in each folder of a PATH, of which an empty one is the current folder (execvp(3)).
pub fn in_path(name: &OsStr, path: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(path).map(move |folder| folder.join(name))
}

/// A system error as users know it: its words and its name.
#[must_use]
pub fn system(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default().to_owned();
    match error.raw_os_error().and_then(errno::name) {
        Some(name) => format!("{words} ({name})"),
        None => words,
    }
}

/// Whether everybody may put files beside this one.
fn everybody_may_write(path: &Path) -> io::Result<bool> {
    match fs::metadata(parent(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        directory => Ok(directory?.mode() & 0o002 != 0),
    }
}

/// The directory of a path.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests;
