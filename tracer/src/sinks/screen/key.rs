//! Keys and the mouse, whatever the terminal calls them.

/// A key, as users name it. Shift is in the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A letter, digit or sign.
    Char(char),
    /// The same with Ctrl.
    Ctrl(char),
    /// A function key, from 1.
    F(u8),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator.
    Tab,
    /// Tabulator with Shift.
    BackTab,
    /// Erases before the cursor.
    Backspace,
    /// Erases under the cursor.
    Delete,
    /// Insert.
    Insert,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
}

/// What the mouse did, at a column and row of the terminal from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button was pressed.
    Press(u16, u16),
    /// The wheel was turned up.
    WheelUp,
    /// The wheel was turned down.
    WheelDown,
}

/// What the user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed.
    Key(Key),
    /// A key with Shift (1), Alt (2), Ctrl (4) or their sum, where the key alone does not say so. Here it
    /// means what the key alone does; programs may tell them apart.
    Chord(Key, u8),
    /// The mouse.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Size(u16, u16),
}
