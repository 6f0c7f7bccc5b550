//! Files in docs/ that are generated.
//!
//! The product is linked only for those that come from its types (see this package's `product` feature), so
//! their tasks run xtask again with it.

use crate::command::cargo;
use crate::paths;
use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Command;

/// Options of the generating tasks.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the file is not current
    #[arg(long)]
    pub(crate) check: bool,
}

/// An xtask that has the product linked in, to run `task`.
pub(crate) fn command(task: &str, options: &Options) -> Command {
    let mut again = cargo(&["run", "--quiet", "--package", "xtask", "--features", "product", "--", task]);
    if options.check {
        again.arg("--check");
    }
    again
}

/// Runs `task`, in another xtask.
#[cfg(not(feature = "product"))]
pub(crate) fn run(task: &str, options: &Options) -> Result<()> {
    crate::command::run(&mut command(task, options))
}

/// Runs `task`, in this one.
#[cfg(feature = "product")]
pub(crate) fn run(task: &str, options: &Options) -> Result<()> {
    crate::product::run(task, options)
}

/// Writes the file, or with `--check` compares it.
pub(crate) fn keep(task: &str, file: &str, current: &str, options: &Options) -> Result<()> {
    let path = paths::at(file);
    let current = format!("{}\n", current.trim_end());
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == current {
        return Ok(());
    }
    if options.check {
        bail!("{file} is not current: run `cargo xtask {task}` and commit it");
    }
    fs::write(&path, current).with_context(|| format!("cannot write {file}"))?;
    eprintln!("wrote {file}");
    Ok(())
}
