//! The report as a file: whole or not there at all.

use super::escape::{acts_on_a_terminal, escape};
use crate::files::{self, Refusal, system};
use crate::report::Report;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The path that means standard output.
pub const STDOUT: &str = "-";

/// Why a report could not be written, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The path names a directory.
    #[error("cannot write the report to {}: it is a directory; name a file in it, for example {}", shown(.0), shown(&.0.join("report.json")))]
    IsDirectory(PathBuf),
    /// The path's directory does not exist.
    #[error("cannot write the report to {}: there is no directory {}; create it first (mkdir -p), or name another file", shown(.path), shown(.directory))]
    NoDirectory {
        /// The report's path.
        path: PathBuf,
        /// The directory that is missing.
        directory: PathBuf,
    },
    /// The system refused, or what is there is not to be written to.
    #[error("cannot write the report to {}: {cause}, or `-` for standard output", shown(.path))]
    Refused {
        /// The report's path.
        path: PathBuf,
        /// Why, and what to do.
        cause: Refusal,
    },
    /// Standard output was refused.
    #[error("cannot write the report to standard output: {}; give `--report FILE` to keep it in a file", system(.0))]
    Stdout(io::Error),
    /// A report is plain data, so this is an error of forkscope.
    #[error("cannot turn the report into JSON: {0}; this is an error of forkscope, please report it")]
    Serialise(#[from] serde_json::Error),
}

/// Finds out, before anything is traced, whether a report could be written there. Leaves nothing behind.
///
/// # Errors
/// What [`write()`] would have failed with.
pub fn check_writable(path: &Path) -> Result<(), WriteError> {
    match Destination::of(path)? {
        Destination::Stdout => Ok(()),
        // Opening a FIFO without a reader would wait: for those only the permission is asked.
        Destination::InPlace => nix::unistd::access(path, nix::unistd::AccessFlags::W_OK)
            .map_err(|errno| refused(path, io::Error::from(errno))),
        Destination::Replace { directory, .. } => {
            NamedTempFile::new_in(directory).map(drop).map_err(|cause| refused(path, cause))
        }
    }
}

/// Writes the report: to a new file of mode 0600 in the same directory, to the disk, and then under its name, so that
/// nobody ever sees half of one. `-` is standard output; a device or a FIFO is written to, never replaced. What others
/// may have put there is not written through: see [`files::planted`].
///
/// # Errors
/// What the system refused. An older file of that name is then still there.
pub fn write(report: &Report, path: &Path) -> Result<(), WriteError> {
    let json = text(report)?;
    match Destination::of(path)? {
        Destination::Stdout => put(&mut io::stdout().lock(), &json).map_err(WriteError::Stdout),
        Destination::InPlace => {
            let mut file = files::open_and_wait(path).map_err(|cause| refused(path, cause))?;
            put(&mut file, &json).map_err(|cause| refused(path, cause))
        }
        Destination::Replace { directory, file } => {
            replace(&directory, &file, &json).map_err(|cause| refused(path, cause))
        }
    }
}

/// The report as indented JSON, ending in a newline. Text in it is unchanged to a JSON reader, but what would act on a terminal
/// is written as `\uXXXX`.
///
/// # Errors
/// None that a report can cause.
pub fn text(report: &Report) -> Result<String, WriteError> {
    let json = serde_json::to_string_pretty(report)?;
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        // serde_json has escaped the controls below space in strings; its own line breaks are not in strings.
        if c != '\n' && acts_on_a_terminal(c) {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Ok(out)
}

/// What a path means.
enum Destination {
    /// Standard output.
    Stdout,
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
    fn of(path: &Path) -> Result<Self, WriteError> {
        if path == Path::new(STDOUT) {
            return Ok(Self::Stdout);
        }
        match fs::symlink_metadata(path) {
            // A file is replaced, whosever it was.
            Ok(there) if there.is_file() || there.is_dir() => {}
            Ok(there) => {
                if let Some(what) = files::planted(path, &there).map_err(|cause| refused(path, cause))? {
                    return Err(refused(path, Refusal::Planted(what)));
                }
            }
            Err(_) => {}
        }
        let file = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(WriteError::IsDirectory(path.into())),
            // /dev/stdout may lead to a file that a shell holds open: it too is written to, not replaced.
            Ok(there) if !there.is_file() || path.starts_with("/dev") || path.starts_with("/proc") => {
                return Ok(Self::InPlace);
            }
            Ok(_) => fs::canonicalize(path).map_err(|cause| refused(path, cause))?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => path.into(),
            Err(cause) => return Err(refused(path, cause)),
        };
        let directory = match file.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.into(),
            None => return Err(WriteError::IsDirectory(path.into())),
        };
        if !directory.is_dir() {
            return Err(WriteError::NoDirectory { path: path.into(), directory });
        }
        Ok(Self::Replace { directory, file })
    }
}

fn replace(directory: &Path, file: &Path, json: &str) -> io::Result<()> {
    // tempfile creates with mode 0600.
    let mut new = NamedTempFile::new_in(directory)?;
    put(&mut new, json)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|refused| refused.error)?;
    // The name too should survive a power cut; a file system that cannot promise it has still taken the report.
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
    Ok(())
}

fn put(out: &mut impl Write, json: &str) -> io::Result<()> {
    out.write_all(json.as_bytes())?;
    out.flush()
}

fn refused(path: &Path, cause: impl Into<Refusal>) -> WriteError {
    WriteError::Refused { path: path.into(), cause: cause.into() }
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}

#[cfg(test)]
mod tests;
