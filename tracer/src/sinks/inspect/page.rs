//! Lines as they come to be: heads, and what belongs to them, indented.

use crate::sinks::escape::escape_at_most;
use crate::sinks::log::Look;
use crate::sinks::log::paint::STRONG;
use crate::sinks::log::wrap::wrap;

/// The most characters of one line before it is broken.
const MOST_TEXT: usize = 600;
/// Columns before what belongs to a head, and before its second line.
const INDENT: usize = 2;

/// A page.
pub(super) struct Page {
    look: Look,
    out: String,
}

impl Page {
    pub(super) fn new(look: Look) -> Self {
        Self { look, out: String::new() }
    }

    /// What a new paragraph is about: `label: text`.
    pub(super) fn head(&mut self, label: &str, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let text = format!("{label}: {}", escape_at_most(text, MOST_TEXT));
        for (at, line) in wrap(&text, self.look.columns() - 2 * INDENT).iter().enumerate() {
            // A label has no more words than fit into the first line.
            let line = match (at, line.strip_prefix(label)) {
                (0, Some(rest)) => self.look.paint(STRONG, label) + rest,
                (0, None) => line.clone(),
                _ => " ".repeat(2 * INDENT) + line,
            };
            self.out += &(line + "\n");
        }
    }

    /// Something that belongs to it.
    pub(super) fn item(&mut self, text: &str) {
        let text = escape_at_most(text, MOST_TEXT);
        for (at, line) in wrap(&text, self.look.columns() - 2 * INDENT).iter().enumerate() {
            self.out += &format!("{}{line}\n", " ".repeat(if at == 0 { INDENT } else { 2 * INDENT }));
        }
    }

    /// A paragraph of its own.
    pub(super) fn line(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        for line in wrap(&escape_at_most(text, MOST_TEXT), self.look.columns()) {
            self.out += &(line + "\n");
        }
    }

    pub(super) fn text(self) -> String {
        self.out
    }
}
