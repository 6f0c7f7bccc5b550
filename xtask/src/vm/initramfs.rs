//! The first file system of a guest: the drivers for its real one, and what mounts that.

use super::kernels::Image;
use crate::command::{command, output, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules that the guest takes, with all that they depend on: its files, what it writes,
/// and what sock_diag(7) asks.
const MODULES: [&str; 6] = ["virtio_pci", "virtiofs", "overlay", "tcp_diag", "udp_diag", "unix_diag"];
/// What runs first. It reads `/modules`, and ends as `/script`.
const INIT: &str = include_str!("init.sh");

/// Makes it; `script` is what the guest does.
pub(super) fn make(folder: &Path, image: &Image, script: &str) -> Result<PathBuf> {
    let root = folder.join("initramfs");
    // What is left of the run before.
    let _nothing = fs::remove_dir_all(&root);
    for part in ["bin", "dev", "proc", "sys", "lower", "upper", "whole", "drivers"] {
        fs::create_dir_all(root.join(part)).with_context(|| format!("cannot make {}", root.display()))?;
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).context("cannot copy busybox")?;
    fs::write(root.join("modules"), modules(image, &root.join("drivers"))?.join("\n") + "\n")?;
    fs::write(root.join("script"), script)?;
    let init = root.join("init");
    fs::write(&init, INIT)?;
    run(command("chmod").arg("0755").arg(&init))?;
    let archive = folder.join("initramfs.cpio");
    let pack = format!("find . | cpio --quiet --create --format=newc > {}", quoted(&archive));
    run(command("sh").args(["-c", &pack]).current_dir(&root))?;
    Ok(archive)
}

/// Copies the modules; their names in the order in which they are to be inserted.
fn modules(image: &Image, to: &Path) -> Result<Vec<String>> {
    run(command("depmod").arg("-b").arg(&image.modules).arg(&image.release))?;
    let mut names = Vec::new();
    for module in MODULES {
        let listed = output(command("modprobe").arg("--dirname").arg(&image.modules).args([
            "--set-version",
            &image.release,
            "--show-depends",
            module,
        ]))?;
        // "insmod PATH", or "builtin NAME".
        for path in listed.lines().filter_map(|line| line.strip_prefix("insmod ")).map(str::trim) {
            let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
            let name = name.trim_end_matches(".xz").to_owned();
            if !names.contains(&name) {
                let how = if path.ends_with(".xz") { "xz --decompress --stdout" } else { "cat" };
                let copy = format!("{how} {} > {}", quoted(Path::new(path)), quoted(&to.join(&name)));
                run(command("sh").args(["-c", &copy]))?;
                names.push(name);
            }
        }
    }
    Ok(names)
}

/// A path as one word of a shell.
pub(super) fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
