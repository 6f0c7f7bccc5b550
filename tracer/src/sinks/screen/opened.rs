//! A finding or a process, opened: what the log shows of it, with rows that lead further.

use super::Sight;
use super::connections;
use super::findings::severity;
use super::list::List;
use super::look::short;
use super::names::state;
use super::page::{Line, Page, Role, Table, numbers, plain, span, words};
use super::search::Search;
use crate::model::{ProcId, SockId};
use crate::report::{Confidence, Evidence, Finding};
use crate::sinks::log::wrap::wrap;

/// A row of an opened finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A process of it.
    Process(u32),
    /// Its connection.
    Connection(SockId),
    /// A step of its evidence.
    Step(usize),
    /// A line of text, by its place.
    Text(usize),
}

/// An opened finding.
#[derive(Clone, Debug)]
pub(super) struct OpenedFinding {
    pub(super) id: u32,
    pub(super) list: List<Row>,
    text: Vec<Line>,
}

impl OpenedFinding {
    pub(super) fn new(id: u32) -> Self {
        Self { id, list: List::default(), text: Vec::new() }
    }

    /// Finds out which rows there are, in so many columns.
    pub(super) fn fill(&mut self, sight: &Sight<'_>, columns: usize) {
        let Some(finding) = sight.finding(self.id) else { return };
        let pids = std::iter::once(finding.pid).chain(finding.other_pids.iter().copied());
        let mut rows: Vec<Row> = pids.map(Row::Process).collect();
        rows.extend(finding.connection.map(|id| Row::Connection(SockId(id))));
        rows.extend((0..finding.evidence.len()).map(Row::Step));
        self.text = notes(finding, columns);
        rows.extend((0..self.text.len()).map(Row::Text));
        self.list.fill(rows);
    }

    /// Goes to the next row whose words pass.
    pub(super) fn search(&mut self, sight: &Sight<'_>, forward: bool, has: impl Fn(&str) -> bool) -> bool {
        let Some(finding) = sight.finding(self.id) else { return false };
        let mut list = std::mem::take(&mut self.list);
        let found = list.find(forward, |row| {
            let cells = self.row(sight, finding, row);
            let text: Vec<&str> = cells.iter().flatten().map(|span| &*span.text).collect();
            has(&text.join(" "))
        });
        self.list = list;
        found
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
        let rows = &self.list.rows()[window.clone()];
        page.table = Table {
            columns: vec![numbers("TIME", 12, 0), numbers("PID", 8, 0), words("WHAT", 0, 0)],
            rows: rows.iter().map(|&row| self.row(sight, finding, row)).collect(),
            cursor: self.list.selected().map(|_| self.list.cursor() - window.start),
            top: window.start,
            total: self.list.rows().len(),
            sorted: None,
            empty: String::new(),
        };
    }

    fn row(&self, sight: &Sight<'_>, finding: &Finding, row: Row) -> Vec<Line> {
        let wide = |line: Line| vec![Line::new(), Line::new(), line];
        match row {
            Row::Process(pid) => {
                let told = sight.analysis.process_told(pid);
                let command = told.as_ref().map(crate::report::Process::command).unwrap_or_default();
                let from = told.filter(|told| told.forked_at.is_some()).and_then(|told| told.ppid);
                let from = from.map(|parent| format!(", forked from {parent}")).unwrap_or_default();
                let role = if pid == finding.pid { Role::Strong } else { Role::Plain };
                let text = vec![span(format!("process {command}"), role), span(from, Role::Dim)];
                vec![Line::new(), plain(pid.to_string()), text]
            }
            Row::Connection(id) => {
                let line = sight.analysis.connection_line(id.0).unwrap_or_default();
                wide(vec![span(format!("connection {}  ", id.0), Role::Info), span(line, Role::Plain)])
            }
            Row::Step(at) => finding.evidence.get(at).map(step).unwrap_or_default(),
            Row::Text(at) => wide(self.text.get(at).cloned().unwrap_or_default()),
        }
    }
}

/// A step of evidence: when, who, which call, what it meant.
fn step(step: &Evidence) -> Vec<Line> {
    let mut line = Line::new();
    if let Some(call) = &step.syscall {
        let failed = step.result.as_ref().is_some_and(|result| result.starts_with('-'));
        let fd = step.fd.map(|fd| format!("({fd})")).unwrap_or_default();
        let result = step.result.as_ref().map(|result| format!(" = {result}")).unwrap_or_default();
        let role = if failed { Role::Error } else { Role::Info };
        line.push(span(format!("{call}{fd}{result}  "), role));
    }
    line.push(span(step.what.clone(), Role::Plain));
    vec![plain(format!("{:+.6}s", step.time)), plain(step.pid.to_string()), line]
}

/// What stands below the evidence: what happened, how sure, how often, what to change.
fn notes(finding: &Finding, columns: usize) -> Vec<Line> {
    // Beside the two columns before it.
    let width = columns.saturating_sub(24).max(20);
    let mut lines = vec![Line::new()];
    let mut add = |label: &str, role: Role, text: &str| {
        for (at, line) in wrap(text, width.saturating_sub(label.len() + 2)).into_iter().enumerate() {
            let lead = if at == 0 { format!("{label}: ") } else { " ".repeat(label.len() + 2) };
            lines.push(vec![span(lead, role), span(line, Role::Plain)]);
        }
    };
    if !finding.summary.is_empty() {
        add("note", Role::Strong, &finding.summary);
    }
    match finding.confidence {
        Confidence::Certain => {}
        Confidence::Likely => add("note", Role::Strong, "likely, not certain: a step was not seen"),
        Confidence::Inconclusive => {
            add("note", Role::Strong, "inconclusive: the history has holes where it matters");
        }
    }
    if finding.count > 1 {
        let often = format!("seen {} times, until {:+.3}s", finding.count, finding.last_seen);
        add("note", Role::Strong, &often);
    }
    for fix in &finding.fix {
        let why = if fix.why.is_empty() { String::new() } else { format!(" ({})", fix.why) };
        add("help", Role::Good, &format!("{}{why}", fix.text));
    }
    add("for more", Role::Strong, &finding.docs);
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
        let mut facts = vec![span(state, role)];
        let mut fact = |text: String| facts.push(span(format!("  {text}"), Role::Plain));
        if let (Some(parent), Some(time)) = (told.ppid.filter(|_| told.forked_at.is_some()), told.forked_at) {
            let threads = told.threads_at_fork.unwrap_or(1);
            fact(format!("forked from {parent} at {time:+.3}s, which had {threads} threads"));
        } else if let Some(parent) = told.ppid {
            fact(format!("child of {parent}"));
        }
        if let Some(exec) = told.execs.last() {
            fact(format!("executed {} at {:+.3}s", exec.path, exec.time));
        }
        page.head.push(facts);
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
            rows,
            cursor: self.list.selected().map(|_| self.list.cursor() - window.start),
            top: window.start,
            total: self.list.rows().len(),
            sorted: None,
            empty: "It holds no connection, and has used none.".to_owned(),
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
            plain(format!("{} -> {}", socket.local, socket.remote)),
        ]
    }
}
