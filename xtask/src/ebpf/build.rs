//! Compiling the kernel side.

use super::linker::Linker;
use super::toolchain::Toolchain;
use crate::command::{command, run};
use crate::paths;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::{env, fs};

const TARGET: &str = "bpfel-unknown-none";
const TARGET_FOLDER: &str = "target/ebpf/build";

/// An object to build: the program that cargo knows it by, and where it is put.
pub(super) struct Object {
    pub(super) binary: &'static str,
    pub(super) path: &'static str,
}

/// Compiles, links, strips, and puts the object where it belongs.
pub(super) fn build(toolchain: &Toolchain, linker: &Linker, object: &Object) -> Result<()> {
    let mut cargo = toolchain.cargo();
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "-Z",
            "build-std=core",
            "--target",
            TARGET,
            "--bin",
            object.binary,
        ])
        .arg("--target-dir")
        .arg(paths::at(TARGET_FOLDER))
        .current_dir(paths::at("tracer-ebpf"))
        .env("CARGO_ENCODED_RUSTFLAGS", flags(toolchain, linker).join("\x1f"));
    run(&mut cargo)?;

    let linked = paths::at(TARGET_FOLDER).join(TARGET).join("release").join(object.binary);
    let stripped = paths::at("target/ebpf/stripped.o");
    // DWARF is for the linker, which made BTF of it: the kernel and aya read BTF only.
    run(command(&linker.strip).args(["--strip-debug", "-o"]).args([&stripped, &linked]))?;
    replace(&stripped, &paths::at(object.path))
}

/// Moves the file, unless what is there has the same bytes: then its time stays, and cargo has nothing to do.
fn replace(new: &Path, old: &Path) -> Result<()> {
    let bytes = fs::read(new).with_context(|| format!("cannot read {}", new.display()))?;
    if fs::read(old).is_ok_and(|kept| kept == bytes) {
        return Ok(());
    }
    fs::rename(new, old).with_context(|| format!("cannot write {}", old.display()))
}

fn flags(toolchain: &Toolchain, linker: &Linker) -> Vec<String> {
    let mut flags = vec![
        "--cfg=bpf_target_arch=\"x86_64\"".to_owned(),
        // The linker makes BTF of the debug information.
        "-Cdebuginfo=2".to_owned(),
        "-Clink-arg=--btf".to_owned(),
        format!("-Clinker={}", linker.path.display()),
    ];
    // BTF names source files. The object is kept in the tree, so they must not depend on who built it.
    let remapped = [(paths::root(), "."), (cargo_home().join("registry/src"), "registry")];
    let core = Path::new(&toolchain.sysroot).join("lib/rustlib/src/rust");
    for (from, to) in remapped.into_iter().chain([(core, "rust")]) {
        flags.push(format!("--remap-path-prefix={}={to}", from.display()));
    }
    flags
}

fn cargo_home() -> PathBuf {
    let default = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo");
    env::var_os("CARGO_HOME").map_or_else(default, PathBuf::from)
}
