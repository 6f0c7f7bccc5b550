//! `vm-test`: real programs traced on other kernels than this machine's, each booted in a virtual machine.
//!
//! The guest's files are this machine's, which it mounts read-only, with what it writes on top in its memory:
//! the test program and what the end-to-end tests were set up with run there as they do here. Without
//! hardware support it is emulated, some ten times slower.
//!
//! ```text
//!  kernels: Debian's packages -> target/vm/SUITE/root    guest: the tests, by name
//!                       initramfs: drivers, init.sh ----> boot: QEMU <-- files: virtiofsd
//! ```

mod boot;
mod files;
mod initramfs;
mod kernels;

use crate::missing::Missing;
use crate::privilege::Privilege;
use crate::{packages, paths, test};
use anyhow::{Result, bail};
use kernels::{Fetched, KERNELS, Kernel};
use std::fs;
use std::path::Path;

/// Debian's packages that this takes: the emulator, and what makes the first file system.
const PACKAGES: [&str; 5] = ["qemu-system-x86", "kmod", "busybox-static", "cpio", "xz-utils"];

/// What runs in the guest: of each way to read the kernel what it depends on, and the founding case. What
/// takes long in an emulator is left out.
const TESTS: [&str; 9] = [
    "commands::ebpf::the_demo",
    "cases_grpc::ebpf::founding_case",
    "cases_db::ebpf::psycopg2_closed_by_the_child",
    "displaced::",
    "kernel_access::",
    "kernel_news::",
    "plaintext::psycopg2_closed_by_the_child",
    "shared_wakeup::ebpf::an_eventfd",
    "stacks::ebpf::none_without_the_option",
];

/// Options of `vm-test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The Debian release whose kernel to boot; all that there are where none is given
    #[arg(value_name = "SUITE", value_parser = KERNELS.map(|kernel| kernel.suite))]
    suites: Vec<String>,
    /// Run these end-to-end tests instead, by parts of their names; may be given more than once
    #[arg(long = "test", value_name = "NAME")]
    tests: Vec<String>,
}

/// `cargo xtask vm-test`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wanted =
        |kernel: &&Kernel| options.suites.is_empty() || options.suites.iter().any(|s| s == kernel.suite);
    let tests: Vec<&str> = match &options.tests[..] {
        [] => TESTS.to_vec(),
        tests => tests.iter().map(String::as_str).collect(),
    };
    check(KERNELS.iter().filter(wanted), &tests)
}

/// The same as a step of the tests: all kernels, and what depends on them.
pub(crate) fn step() -> Result<()> {
    check(KERNELS.iter(), &TESTS)
}

fn check<'a>(kernels: impl Iterator<Item = &'a Kernel>, tests: &[&str]) -> Result<()> {
    if Privilege::find() != Some(Privilege::Root) {
        let cure = "virtiofsd, which gives the guest this machine's files, is started as root";
        return Err(Missing::new("root's rights", cure).into());
    }
    packages::ensure("a virtual machine", &PACKAGES.map(str::to_owned))?;
    files::find()?;
    let program = test::ensure_e2e()?;
    let mut booted = 0;
    for kernel in kernels {
        match kernel.fetch()? {
            Fetched::Here(image) => {
                tested(kernel, &image, &program, tests)?;
                booted += 1;
            }
            Fetched::Gone(why) => eprintln!("    {}: SKIPPED: {why}", kernel.suite),
        }
    }
    if booted == 0 {
        bail!("no kernel could be had: Debian's mirror has none of these releases");
    }
    Ok(())
}

/// Boots a kernel, and has the tests run.
fn tested(kernel: &Kernel, image: &kernels::Image, program: &Path, tests: &[&str]) -> Result<()> {
    eprintln!("    Linux {} ({})", image.release, kernel.suite);
    let folder = kernel.folder();
    let initramfs = initramfs::make(&folder, image, &boot::script(program, tests))?;
    let console = folder.join("console");
    let boot = || boot::boot(&folder, &image.file, &initramfs, &console);
    let mut said = boot()?;
    if !has_begun(&said) {
        // Seen once: an int3 that the guest's kernel met in its own code, while it patched that.
        eprintln!("    it ended before a test began: booted once more");
        said = boot()?;
    }
    let results = said.lines().filter(|line| line.starts_with("test ") || line.starts_with("SKIPPED"));
    results.for_each(|line| eprintln!("    {line}"));
    let Some(status) = boot::status(&said) else {
        bail!("Linux {} did not come to the end of the tests: see {}", image.release, shown(&console));
    };
    if status != 0 || !ran_any(&said) {
        bail!("tests failed on Linux {}: see {}", image.release, shown(&console));
    }
    Ok(())
}

/// Whether the tests were started: a kernel that ended before that says nothing of them.
fn has_begun(said: &str) -> bool {
    said.lines().any(|line| line.starts_with("running ") || line.starts_with("SKIPPED"))
}

/// Whether any test ran: names may fit none.
fn ran_any(said: &str) -> bool {
    said.lines().any(|line| line.starts_with("test ") && line.ends_with("... ok"))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(fs::canonicalize(paths::root()).unwrap_or_default())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::{has_begun, ran_any};

    #[test]
    fn a_kernel_that_panics_has_begun_no_test() {
        assert!(has_begun("[ 2.1] Run /init\nrunning 1 test\ntest a::b ... FAILED\n"));
        assert!(!has_begun("[    3.051327] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI\n"));
    }

    #[test]
    fn names_that_fit_no_test_ran_none() {
        assert!(ran_any("running 1 test\ntest a::b ... ok\ntest result: ok. 1 passed\n"));
        assert!(!ran_any("running 0 tests\n\ntest result: ok. 0 passed; 0 failed\n"));
    }
}
