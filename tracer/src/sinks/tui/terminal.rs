//! The terminal itself: taken over, drawn on, and given back as it was, also when forkscope panics.

use super::draw;
use crate::panics;
use crate::sinks::screen::Style;
use crate::sinks::screen::page::Page;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::backend::CrosstermBackend;
use std::io::{self, IsTerminal, Stdout};
use std::mem::ManuallyDrop;
use std::os::fd::AsFd;
use std::sync::Once;

/// A terminal that shows pages, until it is dropped.
pub struct Terminal {
    /// Never dropped: ratatui would show the cursor again, which is done here, and panic where standard error
    /// is gone with the terminal.
    inner: ManuallyDrop<ratatui::Terminal<CrosstermBackend<Stdout>>>,
}

impl Terminal {
    /// Takes the terminal on standard output over.
    ///
    /// # Errors
    /// Where it is none, or refuses.
    pub fn take() -> io::Result<Self> {
        if !io::stdout().is_terminal() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "standard output is no terminal"));
        }
        restore_on_panic();
        begin()?;
        let taken = ratatui::Terminal::new(CrosstermBackend::new(io::stdout()));
        // Half taken is given back.
        taken.map(|inner| Self { inner: ManuallyDrop::new(inner) }).inspect_err(|_| give_back())
    }

    /// Gives the terminal back for a while.
    pub fn give_back(&mut self) {
        give_back();
    }

    /// Takes it over again.
    ///
    /// # Errors
    /// Where it refuses.
    pub fn take_again(&mut self) -> io::Result<()> {
        begin()?;
        self.inner.clear()
    }

    /// Its columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        // A serial line may not know, and one that is gone knows nothing.
        let size = terminal_size::terminal_size_of(io::stdout());
        size.map(|(columns, rows)| (columns.0, rows.0)).filter(|&(x, y)| x > 0 && y > 0).unwrap_or((80, 24))
    }

    /// Whether it was closed: nobody sees it any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let output = io::stdout();
        let mut ready = [PollFd::new(output.as_fd(), PollFlags::empty())];
        let looked = poll(&mut ready, PollTimeout::ZERO).is_ok();
        looked && ready[0].revents().is_some_and(|found| found.contains(PollFlags::POLLHUP))
    }

    /// Draws a page.
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn show(&mut self, page: &Page, style: Style) -> io::Result<()> {
        self.inner.draw(|frame| draw(page, style, frame.buffer_mut())).map(drop)
    }

    /// Puts text where other programs can paste it, as far as the terminal lets it be (OSC 52,
    /// xterm's control sequences).
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn begin() -> io::Result<()> {
    enable_raw_mode()?;
    let begun =
        execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, cursor::Hide);
    begun.inspect_err(|_| give_back())
}

/// Gives the terminal back. It may be gone: then there is nothing to give.
fn give_back() {
    let _ = execute!(
        io::stdout(),
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

/// A panic's message is to be read, on a terminal that works. One that is awaited has
/// none, and the screen goes on.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panics::before(give_back));
}
