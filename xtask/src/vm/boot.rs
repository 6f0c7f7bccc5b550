//! A kernel is booted, and does what its script says.

use super::files::Files;
use super::initramfs::quoted;
use crate::command::command;
use crate::paths;
use anyhow::{Context, Result, bail};
use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How long a guest may take. Emulated on a busy machine with two processors it takes three to six minutes.
const MOST: Duration = Duration::from_secs(1500);
/// What a guest says at its end, before the tests' exit status.
const STATUS: &str = "vm: tests ended with ";

/// What a guest does: runs the tests with these names as they run here, and says how they ended.
pub(super) fn script(program: &Path, tests: &[&str]) -> String {
    let package = quoted(&paths::at("tracer"));
    let variable =
        |name| env::var_os(name).map(|value| format!("export {name}={}\n", quoted(Path::new(&value))));
    let variables: String = ["HOME", "PATH"].into_iter().filter_map(variable).collect();
    format!(
        "{variables}export CI=true CARGO_NET_OFFLINE=true CARGO_MANIFEST_DIR={package}\n\
         ip link set lo up\n\
         cd {package}\n\
         {} --test-threads 1 --color never {} 2>&1\n\
         echo \"{STATUS}$?\"\n\
         sleep 60 &\n\
         echo o > /proc/sysrq-trigger\n\
         wait\n",
        quoted(program),
        tests.join(" ")
    )
}

/// Boots, and waits until the guest has powered itself off: what it said.
pub(super) fn boot(folder: &Path, kernel: &Path, initramfs: &Path, console: &Path) -> Result<String> {
    let files = Files::start(folder)?;
    // What a guest said before must not be taken for this one's.
    let _nothing = fs::remove_file(console);
    let log = folder.join("qemu.log");
    let mut qemu = command("qemu-system-x86_64");
    qemu.args(["-accel", "kvm", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "4G"]);
    // The daemon reads and writes the guest's memory.
    qemu.args(["-object", "memory-backend-memfd,id=memory,size=4G,share=on", "-numa", "node,memdev=memory"]);
    qemu.arg("-chardev").arg(format!("socket,id=files,path={}", files.socket.display()));
    qemu.args(["-device", "vhost-user-fs-pci,chardev=files,tag=host"]);
    qemu.args(["-display", "none", "-no-reboot", "-nic", "none", "-serial"]);
    qemu.arg(format!("file:{}", console.display()));
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
    qemu.args(["-append", "console=ttyS0 quiet loglevel=4 panic=-1"]);
    qemu.stdout(Stdio::null()).stderr(Stdio::from(File::create(&log).context("cannot write QEMU's log")?));
    let mut guest = qemu.spawn().context("cannot start qemu-system-x86_64")?;
    let until = Instant::now() + MOST;
    let ended = loop {
        if let Some(status) = guest.try_wait()? {
            if !status.success() {
                bail!("QEMU failed, {status}: see {}", log.display());
            }
            break true;
        }
        if Instant::now() > until {
            guest.kill()?;
            guest.wait()?;
            break false;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let said = fs::read(console).with_context(|| format!("cannot read {}", console.display()))?;
    if !ended {
        bail!("the guest was not done after {} minutes: see {}", MOST.as_secs() / 60, console.display());
    }
    Ok(String::from_utf8_lossy(&said).replace('\r', ""))
}

/// The exit status of the tests, where the guest came that far.
pub(super) fn status(said: &str) -> Option<i32> {
    said.lines().find_map(|line| line.strip_prefix(STATUS)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn how_the_tests_ended_is_what_the_guest_says() {
        assert_eq!(status("test a ... ok\nvm: tests ended with 101\n"), Some(101));
        assert_eq!(status("test a ... ok\nkernel panic"), None);
    }
}
