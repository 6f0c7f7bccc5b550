//! The kernel side: an object for the kernel's BPF machine, kept in the tree so that users need none of
//! what building it takes.

mod build;
mod linker;
mod sources;
mod toolchain;

pub(crate) use sources::{Side, check_kept, is_current};

use crate::paths;
use anyhow::{Context, Result};
use build::Object;
use std::fs;
use std::path::PathBuf;

/// Options of `build-ebpf`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Build nothing; fail if the kept object does not come from the sources as they are
    #[arg(long)]
    check: bool,
    /// Leave the kept object alone: build target/ebpf/forkscope-ebpf.o only
    #[arg(long, conflicts_with = "check")]
    no_keep: bool,
}

/// `cargo xtask build-ebpf`.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.check {
        return check_kept();
    }
    build()?;
    if !options.no_keep {
        let (built, kept) = (paths::at(paths::BUILT_OBJECT), paths::at(paths::KEPT_OBJECT));
        fs::copy(&built, &kept).with_context(|| format!("cannot write {}", paths::KEPT_OBJECT))?;
        sources::write(Side::Kept)?;
        eprintln!("kept as {}", paths::KEPT_OBJECT);
    }
    Ok(())
}

/// Builds what the benchmarks compare the kernel side with; returns where it is.
pub(crate) fn build_floor() -> Result<PathBuf> {
    const FLOOR: &str = "target/ebpf/floor.o";
    let toolchain = toolchain::find_or_install()?;
    let linker = linker::find_or_install(&toolchain)?;
    build::build(&toolchain, &linker, &Object { binary: "forkscope-floor", path: FLOOR })?;
    Ok(paths::at(FLOOR))
}

/// Builds the object to target/ebpf. An error that is a [`Missing`] says what this machine lacks.
pub(crate) fn build() -> Result<()> {
    let toolchain = toolchain::find_or_install()?;
    let linker = linker::find_or_install(&toolchain)?;
    build::build(&toolchain, &linker, &Object { binary: "forkscope-ebpf", path: paths::BUILT_OBJECT })?;
    sources::write(Side::Built)?;
    eprintln!("built {} with {}", paths::BUILT_OBJECT, toolchain.version);
    Ok(())
}
