//! The keys: what the bottom line and the help show, from one table.

use super::list::{List, Step};
use super::page::{Line, Overlay, Role, span};
use super::program::RELEASE;
use super::{Opened, Pane, Screen};
use crate::sinks::log::wrap::wrap;

/// A key, what it does in a word, and in a sentence.
pub(super) type Entry = (&'static str, &'static str, &'static str);

const PANES: &[Entry] = &[("1-4 Tab", "pane", "go to a pane: processes, connections, findings, events")];
/// Where a program has one.
const FIVE_PANES: &[Entry] =
    &[("1-5 Tab", "pane", "go to a pane: processes, connections, findings, events, program")];
const EVERYWHERE: &[Entry] = &[
    ("j k Up Down", "move", "move; Ctrl-D Ctrl-U half a page, PgDn PgUp a page, g G Home End to an end"),
    ("Enter", "open", "open what is selected, or go where it leads"),
    ("Esc q", "back", "go back; q at the outermost place leaves, Ctrl-C leaves from everywhere"),
    ("/ n N", "search", "search for a text; the next, the one before"),
    ("\\ F4", "filter", "show only what passes a filter, for example: pid:4242 errno:any (see below)"),
    ("s F6", "sort", "sort by the next column"),
    ("space", "pause", "hold the screen still, or go on; events are noted all the same"),
    ("e", "export", "write the report, as JSON, to a new file"),
    ("r", "record", "start a recording, or stop it"),
    ("T A", "theme", "change the colours; draw with ASCII only"),
    ("c", "go on", "let processes go on that --on-finding stop has stopped"),
    ("? F1", "help", "this page; keys that move scroll it, any other leaves it"),
];

const PROCESSES: &[Entry] = &[
    ("h l Left Right", "fold", "fold a process' descendants, or go to its parent; unfold them"),
    ("a", "all", "show also processes that ended long ago"),
];
const CONNECTIONS: &[Entry] = &[("a", "only shared", "show only connections that crossed a fork")];
const FINDINGS: &[Entry] = &[
    ("a", "all", "show also findings that only inform"),
    ("y", "copy", "copy the finding as JSON to the terminal's clipboard (OSC 52)"),
];
const EVENTS: &[Entry] = &[
    ("a", "telling", "show only what makes, ends or hands on something, or fails"),
    ("p", "process", "go to the process of the event"),
    ("o", "connection", "open the connection of the event"),
];
const PROGRAM: &[Entry] = &[
    (
        "Enter",
        "type",
        "give keys to the program, all but Ctrl-], which gives them back; a click does it, too",
    ),
    (
        "PgUp PgDn j k",
        "scroll",
        "scroll back and forth, also with the wheel; g G to the first, the last line",
    ),
];
const FOCUSED: &str = "keys go to the program; this one gives them back";
const ENDED: &str = "the program has ended; this key gives the keys back";
/// Keys that mean nothing there.
const NOT_FOR_PROGRAMS: [&str; 4] = ["/", "\\", "s", "space"];
const FINDING: &[Entry] = &[
    ("Enter", "follow", "go to the process, to the connection at that moment"),
    ("p", "process", "go to the process of the step"),
    ("v", "event", "go to the event of the step"),
    ("y", "copy", "copy the finding as JSON to the terminal's clipboard (OSC 52)"),
];
const CONNECTION: &[Entry] = &[
    ("h l Left Right", "mark", "go to the mark before, or after"),
    ("p Enter", "process", "go to the process of the mark"),
    ("v", "event", "go to the event of the mark"),
];
const REPLAY: &[Entry] = &[
    ("space", "play", "play, or pause"),
    (".", "step", "take one event"),
    ("f", "next finding", "play until something is found"),
    ("+ -", "speed", "twice, or half as fast"),
    ("< >", "seek", "ten seconds back, or on; 0 to the beginning, $ to the end"),
];

impl Screen {
    /// The keys of where the user is, the most special first.
    fn keys(&self) -> Vec<&'static [Entry]> {
        let here = match (self.opened.last(), self.pane) {
            (Some(Opened::Connection(_)), _) => CONNECTION,
            (Some(Opened::Finding(_)), _) => FINDING,
            (Some(Opened::Process(_)), _) => &[],
            (None, Pane::Processes) => PROCESSES,
            (None, Pane::Connections) => CONNECTIONS,
            (None, Pane::Findings) => FINDINGS,
            (None, Pane::Events) => EVENTS,
            (None, Pane::Program) => PROGRAM,
        };
        let replay = if self.status.replay.is_some() { REPLAY } else { &[] };
        let panes = if self.program.is_some() { FIVE_PANES } else { PANES };
        vec![here, replay, panes, EVERYWHERE]
    }

    /// The keys for the bottom line: the first of each, and what it does.
    pub(super) fn hints(&self) -> Vec<(&'static str, &'static str)> {
        if self.has_focus() {
            return vec![(RELEASE, if self.status.ended.is_some() { ENDED } else { FOCUSED })];
        }
        let enter = if self.pane == Pane::Program { "type" } else { "open" };
        let mut hints = vec![("?", "help"), ("q", "back"), ("Enter", enter)];
        for (keys, word, _) in self.keys().into_iter().flatten() {
            let key = keys.split(' ').next().unwrap_or(keys);
            if self.pane == Pane::Program && NOT_FOR_PROGRAMS.contains(&key) {
                continue;
            }
            if !hints.iter().any(|(known, _)| *known == key) && !["Esc", "j", "c"].contains(&key) {
                hints.push((key, word));
            }
        }
        hints
    }

    /// The page of help, where it is wanted, in so many columns and lines.
    pub(super) fn help_page(&self, columns: usize, height: usize) -> Option<Overlay> {
        let lines = self.help_lines(columns);
        let room = height.saturating_sub(1);
        let top = self.help?.min(lines.len().saturating_sub(room));
        let place = match self.opened.last() {
            Some(Opened::Connection(_)) => "a connection",
            Some(Opened::Finding(_)) => "a finding",
            Some(Opened::Process(_)) => "a process",
            None => self.pane.name(),
        };
        let more = if lines.len() > room { "  (j k: more; any other key: back)" } else { "" };
        let lines = lines.into_iter().skip(top).take(room).collect();
        Some(Overlay { title: format!("Help: {place}{more}"), lines })
    }

    fn help_lines(&self, columns: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut told = Vec::new();
        for (keys, _, text) in self.keys().into_iter().flatten() {
            // What a key does here replaces what it does elsewhere.
            if told.contains(keys) {
                continue;
            }
            told.push(keys);
            for (at, text) in wrap(text, columns.saturating_sub(KEYS + 2)).into_iter().enumerate() {
                let keys = if at == 0 { keys } else { "" };
                lines.push(vec![span(format!("{keys:>KEYS$}  "), Role::Strong), span(text, Role::Plain)]);
            }
        }
        lines.push(Line::new());
        for text in FILTERS.iter().flat_map(|text| wrap(text, columns)) {
            lines.push(vec![span(text, Role::Dim)]);
        }
        lines
    }

    /// The first line of the help after a step.
    pub(super) fn scrolled(&self, top: usize, step: Step) -> usize {
        let (columns, rows) = (usize::from(self.size.0), usize::from(self.size.1));
        // Beside the panes' names, the title, the status and the keys.
        let room = rows.saturating_sub(4).max(1);
        let last = self.help_lines(columns).len().saturating_sub(room);
        let mut list = List::default();
        list.fill((0..=last).collect());
        list.select(top.min(last));
        list.step(step, room);
        list.cursor()
    }
}

/// Columns for the names of keys.
const KEYS: usize = 15;

/// The filter language in few lines.
const FILTERS: &[&str] = &[
    "A filter is terms with spaces between them; all must hold. -term holds where the term does not.",
    "pid:42 comm:python call:sendmsg,recvmsg errno:any fd:3..9 conn:3 proto:http2 rule:enotsock severity:warning word \"some words\"",
];
