//! Figures in docs/benchmarks.json, and the page beside them.

use super::figures::Figures;
use super::page::page;
use crate::paths;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// Where a run keeps what it measured.
pub(super) struct Place {
    folder: PathBuf,
}

impl Place {
    /// In the tree, for all to read.
    pub(super) fn docs() -> Self {
        Self { folder: paths::at("docs") }
    }

    /// Of runs that only try whether all works.
    pub(super) fn thrown_away() -> Self {
        Self { folder: paths::at("target/tmp/bench/docs") }
    }

    fn json(&self) -> PathBuf {
        self.folder.join("benchmarks.json")
    }

    /// What is kept; nothing where there is no file.
    pub(super) fn read(&self) -> Result<Figures> {
        let path = self.json();
        if !path.exists() {
            return Ok(Figures::default());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{}", path.display()))
    }

    /// Writes the figures, the page and its pictures.
    pub(super) fn write(&self, figures: &Figures) -> Result<()> {
        let pictures_folder = self.folder.join("benchmarks");
        fs::create_dir_all(&pictures_folder)
            .with_context(|| format!("cannot make {}", pictures_folder.display()))?;
        let (page, pictures) = page(figures);
        let json = serde_json::to_string_pretty(figures)?;
        let mut files = vec![(self.json(), format!("{json}\n")), (self.folder.join("benchmarks.md"), page)];
        files.extend(pictures.into_iter().map(|(name, text)| (pictures_folder.join(name), text)));
        for (path, text) in files {
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        eprintln!("wrote {}", self.folder.join("benchmarks.md").display());
        Ok(())
    }
}
