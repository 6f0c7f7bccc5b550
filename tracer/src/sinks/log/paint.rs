//! Colours and width. Styles are written into the text only if asked for: the caller knows
//! the terminal and NO_COLOR.

use crate::report::Severity;
use anstyle::{AnsiColor, Style};

/// How a text should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Write colours.
    pub color: bool,
    /// Columns of the terminal. Less than [`Look::LEAST`] is taken as that, more than
    /// [`Look::MOST`] likewise.
    pub width: usize,
}

impl Look {
    /// Below this many columns, evidence has no room beside its columns.
    pub const LEAST: usize = 50;
    /// Longer lines are hard to read.
    pub const MOST: usize = 120;

    /// The columns to fill.
    #[must_use]
    pub fn columns(self) -> usize {
        self.width.clamp(Self::LEAST, Self::MOST)
    }

    /// The text in this style. The text must be escaped already.
    #[must_use]
    pub fn paint(self, style: Style, text: &str) -> String {
        if self.color && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Frame: gutters, arrows, rules.
pub(in crate::sinks) const GUTTER: Style = AnsiColor::Blue.on_default().bold();
/// Titles and labels.
pub(in crate::sinks) const STRONG: Style = Style::new().bold();
/// A call that failed.
pub(super) const FAILED: Style = AnsiColor::Red.on_default();
/// What to do.
pub(super) const HELP: Style = AnsiColor::Green.on_default().bold();

/// The style of a severity's word.
pub(super) const fn severity(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        Severity::Info => AnsiColor::Cyan.on_default().bold(),
    }
}
