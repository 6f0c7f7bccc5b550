//! What the terminal tells, as what the user did.

use crate::sinks::screen::{Input, Key, Mouse};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

/// What the user did; none: nothing that means something here.
#[must_use]
pub fn input(event: Event) -> Option<Input> {
    match event {
        Event::Key(event) => {
            let key = key(event)?;
            let modifiers = modifiers(event, key);
            Some(if modifiers == 0 { Input::Key(key) } else { Input::Chord(key, modifiers) })
        }
        Event::Mouse(mouse) => Some(Input::Mouse(match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Mouse::Press(mouse.column, mouse.row),
            MouseEventKind::ScrollUp => Mouse::WheelUp,
            MouseEventKind::ScrollDown => Mouse::WheelDown,
            _ => return None,
        })),
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Resize(columns, rows) => Some(Input::Size(columns, rows)),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => Key::Ctrl(control(c)),
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::F(n) => Key::F(n),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert => Key::Insert,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

/// Shift (1), Alt (2) and Ctrl (4), as far as the key does not have them in it.
fn modifiers(event: KeyEvent, key: Key) -> u8 {
    let has = |one| event.modifiers.contains(one);
    let is_letter = matches!(key, Key::Char(_) | Key::Ctrl(_) | Key::BackTab);
    let shift = u8::from(has(KeyModifiers::SHIFT) && !is_letter);
    let control = 4 * u8::from(has(KeyModifiers::CONTROL) && !is_letter);
    shift + 2 * u8::from(has(KeyModifiers::ALT)) + control
}

/// The sign that makes a control character. Of the bytes 0x1c to 0x1f crossterm makes digits.
fn control(c: char) -> char {
    match c {
        '4' => '\\',
        '5' => ']',
        '6' => '^',
        '7' => '_',
        c => c.to_ascii_lowercase(),
    }
}
