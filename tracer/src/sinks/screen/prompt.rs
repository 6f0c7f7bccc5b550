//! A line that the user types: a filter, or a text to search for.

use super::key::Key;

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// Shows only what passes.
    Filter,
    /// Goes to the next row with this text.
    Search,
}

/// The line.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) what: For,
    text: String,
    /// Characters before the cursor.
    cursor: usize,
}

/// What a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// It goes on.
    On,
    /// The line is done.
    Done,
    /// Never mind.
    Cancelled,
}

/// The longest line.
const MOST: usize = 500;

impl Prompt {
    pub(super) fn new(what: For, text: &str) -> Self {
        Self { what, text: text.to_owned(), cursor: text.chars().count() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The line as it is typed: what is before the cursor, and what follows.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.text.split_at(self.at())
    }

    fn at(&self) -> usize {
        self.text.char_indices().nth(self.cursor).map_or(self.text.len(), |(at, _)| at)
    }

    /// Takes a key as readline(3) would.
    pub(super) fn press(&mut self, key: Key) -> Typed {
        let count = self.text.chars().count();
        match key {
            Key::Enter => return Typed::Done,
            Key::Esc | Key::Ctrl('c' | 'g') => return Typed::Cancelled,
            Key::Backspace if self.text.is_empty() => return Typed::Cancelled,
            Key::Char(c) => self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Backspace | Key::Ctrl('h') if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.at());
            }
            Key::Delete | Key::Ctrl('d') if self.cursor < count => {
                self.text.remove(self.at());
            }
            Key::Ctrl('u') => {
                self.text.drain(..self.at());
                self.cursor = 0;
            }
            Key::Ctrl('k') => self.text.truncate(self.at()),
            Key::Ctrl('w') => {
                let before = &self.text[..self.at()];
                let word = before.trim_end().rfind(' ').map_or(0, |space| space + 1);
                let cut = before[word..].chars().count();
                self.text.drain(word..self.at());
                self.cursor -= cut;
            }
            Key::Left | Key::Ctrl('b') => self.cursor = self.cursor.saturating_sub(1),
            Key::Right | Key::Ctrl('f') => self.cursor = (self.cursor + 1).min(count),
            Key::Home | Key::Ctrl('a') => self.cursor = 0,
            Key::End | Key::Ctrl('e') => self.cursor = count,
            _ => {}
        }
        Typed::On
    }

    /// Inserts text at the cursor: what has no place in a line becomes a space.
    pub(super) fn insert(&mut self, text: &str) {
        for c in text.chars() {
            if self.text.len() + c.len_utf8() > MOST {
                return;
            }
            let c = if c.is_control() { ' ' } else { c };
            self.text.insert(self.at(), c);
            self.cursor += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_edited_as_in_a_shell() {
        let mut prompt = Prompt::new(For::Filter, "pid:4");
        let keys = |prompt: &mut Prompt, keys: &[Key]| {
            keys.iter().for_each(|key| assert_eq!(prompt.press(*key), Typed::On));
        };
        keys(&mut prompt, &[Key::Char('2'), Key::Char(' '), Key::Char('é'), Key::Left, Key::Char('x')]);
        assert_eq!(prompt.parts(), ("pid:42 x", "é"));
        keys(&mut prompt, &[Key::Ctrl('w'), Key::Delete, Key::Home, Key::Right]);
        assert_eq!(prompt.parts(), ("p", "id:42 "));
        keys(&mut prompt, &[Key::Backspace, Key::End, Key::Ctrl('u')]);
        assert_eq!(prompt.text(), "");
        assert_eq!(prompt.press(Key::Backspace), Typed::Cancelled);
    }

    #[test]
    fn what_is_pasted_stays_one_line_and_has_a_limit() {
        let mut prompt = Prompt::new(For::Search, "");
        prompt.insert("a\nb\x1b[31m");
        assert_eq!(prompt.text(), "a b [31m");
        prompt.insert(&"é".repeat(MOST));
        assert!(prompt.text().len() <= MOST);
    }
}
