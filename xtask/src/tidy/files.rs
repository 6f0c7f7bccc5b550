//! The files that the project keeps.

use crate::command::{command, output};
use crate::paths;
use anyhow::{Context, Result};
use std::fs;

/// Every file that git tracks, or would: path from the workspace's root, and contents.
pub(super) fn tracked() -> Result<Vec<(String, Vec<u8>)>> {
    let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = output(command("git").args(listed)).context("tidy looks at the files that git knows")?;
    let mut files = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let path = paths::at(name);
        // Listed, but deleted here; or a link, whose target is listed itself.
        if path.is_symlink() || !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
        files.push((name.to_owned(), bytes));
    }
    Ok(files)
}
