//! What an object was built from, as one hash kept beside it.
//!
//! The file has two lines, `HASH  sources` and `HASH  object`: the second notices an object that was
//! replaced without its hash, as a merge can do.

use crate::paths;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What the kernel side is made of, from the workspace's root. Folders count with all that is in them.
const SOURCES: [&str; 5] =
    ["proto/Cargo.toml", "proto/src", "tracer-ebpf/Cargo.lock", "tracer-ebpf/Cargo.toml", "tracer-ebpf/src"];

/// Which object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// The one kept in the tree.
    Kept,
    /// The one last built here.
    Built,
}

impl Side {
    fn object(self) -> &'static str {
        match self {
            Self::Kept => paths::KEPT_OBJECT,
            Self::Built => paths::BUILT_OBJECT,
        }
    }

    fn record(self) -> PathBuf {
        paths::at(format!("{}.sources", self.object()))
    }
}

/// Writes beside the object what it was built from: the sources as they are now.
pub(super) fn write(side: Side) -> Result<()> {
    let record = side.record();
    fs::write(&record, current(&paths::root(), side)?)
        .with_context(|| format!("cannot write {}", record.display()))
}

/// Whether the object is there and was built from the sources as they are.
pub(crate) fn is_current(side: Side) -> Result<bool> {
    let Ok(recorded) = fs::read_to_string(side.record()) else { return Ok(false) };
    Ok(paths::at(side.object()).exists() && recorded == current(&paths::root(), side)?)
}

/// Fails if the kept object was not built from the sources as they are.
pub(crate) fn check_kept() -> Result<()> {
    if is_current(Side::Kept)? {
        return Ok(());
    }
    bail!(
        "{} does not come from the sources as they are: run `cargo xtask build-ebpf` and commit it with its \
         .sources file",
        paths::KEPT_OBJECT
    );
}

fn current(root: &Path, side: Side) -> Result<String> {
    let object = root.join(side.object());
    let bytes = fs::read(&object).with_context(|| format!("cannot read {}", object.display()))?;
    Ok(format!("{}  sources\n{}  object\n", hash_of_sources(root)?, hex(Sha256::digest(bytes).as_slice())))
}

/// SHA-256 over each file's name, length and contents, sorted by name.
fn hash_of_sources(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(root, Path::new(source), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in &files {
        let contents = fs::read(root.join(file)).with_context(|| format!("cannot read {file}"))?;
        hash.update(format!("{file}\n{}\n", contents.len()));
        hash.update(contents);
    }
    Ok(hex(hash.finalize().as_slice()))
}

/// Adds the file, or all files under the folder, as names from the root.
fn collect(root: &Path, source: &Path, files: &mut Vec<String>) -> Result<()> {
    let path = root.join(source);
    if !path.is_dir() {
        let name = source.to_str().with_context(|| format!("{} is not UTF-8", source.display()))?;
        files.push(name.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in entries {
        let name = entry.with_context(|| format!("cannot read {}", path.display()))?.file_name();
        // An editor's own files are not sources.
        let is_source = Path::new(&name).extension().is_none_or(|extension| extension == "rs");
        if is_source {
            collect(root, &source.join(name), files)?;
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
