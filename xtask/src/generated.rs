//! Files in docs/ that are generated from the product's types.
//!
//! The product is linked only for this (see this package's `product` feature), so these tasks run xtask
//! again with it.

use crate::command::cargo;
use anyhow::Result;
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
