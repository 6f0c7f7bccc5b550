//! Files in docs/ that are generated from the product's types.
//!
//! The product is linked only for this (see this package's `product` feature), so these tasks run xtask
//! again with it.

use crate::command::{cargo, run as run_command};
use anyhow::Result;

/// Options of the generating tasks.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail if the file is not current
    #[arg(long)]
    pub(crate) check: bool,
}

/// Runs `task` in an xtask that has the product linked in.
#[cfg(not(feature = "product"))]
pub(crate) fn run(task: &str, options: &Options) -> Result<()> {
    let mut again = cargo(&["run", "--quiet", "--package", "xtask", "--features", "product", "--", task]);
    if options.check {
        again.arg("--check");
    }
    run_command(&mut again)
}

/// Runs `task`.
#[cfg(feature = "product")]
pub(crate) fn run(task: &str, options: &Options) -> Result<()> {
    crate::product::run(task, options)
}
