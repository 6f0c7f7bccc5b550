//! Debian's packages: what is here, what could be, and fetching it.

use crate::command::{output, probe, run};
use crate::missing::Missing;
use crate::privilege::Privilege;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::sync::OnceLock;

/// Another apt-get may be at work, such as the one that upgrades a machine by night:
/// seconds to wait for its end.
const WAIT: &str = "DPkg::Lock::Timeout=300";

/// Has the packages installed, installing those that are not. `what` they are is for the error.
pub(crate) fn ensure(what: &str, packages: &[String]) -> Result<()> {
    let absent: Vec<&str> = packages.iter().map(String::as_str).filter(|name| !is_installed(name)).collect();
    if absent.is_empty() {
        return Ok(());
    }
    // Lists that are days old name files that the mirrors have replaced.
    install(&absent).or_else(|error| if refresh() { install(&absent) } else { Err(error) }).map_err(|error| {
        let cure = format!("as root, run `apt-get install {}` (tried here: {error:#})", absent.join(" "));
        Missing::new(what, cure).into()
    })
}

/// Brings packages that are installed to the newest version there is: lists that are
/// months old know an older one.
pub(crate) fn renew(what: &str, packages: &[String]) -> Result<()> {
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    let cure = |tried: String| {
        let names = names.join(" ");
        Missing::new(what, format!("as root, run `apt-get update && apt-get install {names}` ({tried})"))
    };
    if !refresh() {
        return Err(cure("the package lists could not be fetched here".to_owned()).into());
    }
    install(&names).map_err(|error| cure(format!("tried here: {error:#}")).into())
}

fn install(packages: &[&str]) -> Result<()> {
    eprintln!("installing {}", packages.join(" "));
    let privilege = Privilege::find().context("this user is not root and has no sudo")?;
    let mut command = privilege.command("apt-get", &[("DEBIAN_FRONTEND", OsStr::new("noninteractive"))]);
    output(command.args(["-q", "-y", "--no-install-recommends", "-o", WAIT, "install"]).args(packages))
        .map(drop)
}

/// Whether the package is installed already, or this system's package sources have it.
pub(crate) fn is_available(package: &str) -> bool {
    is_installed(package) || is_listed(package) || (refresh() && is_listed(package))
}

/// Fetches the package lists, once: a fresh machine has none.
fn refresh() -> bool {
    static REFRESHED: OnceLock<bool> = OnceLock::new();
    *REFRESHED.get_or_init(|| {
        let Some(privilege) = Privilege::find() else { return false };
        probe("apt-get", &["--version"]).is_some()
            && run(privilege.command("apt-get", &[]).args(["-qq", "update"])).is_ok()
    })
}

fn is_installed(package: &str) -> bool {
    probe("dpkg-query", &["-W", "-f=${db:Status-Status}", package]).as_deref() == Some("installed")
}

fn is_listed(package: &str) -> bool {
    probe("apt-cache", &["policy", package])
        .is_some_and(|policy| policy.contains("Candidate:") && !policy.contains("Candidate: (none)"))
}
