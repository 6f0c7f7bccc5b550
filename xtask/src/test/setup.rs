//! What the end-to-end tests need: servers and clients, installed by their own script.

use super::Outcome;
use crate::command::{command, output, run};
use crate::paths;
use crate::privilege::Privilege;
use anyhow::{Context, Result, bail};
use std::env;
use std::ffi::OsStr;

const SCRIPT: &str = "tracer/tests/e2e/setup.sh";
/// The script's exit status where all is there but Python 3.8, which the founding case needs.
const NO_OLD_PYTHON: i32 = 3;

/// Runs the script. It does nothing where all is there.
pub(super) fn step() -> Result<Outcome> {
    let Some(privilege) = Privilege::find() else {
        let why = "the end-to-end tests need root, and this user is not root and has no sudo";
        return Ok(Outcome::Skipped(why.to_owned()));
    };
    // Where pyenv keeps its Pythons.
    let home = env::var_os("HOME").unwrap_or_default();
    let mut setup = privilege.command("bash", &[("HOME", OsStr::new(&home))]);
    let status = setup.arg(paths::at(SCRIPT)).status().context("cannot start bash")?;
    if privilege == Privilege::Sudo {
        give_back()?;
    }
    match status.code() {
        Some(0) => Ok(Outcome::Done),
        Some(NO_OLD_PYTHON) => {
            Ok(Outcome::Skipped("no Python 3.8: the tests of grpcio 1.28.1 cannot run".to_owned()))
        }
        _ => bail!("{SCRIPT} failed: {status}"),
    }
}

/// Gives what root made under target/ to the user whose folder it is.
fn give_back() -> Result<()> {
    let owner = output(command("id").arg("-u"))?;
    let made = paths::at("target/e2e");
    if made.exists() {
        run(Privilege::Sudo.command("chown", &[]).args(["-R", &owner]).arg(made))?;
    }
    Ok(())
}
