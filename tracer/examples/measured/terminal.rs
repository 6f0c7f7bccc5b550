//! A terminal of 200x60 that controls a command.

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};
use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

/// Its columns and rows.
pub(super) const SIZE: (u16, u16) = (200, 60);

/// Starts a command on a new terminal, which controls it: it reads keys from there. The other end of the
/// terminal comes with it; the command has its own end for as long as it is there.
pub(super) fn start(words: &[String]) -> io::Result<(Child, OwnedFd)> {
    let size = Winsize { ws_row: SIZE.1, ws_col: SIZE.0, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(&size, None)?;
    // Else the command would hold it too, and never notice that it is gone.
    fcntl(&terminal.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    let side = || terminal.slave.try_clone().map(Stdio::from);
    let mut command = Command::new("setsid");
    command.arg("--ctty").args(words).env("TERM", "xterm-256color");
    let child = command.stdin(side()?).stdout(side()?).stderr(side()?).spawn()?;
    Ok((child, terminal.master))
}
