//! bpf-linker: makes one BPF object of what rustc compiled. It links against LLVM's own libraries.

use super::toolchain::Toolchain;
use crate::command::{command, output, run};
use crate::missing::Missing;
use crate::{packages, paths};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// The version that the kernel side is built and tested with.
const VERSION: &str = "0.13.0";
/// The LLVM releases that this version links against.
const SUPPORTED: std::ops::RangeInclusive<u32> = 21..=23;

/// The linker, and the LLVM that it goes with.
#[derive(Debug)]
pub(super) struct Linker {
    /// The program.
    pub(super) path: PathBuf,
    /// LLVM's program that drops sections from an object.
    pub(super) strip: PathBuf,
}

/// The cached linker; builds it, with the LLVM that it needs, where there is none that runs.
pub(super) fn find_or_install(toolchain: &Toolchain) -> Result<Linker> {
    let llvm = install_llvm(toolchain)?;
    let config = format!("llvm-config-{llvm}");
    let strip = PathBuf::from(output(command(&config).arg("--bindir"))?).join("llvm-strip");
    // The folder's name says all that the program depends on, so what is in it is never stale.
    let folder = paths::at(format!("target/tools/bpf-linker-{VERSION}-llvm-{llvm}"));
    let path = folder.join("bin/bpf-linker");
    let said = output(command(&path).arg("--version"));
    if said.is_ok_and(|said| said.ends_with(VERSION)) {
        return Ok(Linker { path, strip });
    }
    eprintln!("installing bpf-linker {VERSION} for LLVM {llvm}: about two minutes, once");
    let prefix = output(command(&config).arg("--prefix"))?;
    let mut install = toolchain.cargo();
    install
        .args(["install", "bpf-linker", "--version", VERSION, "--locked", "--force"])
        .args(["--no-default-features", "--features", &format!("llvm-{llvm}")])
        .arg("--root")
        .arg(&folder)
        .env("LLVM_PREFIX", prefix);
    run(&mut install).context("cannot install bpf-linker")?;
    Ok(Linker { path, strip })
}

/// The LLVM to link with: the compiler's own release, or a later one, which reads what earlier ones wrote.
fn install_llvm(toolchain: &Toolchain) -> Result<u32> {
    let candidates = || SUPPORTED.filter(|release| *release >= toolchain.llvm);
    let is_complete = |release: &u32| packages_of(*release).iter().all(|name| packages::is_available(name));
    let Some(release) = candidates().find(is_complete) else {
        let releases = candidates().map(|release| release.to_string()).collect::<Vec<_>>().join(" or ");
        let cure = format!(
            "{} brings LLVM {}; this system's package sources have no development packages of LLVM {releases}: \
             add LLVM's own package source, or build on Debian",
            toolchain.version, toolchain.llvm
        );
        return Err(Missing::new("LLVM's libraries", cure).into());
    };
    packages::ensure("LLVM's libraries", &packages_of(release))?;
    Ok(release)
}

/// Debian's packages for linking against a release of LLVM.
fn packages_of(release: u32) -> Vec<String> {
    let versioned = [format!("llvm-{release}-dev"), format!("libpolly-{release}-dev")];
    versioned.into_iter().chain(["zlib1g-dev", "libzstd-dev"].map(String::from)).collect()
}
