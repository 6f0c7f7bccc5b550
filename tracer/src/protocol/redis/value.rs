//! Where one value ends and the next begins: RESP values hold others.

use super::token;

/// Levels that are followed; Redis' own replies have fewer.
const DEEPEST: usize = 16;

/// Where the next token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It begins a value of its own.
    First,
    /// It is inside one; in a flat array, its place there from 0.
    Item(u64),
}

/// The open levels of the current value.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    /// Items of the outermost level, and how many are still to come.
    items: u64,
    missing: u64,
    /// Items still to come in the levels below, outermost first: few values have some.
    below: Option<Box<[u64; DEEPEST - 1]>>,
    depth: u8,
    push: bool,
}

impl Nesting {
    /// Items still to come in a level; `None` for one that is too deep.
    fn missing(&mut self, level: u8) -> Option<&mut u64> {
        match usize::from(level).checked_sub(1) {
            None => Some(&mut self.missing),
            Some(below) => self.below.get_or_insert_default().get_mut(below),
        }
    }

    /// Where the next token stands.
    pub(super) fn place(&self) -> Place {
        match self.depth {
            0 => Place::First,
            _ => Place::Item(self.items.saturating_sub(self.missing)),
        }
    }

    /// Is the current value, or the one just ended, one that nobody asked for (RESP3 push)?
    pub(super) fn is_push(&self) -> bool {
        self.push
    }

    /// Takes the token with this header. True when it ends the value; `None` when values are too deep.
    pub(super) fn read(&mut self, head: &[u8]) -> Option<bool> {
        if self.depth == 0 {
            self.push = head.first() == Some(&b'>');
        }
        let items = token::items(head);
        if items > 0 {
            *self.missing(self.depth)? = items;
            if self.depth == 0 {
                self.items = items;
            }
            self.depth += 1;
            return Some(false);
        }
        while let Some(level) = self.depth.checked_sub(1) {
            let missing = self.missing(level)?;
            *missing -= 1;
            if *missing > 0 {
                return Some(false);
            }
            self.depth = level;
        }
        self.below = None;
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_their_last_item_ends() {
        for (tokens, ends) in [
            (&["+"][..], &[true][..]),
            (&["*2\r\n", "$3\r\n", "$1\r\n", ":"], &[false, false, true, true]),
            (&["*2\r\n", "*1\r\n", ":", ":"], &[false, false, false, true]),
            (&["%1\r\n", "$1\r\n", "*0\r\n"], &[false, false, true]),
            (&["|1\r\n", "+", ":", "$2\r\n"], &[false, false, false, true]),
            (&["*-1\r\n", "*1\r\n", "_"], &[true, false, true]),
        ] {
            let mut nesting = Nesting::default();
            let seen: Vec<_> = tokens.iter().filter_map(|token| nesting.read(token.as_bytes())).collect();
            assert_eq!(seen, ends, "{tokens:?}");
        }
        let mut nesting = Nesting::default();
        assert_eq!((0..40).filter_map(|_| nesting.read(b"*1\r\n")).count(), DEEPEST);
    }
}
