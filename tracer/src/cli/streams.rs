//! Where the streams of a program go that forkscope starts: where its own go, or to another terminal.

use super::console::system;
use anyhow::{Result, anyhow};
use forkscope::sinks::emulator::TERM;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, isatty, setsid};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// Where they go.
pub(super) enum Streams {
    /// Where forkscope's go.
    Inherited,
    /// The same, but standard output is for the report: the program's goes to standard error.
    WithoutStdout,
    /// To a terminal, in a session of the program's own (credentials(7)) that the terminal controls, if it
    /// can be had. With the environment that tells what terminal it is, where it is not forkscope's.
    Terminal(OwnedFd, Option<Vec<CString>>),
}

impl Streams {
    /// The terminal that the live screen draws in its pane.
    pub(super) fn pane(terminal: OwnedFd) -> Self {
        let others = std::env::vars_os().filter(|(name, _)| name != "TERM");
        let words = others.map(|(name, value)| [name.into_vec(), value.into_vec()].join(&b'='));
        let words = words.chain([format!("TERM={TERM}").into_bytes()]);
        // What came through exec has no NUL byte in it.
        Self::Terminal(terminal, Some(words.filter_map(|word| CString::new(word).ok()).collect()))
    }

    /// The terminal that the user named. `screen`: the live screen has the one on standard output.
    ///
    /// # Errors
    /// Where it is none, cannot be opened, or is the screen's.
    pub(super) fn named(path: &Path, screen: bool) -> Result<Self> {
        let refused = |why: String| {
            anyhow!(
                "cannot give the program the terminal `{}`: {why}; `tty`, typed in a terminal, prints its path",
                path.display()
            )
        };
        let failed = |error: nix::Error| refused(system(&error.into()));
        // What is no terminal may be a pipe that nobody writes to: opening it would wait.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let terminal = open(path, flags, Mode::empty()).map_err(failed)?;
        if !isatty(&terminal).unwrap_or(false) {
            return Err(refused("it is no terminal".to_owned()));
        }
        fcntl(&terminal, FcntlArg::F_SETFL(OFlag::empty())).map_err(failed)?;
        let device = fstat(&terminal).map_err(failed)?.st_rdev;
        let own = fstat(io::stdout()).is_ok_and(|own| own.st_rdev == device);
        if screen && (own || device == libc::makedev(5, 0)) {
            return Err(refused("the live screen has it".to_owned()));
        }
        Ok(Self::Terminal(terminal, None))
    }

    /// Whether the program is in a session of its own: no terminal sends it what it sends forkscope.
    pub(super) fn has_session(&self) -> bool {
        matches!(self, Self::Terminal(..))
    }

    /// The environment for the program, where it is not forkscope's.
    pub(super) fn environment(&self) -> Option<&[CString]> {
        match self {
            Self::Terminal(_, environment) => environment.as_deref(),
            Self::Inherited | Self::WithoutStdout => None,
        }
    }

    /// In the child: takes them. False: the terminal controls another session already, and stays with it.
    pub(super) fn take(&self) -> bool {
        match self {
            Self::Inherited => true,
            Self::WithoutStdout => {
                let _ = dup2_stdout(io::stderr());
                true
            }
            Self::Terminal(terminal, _) => {
                let _ = setsid();
                // SAFETY: the call takes a number, and no memory.
                let controls = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) } == 0;
                let _ = (dup2_stdin(terminal), dup2_stdout(terminal), dup2_stderr(terminal));
                controls
            }
        }
    }
}
