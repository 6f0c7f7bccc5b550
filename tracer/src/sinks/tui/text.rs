//! The one place where text reaches the screen: escaped, cut to its room, in its style.

use super::theme;
use crate::sinks::escape::escape_at_most;
use crate::sinks::screen::Style;
use crate::sinks::screen::grid::Look;
use crate::sinks::screen::page::{Line, Role, Span};
use ratatui::buffer::Buffer;
use ratatui::style::Style as Paint;
use std::borrow::Cow;

/// Writes text in a style.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    style: Style,
    /// Laid over the roles' own: the selected row's, a bar's.
    over: Paint,
}

impl Pen {
    pub(super) fn new(style: Style) -> Self {
        Self { style, over: Paint::new() }
    }

    /// The same with a style over it.
    pub(super) fn over(self, over: Paint) -> Self {
        Self { over: self.over.patch(over), ..self }
    }

    /// How a selected row looks.
    pub(super) fn selected(self) -> Self {
        self.over(theme::selected(self.style.theme))
    }

    /// How a program's text looks.
    pub(super) fn look(self, look: &Look) -> Self {
        self.over(theme::look(self.style.theme, look))
    }

    /// How the bars at the edges look.
    pub(super) fn bar(self) -> Self {
        self.over(theme::bar(self.style.theme))
    }

    /// The style of a role.
    pub(super) fn paint(self, role: Role) -> Paint {
        theme::paint(self.style.theme, role).patch(self.over)
    }

    /// One of two signs.
    pub(super) fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.style.ascii { ascii } else { unicode }
    }

    /// The text as it may be shown in so many columns.
    fn clean<'a>(&self, text: &'a str, width: u16) -> Cow<'a, str> {
        let escaped = escape_at_most(text, usize::from(width).max(1));
        if self.style.ascii && !escaped.is_ascii() {
            return escaped.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect::<String>().into();
        }
        escaped
    }

    /// Writes one piece; says at which column it ends.
    pub(super) fn span(self, span: &Span, x: u16, y: u16, width: u16, buffer: &mut Buffer) -> u16 {
        self.text(&span.text, span.role, x, y, width, buffer)
    }

    /// Writes a text of one role; says at which column it ends.
    pub(super) fn text(self, text: &str, role: Role, x: u16, y: u16, width: u16, buffer: &mut Buffer) -> u16 {
        if width == 0 {
            return x;
        }
        let text = self.clean(text, width);
        buffer.set_stringn(x, y, text, usize::from(width), self.paint(role)).0
    }

    /// Writes what a program's terminal has in some columns: a cell's characters may
    /// be more than its columns.
    pub(super) fn cells(self, text: &str, x: u16, y: u16, width: u16, buffer: &mut Buffer) {
        let text = self.clean(text, u16::MAX);
        buffer.set_stringn(x, y, text, usize::from(width), self.paint(Role::Plain));
    }

    /// Writes a line; says at which column it ends.
    pub(super) fn line(self, line: &Line, x: u16, y: u16, width: u16, buffer: &mut Buffer) -> u16 {
        let end = x.saturating_add(width);
        line.iter().fold(x, |at, span| self.span(span, at, y, end.saturating_sub(at), buffer))
    }

    /// Fills a row with the style.
    pub(super) fn fill(self, x: u16, y: u16, width: u16, buffer: &mut Buffer) {
        for x in x..x.saturating_add(width) {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.set_symbol(" ").set_style(self.paint(Role::Plain));
            }
        }
    }
}

/// The columns that a line takes.
pub(super) fn width(line: &Line) -> u16 {
    let columns: usize = line.iter().map(|span| span.text.chars().count()).sum();
    u16::try_from(columns).unwrap_or(u16::MAX)
}
