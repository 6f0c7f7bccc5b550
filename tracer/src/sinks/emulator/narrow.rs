//! No character becomes wide after it was shown.
//!
//! Emoji have a narrow and a wide form, and a selector after them chooses (U+FE0E, U+FE0F; Unicode Technical
//! Standard 51, section 2). At the end of a row, vt100 0.18 panics where one becomes wide (`text_cleanup` in
//! its `screen.rs`): a program could end forkscope. So the selector of the narrow form is made of the other.

/// The bytes of U+FE0F but the last.
const BEFORE: [u8; 2] = [0xef, 0xb8];
const WIDE: u8 = 0x8f;
const NARROW: u8 = 0x8e;

/// Makes it so in a stream of bytes.
#[derive(Debug, Default)]
pub(super) struct Narrow {
    /// The last two bytes.
    last: [u8; 2],
}

impl Narrow {
    /// The next byte.
    pub(super) fn pass(&mut self, byte: u8) -> u8 {
        let passed = if self.last == BEFORE && byte == WIDE { NARROW } else { byte };
        self.last = [self.last[1], passed];
        passed
    }
}
