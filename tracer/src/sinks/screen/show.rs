//! From the state and what is known to the page that is seen.

use super::page::{Line, Page, Role, Table, span};
use super::program::RELEASE;
use super::prompt::For;
use super::{LEAST, Opened, Pane, Screen, Sight};
use crate::analysis::Analysis;
use crate::report::Severity;
use crate::sinks::log::wrap::wrap;
use std::time::Duration;

/// How often rows are found anew.
const OFTEN: Duration = Duration::from_millis(200);
/// The same where there are so many connections that it takes a while.
const SELDOM: Duration = Duration::from_millis(1000);
const MANY: usize = 10_000;
/// Lines of the screen that are no rows: the panes' names, the status.
pub(super) const CHROME: u16 = 2;
/// How long is said what just happened.
const SAID: Duration = Duration::from_secs(5);
/// The most lines of that.
const MOST_SAID: usize = 3;

impl Screen {
    /// What is seen now. `wall` is the caller's clock.
    pub fn page(&mut self, analysis: &Analysis, wall: Duration) -> Page {
        let (columns, rows) = self.size;
        if columns < LEAST.0 || rows < LEAST.1 {
            let (least_columns, least_rows) = LEAST;
            let text = format!(
                "forkscope needs {least_columns}x{least_rows}; this terminal has {columns}x{rows}. Make it larger, \
                 or use --ui log."
            );
            let table = Table { empty: text, ..Table::default() };
            return Page { table, ..Page::default() };
        }
        if !self.paused {
            self.now = analysis.model.now();
        }
        self.fill(analysis, wall);
        self.forget_message(wall);
        let (columns, rows) = (usize::from(columns), usize::from(rows));
        let message = self.bottom(columns);
        let mut page = Page { tabs: self.tabs(analysis), message, ..Page::default() };
        let height = rows - usize::from(CHROME) - page.message.len().max(1);
        self.body(analysis, columns, height, &mut page);
        page.grid = self.program_grid();
        let rate = self.rates.events.per_second(self.now);
        page.status = self.status.line(analysis.model.living(), rate, self.paused, columns);
        page.place = self.place();
        page.hints = self.hints();
        page.overlay = self.help_page(columns, height);
        self.remember_places(&page);
        page
    }

    /// Finds the rows of what is shown, where that is due.
    pub(super) fn fill(&mut self, analysis: &Analysis, wall: Duration) {
        let often = if analysis.model.socket_count() > MANY { SELDOM } else { OFTEN };
        let due = self.filled.is_none_or(|filled| wall.saturating_sub(filled) >= often);
        // The tail is cheap to go on with, and is to be live.
        let due = due || (self.pane == Pane::Events && self.opened.is_empty());
        // Connections, of which there may be very many, come and go by events alone.
        let due = due && (self.news || !self.lists_connections());
        let begins = self.stale || (due && !self.paused);
        if !begins && !self.is_looking() {
            return;
        }
        let looks = std::mem::take(&mut self.stale) || !self.is_looking();
        if looks {
            self.filled = Some(wall);
            self.news = false;
        }
        self.found = Some((self.pane, self.opened.len()));
        let columns = usize::from(self.size.0);
        self.with_sight(analysis, |panes, sight| match panes.opened {
            Some(Opened::Connection(opened)) => opened.fill(sight),
            Some(Opened::Finding(opened)) => opened.fill(sight, columns),
            Some(Opened::Process(opened)) => {
                if looks {
                    opened.look(sight);
                }
                opened.fill(sight);
            }
            None => match panes.pane {
                Pane::Processes => panes.processes.fill(sight),
                Pane::Connections => {
                    if looks {
                        panes.connections.look(sight);
                    }
                    panes.connections.fill(sight);
                }
                Pane::Findings => panes.findings.fill(sight),
                Pane::Events => panes.events.fill(sight, panes.tail),
                Pane::Program => {}
            },
        });
        let wanted = match self.opened.last() {
            Some(Opened::Connection(opened)) => vec![opened.id],
            Some(Opened::Process(opened)) => opened.list.rows().to_vec(),
            Some(Opened::Finding(_)) => Vec::new(),
            None if self.pane == Pane::Connections => {
                let height = usize::from(self.size.1);
                let window = self.connections.list.window(height);
                // One page more each way: what is scrolled to is known already.
                let from = window.start.saturating_sub(height);
                self.connections.list.rows().iter().skip(from).take(3 * height).copied().collect()
            }
            None => Vec::new(),
        };
        if !wanted.is_empty() {
            self.holders.ask(&analysis.model, &wanted, wall);
        }
    }

    /// Whether the rows are connections.
    fn lists_connections(&self) -> bool {
        match self.opened.last() {
            Some(Opened::Process(_)) => true,
            Some(Opened::Connection(_) | Opened::Finding(_)) => false,
            None => self.pane == Pane::Connections,
        }
    }

    /// Whether the rows are still being found: another frame shows more.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        let is_looking = match self.opened.last() {
            Some(Opened::Process(opened)) => opened.is_looking(),
            _ => self.connections.is_looking(),
        };
        self.lists_connections() && is_looking
    }

    /// The rows, and what stands above them.
    fn body(&mut self, analysis: &Analysis, columns: usize, height: usize, page: &mut Page) {
        self.with_sight(analysis, |panes, sight| match panes.opened {
            Some(Opened::Connection(opened)) => opened.page(sight, columns, height, page),
            Some(Opened::Finding(opened)) => opened.page(sight, columns, height, page),
            Some(Opened::Process(opened)) => opened.page(sight, columns, height, page),
            None => {
                let rows = height - 1;
                page.table = match panes.pane {
                    Pane::Processes => panes.processes.table(sight, rows),
                    Pane::Connections => panes.connections.table(sight, rows),
                    Pane::Findings => panes.findings.table(sight, rows),
                    Pane::Events => panes.events.table(sight, panes.tail, rows),
                    Pane::Program => Table::default(),
                };
            }
        });
    }

    /// The panes' names, with how much is in them.
    fn tabs(&self, analysis: &Analysis) -> Vec<(String, bool)> {
        let count = |severity| {
            let findings = analysis.findings().iter();
            findings.filter(|finding| finding.severity == severity && !finding.known).count()
        };
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let badge = match (errors, warnings) {
            (0, 0) => String::new(),
            (errors, 0) => format!(" {errors}E"),
            (0, warnings) => format!(" {warnings}W"),
            (errors, warnings) => format!(" {errors}E {warnings}W"),
        };
        let tab = |(at, pane): (usize, &Pane)| {
            let badge = if *pane == Pane::Findings { &*badge } else { "" };
            (format!("{} {}{badge}", at + 1, pane.name()), *pane == self.pane)
        };
        self.panes().iter().enumerate().map(tab).collect()
    }

    /// Where the user is beside that: what is opened, which filter holds, how it is sorted.
    fn place(&self) -> Line {
        let mut line = Line::new();
        for opened in &self.opened {
            let text = match opened {
                Opened::Connection(opened) => format!(" > connection {}", opened.id.0),
                Opened::Finding(opened) => format!(" > finding {}", opened.id),
                Opened::Process(_) => " > process".to_owned(),
            };
            line.push(span(text, Role::Info));
        }
        line.extend(self.program_place());
        let filter = &self.filters[self.pane as usize];
        if self.opened.is_empty() && !filter.is_empty() {
            line.push(span(format!("  filter: {filter}"), Role::Warning));
        }
        line
    }

    /// What was said is over after a while; what failed is said until the next key.
    fn forget_message(&mut self, wall: Duration) {
        let Some(message) = &mut self.message else { return };
        let since = *message.since.get_or_insert(wall);
        if message.role != Role::Error && wall.saturating_sub(since) >= SAID {
            self.message = None;
            // Whoever does not see the question any more has not answered it.
            self.asked = false;
        }
    }

    /// What stands in the place of the keys: what just happened, and a line that is typed.
    fn bottom(&self, columns: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        if let Some(message) = &self.message {
            // The way out is always seen.
            let way_out = if self.has_focus() { format!("{RELEASE}  ") } else { String::new() };
            let said = wrap(&message.text, columns - way_out.len()).into_iter().take(MOST_SAID);
            lines.extend(said.map(|text| vec![span(text, message.role)]));
            if let Some(first) = lines.first_mut().filter(|_| !way_out.is_empty()) {
                first.insert(0, span(way_out, Role::Strong));
            }
        }
        if let Some(prompt) = &self.prompt {
            let label = match prompt.what {
                For::Filter => "filter: ",
                For::Search => "/",
            };
            // What is typed last is seen, however long the line is.
            let (before, after) = prompt.parts();
            let room = columns.saturating_sub(label.len() + 1);
            let hidden = before.chars().count().saturating_sub(room);
            let before: String = before.chars().skip(hidden).collect();
            let cursor = span(self.style.sign("▏", "|"), Role::Strong);
            lines.push(vec![
                span(label, Role::Strong),
                span(before, Role::Plain),
                cursor,
                span(after, Role::Plain),
            ]);
        }
        lines
    }

    /// For the mouse: where the rows and the panes' names are.
    fn remember_places(&mut self, page: &Page) {
        let above = 1 + page.head.len() + page.lanes.as_ref().map_or(0, |lanes| lanes.labels.len() + 2);
        self.rows_at = (above as u16 + 1, page.table.rows.len() as u16);
        let mut from = 0;
        self.tabs_at = Vec::new();
        for (name, _) in &page.tabs {
            let to = from + name.chars().count() as u16 + 2;
            self.tabs_at.push((from, to));
            from = to;
        }
    }

    /// Calls `f` with the panes and with what they look at.
    pub(super) fn with_sight<T>(
        &mut self,
        analysis: &Analysis,
        f: impl FnOnce(Panes<'_>, &Sight<'_>) -> T,
    ) -> T {
        let sight = Sight {
            analysis,
            journal: &self.journal,
            rates: &self.rates,
            holders: &self.holders,
            filter: &self.filters[self.pane as usize],
            style: self.style,
            now: self.now,
        };
        let panes = Panes {
            pane: self.pane,
            processes: &mut self.processes,
            connections: &mut self.connections,
            findings: &mut self.findings,
            events: &mut self.events,
            tail: &self.tail,
            opened: self.opened.last_mut(),
        };
        f(panes, &sight)
    }
}

/// What may change while others are looked at.
pub(super) struct Panes<'a> {
    pub(super) pane: Pane,
    pub(super) processes: &'a mut super::processes::Processes,
    pub(super) connections: &'a mut super::connections::Connections,
    pub(super) findings: &'a mut super::findings::Findings,
    pub(super) events: &'a mut super::events::Events,
    pub(super) tail: &'a super::tail::Tail,
    pub(super) opened: Option<&'a mut Opened>,
}
