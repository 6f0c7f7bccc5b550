//! A finding or a process, opened: what the log shows of it, with rows that lead further.

use super::Sight;
use super::connections;
use super::findings::severity;
use super::list::List;
use super::look::short;
use super::names::state;
use super::page::{Line, Page, Role, Span, Table, numbers, plain, span, words};
use super::search::Search;
use crate::model::{ProcId, SockId};
use crate::report::{Evidence, Finding};
use crate::sinks::log::notes::{Label, notes as told};
use crate::sinks::log::wrap::wrap;
use crate::sinks::log::{Look, stack};
use crate::sinks::words::plural;

/// A row of an opened finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A process of it.
    Process(u32),
    /// Its connection.
    Connection(SockId),
    /// A step of its evidence.
    Step(usize),
    /// A line of text below these, by its number.
    Text(usize),
}

/// An opened finding.
#[derive(Clone, Debug)]
pub(super) struct OpenedFinding {
    pub(super) id: u32,
    pub(super) list: List<Row>,
    /// What each row says.
    cells: Vec<Vec<Line>>,
}

/// Columns that times and numbers take before the words.
const BEFORE: usize = 24;

impl OpenedFinding {
    pub(super) fn new(id: u32) -> Self {
        Self { id, list: List::default(), cells: Vec::new() }
    }

    /// Finds out which rows there are, in so many columns.
    pub(super) fn fill(&mut self, sight: &Sight<'_>, columns: usize) {
        let Some(finding) = sight.finding(self.id) else { return };
        let width = columns.saturating_sub(BEFORE).max(20);
        let (mut rows, mut text) = (Vec::new(), 0);
        self.cells.clear();
        let mut add = |row: Option<Row>, before: [Line; 2], lines: Vec<Line>| {
            let [mut time, mut pid] = before;
            for (at, line) in lines.into_iter().enumerate() {
                rows.push(row.filter(|_| at == 0).unwrap_or_else(|| {
                    text += 1;
                    Row::Text(text)
                }));
                self.cells.push(vec![std::mem::take(&mut time), std::mem::take(&mut pid), line]);
            }
        };
        let none = || [Line::new(), Line::new()];
        for pid in std::iter::once(finding.pid).chain(finding.other_pids.iter().copied()) {
            let role = if pid == finding.pid { Role::Strong } else { Role::Plain };
            let lead = span("process ", role);
            add(
                Some(Row::Process(pid)),
                [Line::new(), plain(pid.to_string())],
                hung(lead, &process(sight, pid), width),
            );
        }
        if let Some(id) = finding.connection {
            let line = sight.analysis.connection_line(id).unwrap_or_default();
            let lead = span(format!("connection {id}  "), Role::Info);
            add(Some(Row::Connection(SockId(id))), none(), hung(lead, &line, width));
        }
        for (at, step) in finding.evidence.iter().enumerate() {
            let before = [plain(format!("{:+.6}s", step.time)), plain(step.pid.to_string())];
            add(Some(Row::Step(at)), before, self::step(step, width));
        }
        add(None, none(), notes(sight, finding, width));
        self.list.fill(rows);
    }

    /// Goes to the next row whose words pass.
    pub(super) fn search(&mut self, sight: &Sight<'_>, forward: bool, has: impl Fn(&str) -> bool) -> bool {
        let Some(_) = sight.finding(self.id) else { return false };
        let text =
            |row: &Vec<Line>| row.iter().flatten().map(|span| &*span.text).collect::<Vec<_>>().join(" ");
        let texts: Vec<(Row, String)> =
            self.list.rows().iter().copied().zip(self.cells.iter().map(text)).collect();
        self.list.find(forward, |row| texts.iter().any(|(known, text)| *known == row && has(text)))
    }

    /// The whole page.
    pub(super) fn page(&mut self, sight: &Sight<'_>, columns: usize, height: usize, page: &mut Page) {
        let Some(finding) = sight.finding(self.id) else {
            // A replay has gone back.
            page.table.empty = "At this moment it is not found yet.".to_owned();
            return;
        };
        let word = format!("{}[{}]: ", finding.severity.name(), finding.rule.name());
        let lines = wrap(&format!("{word}{}", finding.title), columns.saturating_sub(1));
        for (at, line) in lines.into_iter().take(4).enumerate() {
            page.head.push(match line.strip_prefix(&word).filter(|_| at == 0) {
                Some(rest) => vec![span(&*word, severity(finding.severity)), span(rest, Role::Strong)],
                None => vec![span(line, Role::Strong)],
            });
        }
        let window = self.list.window(height.saturating_sub(page.head.len() + 1));
        page.table = Table {
            columns: vec![numbers("TIME", 12, 0), numbers("PID", 8, 0), words("WHAT", 0, 0)],
            ..self.list.framed(&window, self.cells.get(window.clone()).unwrap_or_default().to_vec())
        };
    }
}

/// A process in words: `python3 app.py, forked from 4200`.
fn process(sight: &Sight<'_>, pid: u32) -> String {
    let told = sight.analysis.process_told(pid);
    let command = told.as_ref().map(crate::report::Process::command).unwrap_or_default();
    let from = told.filter(|told| told.forked_at.is_some()).and_then(|told| told.ppid);
    let from = from.map(|parent| format!(", forked from {parent}")).unwrap_or_default();
    format!("{command}{from}")
}

/// Text after what it begins with, in lines of so many columns that all stand behind that.
fn hung(lead: Span, text: &str, columns: usize) -> Vec<Line> {
    let indent = lead.text.chars().count();
    let lines = wrap(text, columns.saturating_sub(indent).max(16));
    let mut lead = Some(lead);
    let line = |line| {
        vec![lead.take().unwrap_or_else(|| span(" ".repeat(indent), Role::Plain)), span(line, Role::Plain)]
    };
    lines.into_iter().map(line).collect()
}

/// A step of evidence: which call, what it meant.
fn step(step: &Evidence, columns: usize) -> Vec<Line> {
    let mut lead = span("", Role::Plain);
    if let Some(call) = &step.syscall {
        let failed = step.result.as_ref().is_some_and(|result| result.starts_with('-'));
        let fd = step.fd.map(|fd| format!("({fd})")).unwrap_or_default();
        let result = step.result.as_ref().map(|result| format!(" = {result}")).unwrap_or_default();
        let role = if failed { Role::Error } else { Role::Info };
        lead = span(format!("{call}{fd}{result}  "), role);
    }
    // Whose step it is stands in a column of its own.
    let who = format!("{} ", step.pid);
    hung(lead, step.what.strip_prefix(&who).unwrap_or(&step.what), columns)
}

/// What stands below the evidence: where threads were, what happened, how sure, how often, what to change.
fn notes(sight: &Sight<'_>, finding: &Finding, columns: usize) -> Vec<Line> {
    let mut lines = vec![Line::new()];
    let stacks = stack::lines(&finding.stacks, Look { color: false, width: columns }, columns);
    lines.extend(stacks.into_iter().map(plain));
    if lines.len() > 1 {
        lines.push(Line::new());
    }
    for (label, text) in told(&sight.view(finding), usize::MAX) {
        let role = if label == Label::Help { Role::Good } else { Role::Strong };
        lines.extend(hung(span(format!("{}: ", label.word()), role), &text, columns));
    }
    lines
}

/// An opened process: what is known of it, and the connections that it holds or used.
#[derive(Clone, Debug)]
pub(super) struct OpenedProcess {
    pub(super) id: ProcId,
    pub(super) list: List<SockId>,
    /// Connections that it used, and maybe holds no more.
    used: Vec<SockId>,
    search: Option<Search<SockId>>,
}

impl OpenedProcess {
    pub(super) fn new(id: ProcId) -> Self {
        Self { id, list: List::default(), used: Vec::new(), search: None }
    }

    /// Begins to find out which connections it used.
    pub(super) fn look(&mut self, sight: &Sight<'_>) {
        self.search = Some(Search::new(&sight.analysis.model));
    }

    /// Whether it is being found out.
    pub(super) fn is_looking(&self) -> bool {
        self.search.is_some()
    }

    /// Finds out which rows there are; those that it only used, by and by.
    pub(super) fn fill(&mut self, sight: &Sight<'_>) {
        let model = &sight.analysis.model;
        let held = model.table(self.id).into_iter().flat_map(crate::model::Table::iter);
        let mut rows: Vec<SockId> = held.filter_map(|(_, holding)| holding.file.socket).collect();
        if let Some(search) = &mut self.search
            && let Some(used) =
                search.go_on(model, |socket| socket.usage(self.id).is_some().then_some(socket.id))
        {
            self.used = used;
            self.search = None;
        }
        rows.extend(&self.used);
        rows.retain(|&id| model.socket(id).is_some_and(crate::model::Socket::is_connection));
        rows.sort_unstable();
        rows.dedup();
        self.list.fill(rows);
    }

    /// The whole page.
    pub(super) fn page(&mut self, sight: &Sight<'_>, columns: usize, height: usize, page: &mut Page) {
        let known = sight.analysis.model.process(self.id);
        let told = known.and_then(|process| sight.analysis.process_told(process.pid()));
        let Some((process, told)) = known.zip(told) else {
            page.table.empty = "This process is not known: it ended long ago, or is yet to come.".to_owned();
            return;
        };
        let (state, role) = state(process);
        let title = format!("process {} ", process.pid());
        page.head.push(vec![span(title, Role::Strong), span(told.command(), Role::Plain)]);
        let mut facts: Vec<String> = Vec::new();
        let mut fact = |text: String| facts.push(text);
        if let (Some(parent), Some(time)) = (told.ppid.filter(|_| told.forked_at.is_some()), told.forked_at) {
            let threads = told.threads_at_fork.unwrap_or(1);
            let threads = plural(threads.into(), "thread", "threads");
            fact(format!("forked from {parent} at {time:+.3}s, which had {threads}"));
        } else if let Some(parent) = told.ppid {
            fact(format!("child of {parent}"));
        }
        if let Some(exec) = told.execs.last() {
            fact(format!("executed {} at {:+.3}s", exec.comm, exec.time));
        }
        let lines = wrap(&facts.join("; "), columns.saturating_sub(state.chars().count() + 3));
        for (at, line) in lines.into_iter().take(3).enumerate() {
            let state = if at == 0 { state.clone() } else { " ".repeat(state.chars().count()) };
            page.head.push(vec![span(state, role), span(format!("  {line}"), Role::Plain)]);
        }
        let libraries = told.libraries.iter().map(|library| {
            let version = library.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
            format!("{}{version}", library.name)
        });
        let libraries: Vec<String> = libraries.collect();
        if !libraries.is_empty() {
            page.head.extend(
                wrap(&format!("uses {}", libraries.join(", ")), columns.saturating_sub(1))
                    .into_iter()
                    .take(2)
                    .map(|line| vec![span(line, Role::Dim)]),
            );
        }
        page.table = self.table(sight, height.saturating_sub(page.head.len() + 1));
    }

    fn table(&mut self, sight: &Sight<'_>, height: usize) -> Table {
        let window = self.list.window(height);
        let rows = self.list.rows()[window.clone()].iter().map(|&id| self.row(sight, id)).collect();
        Table {
            columns: vec![
                numbers("CONN", 6, 0),
                numbers("FD", 6, 0),
                words("FROM", 10, 1),
                numbers("SENT", 6, 2),
                numbers("RECEIVED", 8, 2),
                words("PROTOCOL", 10, 1),
                words("CONNECTION", 0, 0),
            ],
            empty: "It holds no connection, and has used none.".to_owned(),
            ..self.list.framed(&window, rows)
        }
    }

    fn row(&self, sight: &Sight<'_>, id: SockId) -> Vec<Line> {
        let model = &sight.analysis.model;
        let Some(socket) = model.socket(id) else { return Vec::new() };
        let usage = socket.usage(self.id);
        let held = sight.holders.number(id, self.id);
        let fd = held.map(|fd| fd.to_string()).or(usage.map(|usage| format!("({})", usage.fd)));
        let own = socket.opened.process == self.id && socket.opened.nr != 0;
        let from = if own { plain("opened") } else { vec![span("inherited", Role::Info)] };
        let (sent, received) = usage.map_or((0, 0), |usage| (usage.sent.0, usage.received.0));
        vec![
            plain(id.0.to_string()),
            plain(fd.unwrap_or_default()),
            from,
            plain(short(sent)),
            plain(short(received)),
            plain(connections::protocol(socket)),
            plain(format!("{} -> {}", socket.local(), socket.remote())),
        ]
    }
}
