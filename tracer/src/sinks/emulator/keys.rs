//! The bytes that a terminal sends for keys: those of xterm (its control sequences, "PC-Style Function
//! Keys"), as terminfo's `xterm-256color` has them.

use crate::sinks::screen::{Input, Key};

/// The bytes for what was typed or pasted; none for what is no typing. `application`: arrows are to be told
/// from those that move by themselves (DECCKM); `bracketed`: what is pasted is to be told from what is typed.
pub(super) fn bytes(input: &Input, application: bool, bracketed: bool) -> Vec<u8> {
    match input {
        Input::Key(key) => self::key(*key, application),
        Input::Chord(key, modifiers) => chord(*key, *modifiers, application),
        Input::Paste(text) => paste(text, bracketed),
        Input::Mouse(_) | Input::Size(..) => Vec::new(),
    }
}

fn key(key: Key, application: bool) -> Vec<u8> {
    let text = match key {
        Key::Char(c) => return c.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
        Key::Ctrl(c) => return control(c),
        Key::Enter => "\r",
        Key::Esc => "\x1b",
        Key::Tab => "\t",
        Key::BackTab => "\x1b[Z",
        Key::Backspace => "\x7f",
        _ => match form(key) {
            Some(Form::Letter(letter)) if application => return format!("\x1bO{letter}").into_bytes(),
            Some(Form::Letter(letter)) => return format!("\x1b[{letter}").into_bytes(),
            Some(Form::Function(letter)) => return format!("\x1bO{letter}").into_bytes(),
            Some(Form::Number(number)) => return format!("\x1b[{number}~").into_bytes(),
            None => "",
        },
    };
    text.as_bytes().to_vec()
}

/// A key with Shift (1), Alt (2) or Ctrl (4).
fn chord(key: Key, modifiers: u8, application: bool) -> Vec<u8> {
    let parameter = modifiers + 1;
    match form(key) {
        Some(Form::Letter(letter) | Form::Function(letter)) => {
            format!("\x1b[1;{parameter}{letter}").into_bytes()
        }
        Some(Form::Number(number)) => format!("\x1b[{number};{parameter}~").into_bytes(),
        None => {
            let alt: &[u8] = if modifiers & 2 != 0 { b"\x1b" } else { b"" };
            [alt, &self::key(key, application)].concat()
        }
    }
}

/// How a key's sequence is made.
enum Form {
    /// `ESC [ LETTER`, or `ESC O LETTER` where the program wants applications' arrows.
    Letter(char),
    /// `ESC O LETTER`.
    Function(char),
    /// `ESC [ NUMBER ~`.
    Number(u8),
}

fn form(key: Key) -> Option<Form> {
    Some(match key {
        Key::Up => Form::Letter('A'),
        Key::Down => Form::Letter('B'),
        Key::Right => Form::Letter('C'),
        Key::Left => Form::Letter('D'),
        Key::End => Form::Letter('F'),
        Key::Home => Form::Letter('H'),
        Key::Insert => Form::Number(2),
        Key::Delete => Form::Number(3),
        Key::PageUp => Form::Number(5),
        Key::PageDown => Form::Number(6),
        Key::F(n @ 1..=4) => Form::Function(char::from(b'P' + n - 1)),
        Key::F(5) => Form::Number(15),
        Key::F(n @ 6..=10) => Form::Number(n + 11),
        Key::F(n @ 11..=14) => Form::Number(n + 12),
        Key::F(n @ 15..=16) => Form::Number(n + 13),
        Key::F(n @ 17..=20) => Form::Number(n + 14),
        _ => return None,
    })
}

/// The control character of a key (ECMA-48 section 5.2): the letter's lowest five bits.
fn control(c: char) -> Vec<u8> {
    match c.to_ascii_lowercase() {
        c @ ('@'..='_' | 'a'..='z') => vec![c as u8 & 0x1f],
        ' ' => vec![0],
        '?' => vec![0x7f],
        c => c.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
    }
}

/// Text as if it were typed: Enter between lines. Nothing in it acts as a key: what would is left out.
fn paste(text: &str, bracketed: bool) -> Vec<u8> {
    let text = text.replace("\r\n", "\r").replace('\n', "\r");
    let text: String = text.chars().filter(|c| matches!(c, '\t' | '\r') || !c.is_control()).collect();
    let (before, after) = if bracketed { ("\x1b[200~", "\x1b[201~") } else { ("", "") };
    format!("{before}{text}{after}").into_bytes()
}
