//! The live screen's state: plain data, and what keys do to it. No terminal, no clock, no colours.
//!
//! ```text
//!   event, changes -> note ---> tail, journal, rates          (each event; bounded)
//!   key, mouse -----> press --> panes, opened, prompt -----> Command   (what others must do)
//!   analysis -------> page ---> Page: what is seen, as text and roles -> tui::draw
//! ```

mod command;
mod connections;
mod events;
mod findings;
mod go;
pub mod grid;
mod help;
mod holders;
mod journal;
mod key;
mod list;
mod look;
mod names;
mod note;
mod opened;
pub mod page;
mod press;
mod processes;
mod program;
mod prompt;
mod rates;
mod search;
mod show;
mod sight;
mod status;
mod tail;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;

pub use command::{Command, Playing};
pub use key::{Input, Key, Mouse};
pub use look::{Style, Theme, short};
pub use status::{Replayed, Status};

use crate::filter::Filter;
use holders::Holders;
use journal::Journal;
use opened::{OpenedFinding, OpenedProcess};
use prompt::Prompt;
use rates::Rates;
use sight::Sight;
use std::time::Duration;
use tail::Tail;
use timeline::Timeline;

/// The fewest columns and rows of a terminal on which there is room.
pub const LEAST: (u16, u16) = (60, 15);

/// The panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The process tree.
    #[default]
    Processes,
    /// The connections.
    Connections,
    /// The findings.
    Findings,
    /// The newest events.
    Events,
    /// The terminal of the program that was started, where it has one of its own.
    Program,
}

impl Pane {
    /// Every pane, in the order of their keys.
    pub const ALL: [Self; 5] =
        [Self::Processes, Self::Connections, Self::Findings, Self::Events, Self::Program];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processes => "Processes",
            Self::Connections => "Connections",
            Self::Findings => "Findings",
            Self::Events => "Events",
            Self::Program => "Program",
        }
    }
}

/// Ways to sort a pane.
trait Sorted: Copy + PartialEq + 'static {
    /// All of them, in the order in which a key goes through them: each with its name and the title of
    /// the column that it goes by.
    const ALL: &'static [(Self, &'static str, &'static str)];

    /// Its place among them.
    fn place(self) -> usize {
        Self::ALL.iter().position(|(by, ..)| *by == self).unwrap_or(0)
    }

    /// The title of its column.
    fn column(self) -> &'static str {
        Self::ALL[self.place()].2
    }

    /// Its name.
    fn name(self) -> &'static str {
        Self::ALL[self.place()].1
    }

    /// The one after it.
    fn next(self) -> Self {
        Self::ALL[(self.place() + 1) % Self::ALL.len()].0
    }
}

/// What is opened over a pane.
#[derive(Clone, Debug)]
enum Opened {
    Connection(Timeline),
    Finding(OpenedFinding),
    Process(OpenedProcess),
}

/// What was said last.
#[derive(Clone, Debug)]
struct Message {
    text: String,
    role: page::Role,
    /// When it was shown first, by the caller's clock.
    since: Option<Duration>,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct Screen {
    /// What the status line says: the caller's to set.
    pub status: Status,
    style: Style,
    size: (u16, u16),
    pane: Pane,
    processes: processes::Processes,
    connections: connections::Connections,
    findings: findings::Findings,
    events: events::Events,
    /// The program that was started, where it has a terminal of its own.
    program: Option<program::Program>,
    filters: [Filter; Pane::ALL.len()],
    /// The innermost is last.
    opened: Vec<Opened>,
    prompt: Option<Prompt>,
    /// The last text that was searched for.
    sought: String,
    /// The help is shown, from this line on.
    help: Option<usize>,
    /// The user wanted to leave, and was asked whether that is so.
    asked: bool,
    /// What happens is noted, and not shown.
    paused: bool,
    message: Option<Message>,
    tail: Tail,
    journal: Journal,
    rates: Rates,
    holders: Holders,
    /// When the rows were found, by the caller's clock.
    filled: Option<Duration>,
    /// What rows were found of last: the pane, and how much is opened over it.
    found: Option<(Pane, usize)>,
    /// The rows are to be found anew at once.
    stale: bool,
    /// Something happened since they were.
    news: bool,
    /// The newest moment that was shown, in nanoseconds of the events' clock.
    now: u64,
    /// How the page lies on the terminal, for the mouse.
    rows_at: (u16, u16),
    /// Where each pane's name stands in the first line.
    tabs_at: Vec<(u16, u16)>,
}

impl Screen {
    /// An empty screen that draws in this style, and shows only findings and events
    /// that the filter lets pass.
    #[must_use]
    pub fn new(style: Style, filter: &Filter) -> Self {
        let mut screen = Self { style, size: (80, 24), ..Self::default() };
        for pane in [Pane::Findings, Pane::Events] {
            screen.filters[pane as usize] = filter.clone();
        }
        screen
    }

    /// The terminal has so many columns and rows.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.stale |= self.size != (columns, rows);
        self.size = (columns, rows);
    }

    /// How it is drawn.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// Says something in place of the keys, for a while or until the next key.
    pub fn say(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), role: page::Role::Info, since: None });
    }

    /// Says that something failed, until the next key.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.message = Some(Message { text: text.into(), role: page::Role::Error, since: None });
    }

    /// Everything begins anew: a replay goes back. What the user chose stays.
    pub fn rewind(&mut self) {
        self.tail = Tail::default();
        self.journal = Journal::default();
        self.rates = Rates::default();
        self.holders = Holders::default();
        self.events.forget();
        self.stale = true;
    }
}
