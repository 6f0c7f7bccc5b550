//! This machine's files for the guest, through QEMU's virtiofsd.

use crate::command::command;
use crate::missing::Missing;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Where QEMU's own is, up to 7.2 (Debian 12). The one that came after it takes other options.
const DAEMON: &str = "/usr/lib/qemu/virtiofsd";
/// How long it may take to begin.
const BEGINS: Duration = Duration::from_secs(30);

/// Whether it is here.
pub(super) fn find() -> Result<()> {
    if !Path::new(DAEMON).exists() {
        return Err(Missing::new("QEMU's virtiofsd", "it came with QEMU up to 7.2, as in Debian 12").into());
    }
    Ok(())
}

/// One that gives a guest its files, until it is dropped.
pub(super) struct Files {
    daemon: Child,
    /// Where QEMU finds it.
    pub(super) socket: PathBuf,
}

impl Files {
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let socket = folder.join("files.sock");
        // Of the run before.
        let _nothing = std::fs::remove_file(&socket);
        let log = File::create(folder.join("files.log")).context("cannot write the log of virtiofsd")?;
        let mut start = command(DAEMON);
        start.arg(format!("--socket-path={}", socket.display()));
        start.args(["-o", "source=/", "-o", "sandbox=chroot", "-o", "cache=always"]);
        start.stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        let mut files = Self { daemon: start.spawn().context("cannot start virtiofsd")?, socket };
        let until = Instant::now() + BEGINS;
        while !files.socket.exists() {
            if files.daemon.try_wait()?.is_some() || Instant::now() > until {
                bail!("virtiofsd did not begin: see {}", folder.join("files.log").display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(files)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ended = self.daemon.kill();
        let _status = self.daemon.wait();
    }
}
