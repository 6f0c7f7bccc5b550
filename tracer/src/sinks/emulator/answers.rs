//! What a terminal answers when a program asks it something. Programs wait for that, some of them for ever.

use vt100::{Callbacks, Screen};

/// Bytes that wait for the program at most: who asks and does not read gets no more.
const MOST: usize = 4096;

/// Answers that wait.
#[derive(Debug, Default)]
pub(super) struct Answers {
    waiting: Vec<u8>,
}

impl Answers {
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.waiting)
    }

    fn answer(&mut self, bytes: &[u8]) {
        if self.waiting.len() + bytes.len() <= MOST {
            self.waiting.extend_from_slice(bytes);
        }
    }
}

impl Callbacks for Answers {
    /// Device status (DSR, ECMA-48 section 8.3.35): it is well; where its cursor is. Device attributes (DA,
    /// 8.3.24): a VT100 with advanced video (DEC VT100 user guide, chapter 3).
    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        let parameter = parameters.first().and_then(|values| values.first()).copied().unwrap_or(0);
        match (first, last, parameter) {
            (None, 'n', 5) => self.answer(b"\x1b[0n"),
            (None, 'n', 6) => {
                let (row, column) = screen.cursor_position();
                // At the end of a row the cursor stands behind its last column.
                let column = column.min(screen.size().1.get() - 1);
                self.answer(format!("\x1b[{};{}R", row + 1, column + 1).as_bytes());
            }
            (None, 'c', 0) => self.answer(b"\x1b[?1;2c"),
            _ => {}
        }
    }
}
