//! A Rust toolchain that can build `core` for the kernel's BPF machine.
//!
//! No toolchain ships `core` for this target, so its source is needed, and `-Z build-std`, which only a
//! nightly compiler takes, or one told so by `RUSTC_BOOTSTRAP`.

use crate::command::{command, probe, run};
use crate::missing::Missing;
use crate::packages;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

/// Debian's packages of a new rustc (with cargo, and the source of `core`).
const DEBIAN: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// Where Debian's packages put `core`.
const DEBIAN_CORE: &str = "/usr/lib/rustlib/src/rust/library/core/src/lib.rs";
/// The oldest compiler that builds aya-ebpf 0.2 (edition 2024).
const OLDEST_MINOR: u32 = 88;

/// A toolchain, by where it comes from.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// Debian's packages, in /usr/bin.
    Debian,
    /// rustup's nightly.
    Nightly,
}

/// A toolchain that has the source of `core`.
#[derive(Debug)]
pub(super) struct Toolchain {
    origin: Origin,
    /// As rustc says it, for people.
    pub(super) version: String,
    /// Major version of the LLVM in it: the linker must read what it writes.
    pub(super) llvm: u32,
    /// The folder of its `core`'s source.
    pub(super) sysroot: String,
}

impl Toolchain {
    /// Its cargo, with its rustc, whatever cargo runs this program.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = match self.origin {
            Origin::Debian => {
                let mut cargo = command("/usr/bin/cargo");
                cargo.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                cargo
            }
            Origin::Nightly => {
                let mut cargo = command("rustup");
                cargo.args(["run", "nightly", "cargo"]).env_remove("RUSTC");
                cargo
            }
        };
        for inherited in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(inherited);
        }
        cargo
    }
}

/// The first of: Debian's, rustup's nightly, then what can be installed, in the same order.
pub(super) fn find_or_install() -> Result<Toolchain> {
    if let Some(found) = debian().or_else(nightly) {
        return Ok(found);
    }
    if packages::is_available(DEBIAN[0]) {
        packages::ensure("Debian's newest Rust", &DEBIAN.map(String::from))?;
        if debian().is_none() {
            packages::renew("Debian's newest Rust", &DEBIAN.map(String::from))?;
        }
        return debian().context("Debian's rustc is installed, but /usr/bin/rustc is not it, or too old");
    }
    let install = ["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"];
    if probe("rustup", &["--version"]).is_some() && run(command("rustup").args(install)).is_ok() {
        return nightly().context("rustup installed a nightly toolchain that does not run");
    }
    let cure =
        format!("on Debian install {}; elsewhere run `rustup {}`", DEBIAN.join(", "), install.join(" "));
    Err(Missing::new("a Rust toolchain with the source of `core`", cure).into())
}

fn debian() -> Option<Toolchain> {
    let core_is_here = Path::new(DEBIAN_CORE).exists() && Path::new("/usr/bin/cargo").exists();
    let sysroot = probe("/usr/bin/rustc", &["--print", "sysroot"])?;
    let toolchain = Toolchain::from_verbose(Origin::Debian, &probe("/usr/bin/rustc", &["-vV"])?, sysroot)?;
    core_is_here.then_some(toolchain)
}

fn nightly() -> Option<Toolchain> {
    let rustc = |arguments: &[&str]| probe("rustup", &[&["run", "nightly", "rustc"], arguments].concat());
    let sysroot = rustc(&["--print", "sysroot"])?;
    let core = Path::new(&sysroot).join("lib/rustlib/src/rust/library/core/src/lib.rs");
    let toolchain = Toolchain::from_verbose(Origin::Nightly, &rustc(&["-vV"])?, sysroot)?;
    core.exists().then_some(toolchain)
}

impl Toolchain {
    /// Reads `rustc -vV`: the first line, and those of `release` and `LLVM version`.
    fn from_verbose(origin: Origin, said: &str, sysroot: String) -> Option<Self> {
        let value = |key: &str| said.lines().find_map(|line| line.strip_prefix(key));
        let minor: u32 = value("release: 1.")?.split('.').next()?.parse().ok()?;
        let llvm = value("LLVM version: ")?.split('.').next()?.parse().ok()?;
        let version = said.lines().next()?.to_owned();
        (minor >= OLDEST_MINOR).then_some(Self { origin, version, llvm, sysroot })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(release: &str) -> Option<Toolchain> {
        let said = format!("rustc {release} (ac68faa20)\nhost: x\nrelease: {release}\nLLVM version: 22.1.8");
        Toolchain::from_verbose(Origin::Debian, &said, "/usr".to_owned())
    }

    #[test]
    fn reads_what_rustc_says() {
        let toolchain = read("1.96.0").expect("new enough");
        assert_eq!((toolchain.llvm, toolchain.version.as_str()), (22, "rustc 1.96.0 (ac68faa20)"));
        assert!(read("1.97.0-nightly").is_some());
    }

    #[test]
    fn an_old_compiler_is_none() {
        assert!(read("1.85.0").is_none());
        assert!(Toolchain::from_verbose(Origin::Debian, "", String::new()).is_none());
    }
}
