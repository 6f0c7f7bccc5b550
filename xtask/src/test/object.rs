//! Which kernel object the tests run on: the one rebuilt from the sources, where this machine can.

use super::{Outcome, is_ci};
use crate::ebpf::{self, Side};
use crate::missing::Missing;
use crate::paths;
use anyhow::{Result, bail};
use std::process::Command;

/// Checks the kept object and rebuilds it.
pub(super) fn step() -> Result<Outcome> {
    ebpf::check_kept()?;
    match ebpf::build() {
        Ok(()) => Ok(Outcome::Done),
        Err(error) if error.is::<Missing>() => {
            Ok(Outcome::Skipped(format!("{error:#}. The kept object is current; the tests use it")))
        }
        Err(error) => Err(error),
    }
}

/// Has the command build the product with the rebuilt object, or the kept one where nothing was rebuilt.
pub(crate) fn embed(command: &mut Command) -> Result<&mut Command> {
    if ebpf::is_current(Side::Built)? {
        return Ok(command.env("FORKSCOPE_EBPF_OBJECT", paths::at(paths::BUILT_OBJECT)));
    }
    if is_ci() {
        bail!("{} is not built from these sources: run the step `ebpf` first", paths::BUILT_OBJECT);
    }
    Ok(command)
}
