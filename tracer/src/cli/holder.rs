//! The process that keeps a program's terminal when forkscope ends before the program.
//!
//! When the last descriptor for a pseudoterminal's master is closed, the kernel hangs the terminal up, and
//! the program gets SIGHUP (drivers/tty/pty.c, `pty_close`; `tty_vhangup`): it would end with forkscope. So
//! it does not, however forkscope ends: the holder has the master, too, and from then on reads what the
//! program prints, and drops it.

use super::outcome::Outcome;
use anyhow::Context;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::SigSet;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Starts the holder of a terminal. It begins when its standard input ends.
pub(super) fn start(master: &OwnedFd) -> io::Result<Child> {
    let mut holder = Command::new(std::env::current_exe()?);
    // What a terminal sends to the whole job is not for it.
    holder.arg("holder").process_group(0);
    holder.stdin(Stdio::piped()).stdout(master.try_clone()?).stderr(Stdio::null()).spawn()
}

/// Is the holder: standard input ends when forkscope does; standard output is the terminal's master.
pub(super) fn be_holder() -> Outcome {
    let _ = nix::unistd::setsid();
    SigSet::all().thread_set_mask().context("cannot block signals")?;
    // It outlives forkscope, and must keep no folder in use.
    std::env::set_current_dir("/").context("cannot leave the folder")?;
    let _ = io::stdin().read(&mut [0]);
    let stdout = io::stdout();
    let master = stdout.as_fd();
    fcntl(master, FcntlArg::F_SETFL(OFlag::empty())).context("standard output is no terminal")?;
    // Until nobody has the terminal open (EIO).
    while nix::unistd::read(master, &mut [0; 4096]).is_ok_and(|length| length > 0) {}
    Ok(0)
}
