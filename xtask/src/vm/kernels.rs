//! Debian's kernels, fetched without touching what this machine has installed or where it installs from.

use crate::command::{command, output, run};
use crate::missing::Missing;
use crate::paths;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A kernel of a Debian release.
pub(super) struct Kernel {
    /// The release.
    pub(super) suite: &'static str,
}

/// Debian's oldest that has ring buffers, and those after it: each has other helpers, and a verifier
/// that knows other things.
pub(super) const KERNELS: [Kernel; 3] =
    [Kernel { suite: "bullseye" }, Kernel { suite: "bookworm" }, Kernel { suite: "trixie" }];

/// The package that depends on a release's newest kernel for virtual machines.
const NEWEST: &str = "linux-image-cloud-amd64";

/// What there is of a kernel.
pub(super) struct Image {
    /// As `uname -r` says it.
    pub(super) release: String,
    /// The image that is booted.
    pub(super) file: PathBuf,
    /// The folder that has `lib/modules`.
    pub(super) modules: PathBuf,
}

/// Whether a kernel could be had.
pub(super) enum Fetched {
    Here(Image),
    /// The mirror has the release no more, or has not yet.
    Gone(String),
}

impl Kernel {
    /// Where all that belongs to it is kept.
    pub(super) fn folder(&self) -> PathBuf {
        paths::at("target/vm").join(self.suite)
    }

    /// Fetches it, where it was not before.
    pub(super) fn fetch(&self) -> Result<Fetched> {
        let root = self.folder().join("root");
        if let Some(image) = image(&root) {
            return Ok(Fetched::Here(image));
        }
        let mirror = mirror()?;
        let apt = Apt::new(&self.folder().join("apt"), &mirror, self.suite)?;
        if let Err(error) = output(apt.command("apt-get").args(["-q", "update"])) {
            return Ok(Fetched::Gone(format!("Debian's mirror does not have it: {error:#}")));
        }
        let package = output(apt.command("apt-cache").args(["show", "--no-all-versions", NEWEST]))?;
        let package = newest(&package).context("Debian's kernel package depends on no kernel")?;
        eprintln!("fetching {package}");
        output(apt.command("apt-get").args(["-q", "download", package]).current_dir(apt.folder()))?;
        let archive = fs::read_dir(apt.folder())?.flatten().map(|entry| entry.path());
        let archive = archive.filter(|path| path.extension().is_some_and(|it| it == "deb")).max();
        let archive = archive.with_context(|| format!("apt-get downloaded no {package}"))?;
        // Whole, or not at all.
        let partial = self.folder().join("root.new");
        let _nothing = fs::remove_dir_all(&partial);
        run(command("dpkg-deb").arg("--extract").arg(archive).arg(&partial))?;
        fs::rename(&partial, &root).with_context(|| format!("cannot make {}", root.display()))?;
        image(&root).map(Fetched::Here).with_context(|| format!("{package} has no kernel"))
    }
}

/// The package in the description of [`NEWEST`] that has the kernel.
fn newest(described: &str) -> Option<&str> {
    let depends = described.lines().find_map(|line| line.strip_prefix("Depends: "))?;
    depends.split([',', ' ']).find(|word| word.starts_with("linux-image-"))
}

/// What an extracted package has. Since Debian 13 modules lie under `usr`.
fn image(root: &Path) -> Option<Image> {
    let files = fs::read_dir(root.join("boot")).ok()?.flatten().map(|entry| entry.path());
    let (file, release) = files.into_iter().find_map(|path| {
        let release = path.file_name()?.to_str()?.strip_prefix("vmlinuz-")?.to_owned();
        Some((path, release))
    })?;
    let modules = [root.join("usr"), root.to_path_buf()].into_iter();
    let modules = modules.into_iter().find(|base| base.join("lib/modules").join(&release).is_dir())?;
    Some(Image { release, file, modules })
}

/// Where this machine gets Debian's packages from.
fn mirror() -> Result<String> {
    let format = ["indextargets", "--format", "$(REPO_URI)"];
    let wanted = ["Created-By: Packages", "Origin: Debian", "Label: Debian"];
    let targets = output(command("apt-get").args(format).args(wanted)).unwrap_or_default();
    let missing = || Missing::new("a mirror of Debian's packages", "run it on Debian");
    Ok(targets.lines().next().ok_or_else(missing)?.to_owned())
}

/// apt with lists of its own.
struct Apt(PathBuf);

impl Apt {
    fn new(folder: &Path, mirror: &str, suite: &str) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("cannot make {}", part.display()))?;
        }
        const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
        fs::write(folder.join("sources.list"), format!("deb [signed-by={KEYS}] {mirror} {suite} main\n"))?;
        Ok(Self(folder.to_path_buf()))
    }

    fn folder(&self) -> &Path {
        &self.0
    }

    fn command(&self, program: &str) -> Command {
        let mut apt = command(program);
        let at = |name: &str, part: &str| format!("{name}={}", self.0.join(part).display());
        apt.args(["-o", &at("Dir::Etc::SourceList", "sources.list"), "-o", "Dir::Etc::SourceParts=-"]);
        apt.args(["-o", &at("Dir::State::Lists", "lists"), "-o", &at("Dir::Cache", "cache")]);
        // Else apt warns that its own user cannot write there.
        apt.args(["-o", "APT::Sandbox::User=root"]);
        apt
    }
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_kernel_that_the_newest_is() {
        let described =
            "Package: linux-image-cloud-amd64\nDepends: linux-image-6.1.0-50-cloud-amd64 (= 6.1.176-1)\n";
        assert_eq!(newest(described), Some("linux-image-6.1.0-50-cloud-amd64"));
        assert_eq!(newest("Package: other\n"), None);
    }
}
