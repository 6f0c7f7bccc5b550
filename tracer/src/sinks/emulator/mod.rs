//! A terminal as a program finds it, without a terminal: the bytes that it prints become cells, and what is
//! typed becomes the bytes that it reads.
//!
//! The program may be hostile. Of its bytes nothing reaches the user's terminal but the text of cells and how
//! it looks; titles, clipboards, bells and requests for another size come to nothing. Memory is bounded by
//! the size and by [`SCROLLBACK`]. Time is not bounded by the bytes alone: a few may ask for 65,535
//! repetitions (REP, ECMA-48 section 8.3.103). Who feeds it gives it little at once and looks at a clock.

mod answers;
mod cells;
mod keys;
mod narrow;
#[cfg(test)]
mod tests;

use crate::sinks::screen::Input;
use crate::sinks::screen::grid::Grid;
use answers::Answers;
use narrow::Narrow;
use std::num::NonZeroU16;
use vt100::Parser;

/// Lines that have left the screen and can be scrolled back to: at 200 full columns 32 MB.
pub const SCROLLBACK: usize = 5000;

/// The fewest columns and rows: room for a wide character, and to scroll.
pub const LEAST: (u16, u16) = (4, 2);

/// What programs find in `TERM`: their sequences are understood.
pub const TERM: &str = "xterm-256color";

/// A terminal.
pub struct Emulator {
    parser: Parser<Answers>,
    narrow: Narrow,
}

impl Emulator {
    /// An empty one with so many columns and rows, at least [`LEAST`].
    #[must_use]
    pub fn new(columns: u16, rows: u16) -> Self {
        Self {
            parser: Parser::new_with_callbacks(
                at_least(LEAST.1, rows),
                at_least(LEAST.0, columns),
                SCROLLBACK,
                Answers::default(),
            ),
            narrow: Narrow::default(),
        }
    }

    /// Takes what the program printed.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut piece = [0; 64];
        for bytes in bytes.chunks(piece.len()) {
            let piece = &mut piece[..bytes.len()];
            piece.iter_mut().zip(bytes).for_each(|(to, byte)| *to = self.narrow.pass(*byte));
            self.parser.process(piece);
        }
    }

    /// It has another size from now on, at least [`LEAST`].
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.set_size(at_least(LEAST.1, rows), at_least(LEAST.0, columns));
    }

    /// Scrolls back by so many lines, or forth where that is negative.
    pub fn scroll(&mut self, by: isize) {
        let screen = self.parser.screen_mut();
        screen.set_scrollback(screen.scrollback().saturating_add_signed(by));
    }

    /// What is seen.
    #[must_use]
    pub fn grid(&self) -> Grid {
        cells::grid(self.parser.screen())
    }

    /// What the program reads when the user does this. Typing shows where the cursor is.
    pub fn typed(&mut self, input: &Input) -> Vec<u8> {
        let screen = self.parser.screen_mut();
        screen.set_scrollback(0);
        keys::bytes(input, screen.application_cursor(), screen.bracketed_paste())
    }

    /// What the terminal answers to the program's questions: for it to read.
    pub fn answers(&mut self) -> Vec<u8> {
        self.parser.callbacks_mut().take()
    }
}

fn at_least(least: u16, count: u16) -> NonZeroU16 {
    NonZeroU16::new(count.max(least)).unwrap_or(NonZeroU16::MIN)
}
