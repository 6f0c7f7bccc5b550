//! Figures in docs/benchmarks.json, and the page beside them.

use super::figures::Figures;
use super::page::page;
use crate::paths;
use anyhow::{Context, Result, bail};
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
        let json = (self.json(), format!("{}\n", serde_json::to_string_pretty(figures)?));
        for (path, text) in [json].into_iter().chain(self.made_of(figures)) {
            let folder = path.parent().context("it lies in a folder")?;
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        eprintln!("wrote {}", self.folder.join("benchmarks.md").display());
        Ok(())
    }

    /// Fails if the page or a picture is not what comes of these figures.
    pub(super) fn must_be_current(&self, figures: &Figures) -> Result<()> {
        for (path, text) in self.made_of(figures) {
            if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
                bail!("{} is not current: run `cargo xtask bench --render` and commit it", path.display());
            }
        }
        Ok(())
    }

    /// The page and its pictures.
    fn made_of(&self, figures: &Figures) -> Vec<(PathBuf, String)> {
        let (page, pictures) = page(figures);
        let pictures =
            pictures.into_iter().map(|(name, text)| (self.folder.join("benchmarks").join(name), text));
        [(self.folder.join("benchmarks.md"), page)].into_iter().chain(pictures).collect()
    }
}
