//! What is typed, read on a thread of its own: half a key, or a terminal that was closed, must
//! not hold up the tracing.
//!
//! crossterm waits for the rest of a sequence that has begun (Alt-`[` begins as each arrow key does), and
//! looks for ever at a terminal that is gone.

use crossterm::event::{Event, poll, read};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll as wait};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

/// How often the thread looks whether it is still wanted, in milliseconds.
const OFTEN: u16 = 50;
/// How long crossterm looks: with none at all it reads nothing.
const MOMENT: Duration = Duration::from_millis(1);
/// What is typed ahead at most.
const MOST: usize = 4096;

/// What was typed and not yet taken.
pub struct Keys {
    typed: Receiver<io::Result<Event>>,
    over: Arc<AtomicBool>,
}

impl Keys {
    /// Begins to listen.
    ///
    /// # Errors
    /// Where there is no terminal, or no thread to be had.
    pub fn listen() -> io::Result<Self> {
        let terminal = terminal()?;
        let (sender, typed) = sync_channel(MOST);
        let over = Arc::new(AtomicBool::new(false));
        let keys = Self { typed, over: Arc::clone(&over) };
        thread::Builder::new().name("keys".to_owned()).spawn(move || {
            // Who listened is gone: then so is the thread.
            let _ = hand_on(&terminal, &sender, &over);
        })?;
        Ok(keys)
    }

    /// The next thing that was typed; `None`: nothing. Never waits.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn next(&self) -> io::Result<Option<Event>> {
        match self.typed.try_recv() {
            Ok(typed) => typed.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(gone()),
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// The terminal that crossterm reads: standard input, or the process' own.
fn terminal() -> io::Result<OwnedFd> {
    let input = io::stdin();
    if input.is_terminal() {
        input.as_fd().try_clone_to_owned()
    } else {
        File::open("/dev/tty").map(Into::into)
    }
}

fn hand_on(
    terminal: &OwnedFd,
    to: &SyncSender<io::Result<Event>>,
    over: &AtomicBool,
) -> Result<(), std::sync::mpsc::SendError<io::Result<Event>>> {
    while !over.load(Ordering::Relaxed) {
        let mut ready = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
        match wait(&mut ready, PollTimeout::from(OFTEN)) {
            Ok(0) | Err(Errno::EINTR) => continue,
            Ok(_) => {}
            Err(errno) => return to.send(Err(errno.into())),
        }
        let found = ready[0].revents().unwrap_or(PollFlags::POLLERR);
        if found.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL) {
            return to.send(Err(gone()));
        }
        loop {
            match poll(MOMENT).and_then(|is_there| is_there.then(read).transpose()) {
                Ok(Some(event)) => to.send(Ok(event))?,
                Ok(None) => break,
                Err(error) => return to.send(Err(error)),
            }
        }
    }
    Ok(())
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it was closed")
}
