//! What a program's terminal shows, as plain data: pieces of text at their columns, and how they look.

/// A colour as a program asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// The terminal's own.
    #[default]
    Default,
    /// One of the 256 of its palette.
    Indexed(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

/// How text looks (SGR, ECMA-48 section 8.3.117).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The colour of the text.
    pub text: Colour,
    /// The colour behind it.
    pub behind: Colour,
    /// Bold.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Both colours change places.
    pub inverse: bool,
}

/// A piece of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    /// Its first column, from 0.
    pub column: u16,
    /// The columns that it takes, whatever its text takes.
    pub columns: u16,
    /// Its text.
    pub text: String,
    /// How it looks.
    pub look: Look,
}

/// A terminal's screen. What no piece covers is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The rows from above.
    pub rows: Vec<Vec<Piece>>,
    /// Row and column of the cursor, where it is seen.
    pub cursor: Option<(u16, u16)>,
    /// Lines that the view is scrolled back by.
    pub back: usize,
    /// The terminal has this focus: the view shows where the cursor is.
    pub focused: bool,
}
