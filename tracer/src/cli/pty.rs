//! The terminal that a program has on the live screen: a pseudoterminal (pty(7)), what it
//! shows, and what was typed.

use super::console::system;
use super::holder;
use anyhow::{Result, anyhow};
use forkscope::sinks::emulator::Emulator;
use forkscope::sinks::screen::Input;
use forkscope::sinks::screen::grid::Grid;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{InputFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::{read, write};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

/// How long the program's output is taken in one turn: the screen and the trace have theirs.
const BUDGET: Duration = Duration::from_millis(4);
/// Bytes after which the clock is looked at: what they can ask for takes less than [`BUDGET`] again.
const PIECE: usize = 16;
/// Bytes that are read at once: the kernel gives no more (`N_TTY_BUF_SIZE`, drivers/tty/n_tty.c).
const READ: usize = 4096;
/// Bytes that wait for a program which does not read them, at most.
const MOST_TYPED: usize = 1 << 20;

/// The terminal.
pub(super) struct Pty {
    master: OwnedFd,
    /// Kept open, so that a program that closes its terminal for a while finds it again.
    slave: OwnedFd,
    emulator: Emulator,
    size: (u16, u16),
    /// What was read, and how much of it is shown.
    output: Vec<u8>,
    shown: usize,
    /// What the program is still to read.
    typed: Vec<u8>,
    /// There is something new to see.
    fresh: bool,
    holder: Child,
}

/// How much was taken of what the program printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All.
    All,
    /// There is more.
    Part,
    /// The terminal was hung up: nothing comes any more.
    End,
}

impl Pty {
    /// A terminal of so many columns and rows.
    pub(super) fn open(columns: u16, rows: u16) -> Result<Self> {
        let opened = Self::try_open(columns, rows);
        opened.map_err(|error| {
            anyhow!("cannot make a terminal for the program: {}; --tty gives it another", system(&error))
        })
    }

    fn try_open(columns: u16, rows: u16) -> io::Result<Self> {
        let pair = openpty(Some(&size_of(columns, rows)), None)?;
        for end in [&pair.master, &pair.slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        fcntl(&pair.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let mut settings = tcgetattr(&pair.slave)?;
        // Erasing takes a whole character.
        settings.input_flags |= InputFlags::IUTF8;
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings)?;
        let holder = holder::start(&pair.master)?;
        Ok(Self {
            master: pair.master,
            slave: pair.slave,
            emulator: Emulator::new(columns, rows),
            size: (columns, rows),
            output: Vec::new(),
            shown: 0,
            typed: Vec::new(),
            fresh: true,
            holder,
        })
    }

    /// The end that the program gets.
    pub(super) fn program_end(&self) -> io::Result<OwnedFd> {
        self.slave.try_clone()
    }

    /// Becomes readable when the program prints something.
    pub(super) fn own_end(&self) -> io::Result<OwnedFd> {
        self.master.try_clone()
    }

    /// Takes what the program printed, as much as there is time for.
    pub(super) fn take_output(&mut self) -> Taken {
        let began = Instant::now();
        loop {
            if self.shown == self.output.len() {
                self.output.resize(READ, 0);
                let length = match read(&self.master, &mut self.output) {
                    Ok(length) if length > 0 => Ok(length),
                    Err(Errno::EAGAIN) => Err(Taken::All),
                    Err(Errno::EINTR) => Err(Taken::Part),
                    Ok(_) | Err(_) => Err(Taken::End),
                };
                self.shown = 0;
                self.output.truncate(length.unwrap_or(0));
                if let Err(taken) = length {
                    return taken;
                }
                self.fresh = true;
            }
            for piece in self.output[self.shown..].chunks(PIECE) {
                if began.elapsed() >= BUDGET {
                    return Taken::Part;
                }
                self.emulator.feed(piece);
                self.shown += piece.len();
            }
            let answers = self.emulator.answers();
            if self.typed.len() < MOST_TYPED {
                self.typed.extend(answers);
            }
        }
    }

    /// Gives the program what was typed. False: it reads nothing, and there is no room for more.
    pub(super) fn type_in(&mut self, input: &Input) -> bool {
        let bytes = self.emulator.typed(input);
        self.fresh = true;
        let has_room = self.typed.len() + bytes.len() <= MOST_TYPED;
        if has_room {
            self.typed.extend(bytes);
        }
        self.tend(self.size);
        has_room
    }

    /// Scrolls back by so many lines, or forth where that is negative.
    pub(super) fn scroll(&mut self, by: isize) {
        self.emulator.scroll(by);
        self.fresh = true;
    }

    /// Gives it its size, and the program what waits for it. Never waits.
    pub(super) fn tend(&mut self, size: (u16, u16)) {
        if size != self.size {
            self.size = size;
            self.emulator.resize(size.0, size.1);
            self.fresh = true;
            let size = size_of(size.0, size.1);
            // The kernel tells the program (SIGWINCH).
            // SAFETY: the call reads the structure, which lives through it.
            unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        }
        while !self.typed.is_empty() {
            match write(&self.master, &self.typed) {
                Ok(written) if written > 0 => drop(self.typed.drain(..written)),
                _ => break,
            }
        }
    }

    /// Whether there is something new to see.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// What is seen.
    pub(super) fn take_grid(&mut self) -> Grid {
        self.fresh = false;
        self.emulator.grid()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // The holder's turn. It ends by itself, and is init's if it does so later.
        drop(self.holder.stdin.take());
        let _ = self.holder.try_wait();
    }
}

fn size_of(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
