//! A file as a whole: all of it, or not there at all.

use super::escape::escape;
use crate::files::{self, Refusal, system};
use nix::unistd::{AccessFlags, access};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The path that means standard output.
pub const STDOUT: &str = "-";

/// A kind of file that forkscope writes as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// What it is, in a word: `report`.
    pub what: &'static str,
    /// Whether users may ask for it on standard output.
    pub or_stdout: bool,
}

/// Why a file could not be written, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file was refused.
    #[error("cannot write the {what} to {}: {why}{}", shown(.path), way_out(*.or_stdout, .why))]
    File {
        /// What it is.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// Why, and what to do.
        why: Why,
        /// Whether standard output would be a way out.
        or_stdout: bool,
    },
    /// Standard output was refused.
    #[error("cannot write the {what} to standard output: {}; give `--{what} FILE` to keep it in a file", system(.cause))]
    Stdout {
        /// What it is.
        what: &'static str,
        /// What the system answered.
        cause: io::Error,
    },
    /// A report is plain data, so this is an error of forkscope.
    #[error("cannot turn the report into JSON: {0}; this is an error of forkscope, please report it")]
    Serialise(#[from] serde_json::Error),
}

/// Why nothing is written to a path.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// It names a directory; a file in it would do.
    #[error("it is a directory; name a file in it, for example {}", shown(.0))]
    IsDirectory(PathBuf),
    /// Its directory does not exist.
    #[error("there is no directory {}; create it first (mkdir -p), or name another file", shown(.0))]
    NoDirectory(PathBuf),
    /// The system refused, or what is there is not to be written to.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<io::Error> for Why {
    fn from(cause: io::Error) -> Self {
        Self::Refused(cause.into())
    }
}

fn way_out(possible: bool, why: &Why) -> &'static str {
    if possible && matches!(why, Why::Refused(_)) { ", or `-` for standard output" } else { "" }
}

impl Output {
    /// Finds out, before anything is traced, whether it could be written there. Leaves nothing behind.
    ///
    /// # Errors
    /// What [`Output::write`] would have failed with.
    pub fn check(&self, path: &Path) -> Result<(), WriteError> {
        if self.is_stdout(path) {
            return Ok(());
        }
        let answer = || match Destination::of(path, &self.example())? {
            // Opening a FIFO without a reader would wait: for those only the permission is asked.
            Destination::InPlace => Ok(access(path, AccessFlags::W_OK).map_err(io::Error::from)?),
            Destination::Replace { directory, .. } => Ok(NamedTempFile::new_in(directory).map(drop)?),
        };
        answer().map_err(|why| self.refused(path, why))
    }

    /// Writes it: to a new file of mode 0600 in the same directory, to the disk, and then under its name, so
    /// that nobody ever sees half of one. `-` is standard output; a device or a FIFO is written to, never
    /// replaced. What others may have put there is not written through: see [`files::planted`].
    ///
    /// # Errors
    /// What the system refused. An older file of that name is then still there.
    pub fn write(&self, text: &str, path: &Path) -> Result<(), WriteError> {
        if self.is_stdout(path) {
            let written = put(&mut io::stdout().lock(), text);
            return written.map_err(|cause| WriteError::Stdout { what: self.what, cause });
        }
        let answer = || match Destination::of(path, &self.example())? {
            Destination::InPlace => Ok(put(&mut files::open_and_wait(path)?, text)?),
            Destination::Replace { directory, file } => Ok(replace(&directory, &file, text)?),
        };
        answer().map_err(|why| self.refused(path, why))
    }

    fn is_stdout(&self, path: &Path) -> bool {
        self.or_stdout && path == Path::new(STDOUT)
    }

    fn example(&self) -> String {
        format!("{}.json", self.what)
    }

    fn refused(&self, path: &Path, why: Why) -> WriteError {
        WriteError::File { what: self.what, path: path.into(), why, or_stdout: self.or_stdout }
    }
}

/// What a path means.
enum Destination {
    /// Something that is there and is no file on a disk: a device, a FIFO, another process' descriptor.
    InPlace,
    /// A file, new or to be replaced.
    Replace {
        /// Where it is.
        directory: PathBuf,
        /// Its whole path, symbolic links followed, so that a link stays and what it names is replaced.
        file: PathBuf,
    },
}

impl Destination {
    fn of(path: &Path, example: &str) -> Result<Self, Why> {
        match fs::symlink_metadata(path) {
            // A file is replaced, whosever it was.
            Ok(there) if there.is_file() || there.is_dir() => {}
            Ok(there) => {
                if let Some(what) = files::planted(path, &there)? {
                    return Err(Refusal::Planted(what).into());
                }
            }
            Err(_) => {}
        }
        let file = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(Why::IsDirectory(path.join(example))),
            // /dev/stdout may lead to a file that a shell holds open: it too is written to, not replaced.
            Ok(there) if !there.is_file() || files::is_descriptor(path) => return Ok(Self::InPlace),
            Ok(_) => fs::canonicalize(path)?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => path.into(),
            Err(cause) => return Err(cause.into()),
        };
        let directory = match file.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.into(),
            None => return Err(Why::IsDirectory(path.join(example))),
        };
        if !directory.is_dir() {
            return Err(Why::NoDirectory(directory));
        }
        Ok(Self::Replace { directory, file })
    }
}

fn replace(directory: &Path, file: &Path, text: &str) -> io::Result<()> {
    // tempfile creates with mode 0600.
    let mut new = NamedTempFile::new_in(directory)?;
    put(&mut new, text)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|refused| refused.error)?;
    // The name too should survive a power cut; a file system that cannot promise it has still taken the file.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

fn put(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}
