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
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nesting {
    /// Items still to come, outermost first.
    missing: [u64; DEEPEST],
    depth: usize,
    /// Items of the outermost level.
    items: u64,
    push: bool,
}

impl Nesting {
    /// Where the next token stands.
    pub(super) fn place(&self) -> Place {
        match self.depth {
            0 => Place::First,
            _ => Place::Item(self.items.saturating_sub(self.missing[0])),
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
            *self.missing.get_mut(self.depth)? = items;
            if self.depth == 0 {
                self.items = items;
            }
            self.depth += 1;
            return Some(false);
        }
        while let Some(level) = self.depth.checked_sub(1) {
            self.missing[level] -= 1;
            if self.missing[level] > 0 {
                return Some(false);
            }
            self.depth = level;
        }
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
