//! The pane of processes: the tree, as it grows and ends.

use super::list::List;
use super::names::state;
use super::page::{Column, Line, Role, Table, numbers, plain, span, words};
use super::{Sight, Sorted};
use crate::model::{ProcId, Process};
use crate::report::Severity;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;

const COLUMNS: [Column; 7] = [
    numbers("PID", 8, 0),
    words("FINDINGS", 10, 1),
    numbers("CONNS", 6, 2),
    numbers("SHARED", 6, 1),
    numbers("THREADS", 7, 3),
    words("STATE", 9, 2),
    words("COMMAND", 0, 0),
];
/// How long the end of a process that matters to nothing is shown, in nanoseconds.
const LINGERS: u64 = 5_000_000_000;
/// Numbers of one table that are looked through to count connections.
const MOST_COUNTED: usize = 2000;
/// The deepest that a row is indented.
const MOST_INDENT: usize = 20;

/// How the processes are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum By {
    /// As a tree: children under their parents, in order of their start.
    #[default]
    Tree,
    /// By number.
    Pid,
    /// The worst findings first.
    Findings,
    /// By name.
    Command,
}

impl Sorted for By {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Tree, "tree", "COMMAND"),
        (Self::Pid, "pid", "PID"),
        (Self::Findings, "findings", "FINDINGS"),
        (Self::Command, "command", "COMMAND"),
    ];
}

/// The pane's state.
#[derive(Debug, Default)]
pub(super) struct Processes {
    pub(super) list: List<ProcId>,
    pub(super) by: By,
    /// Those whose descendants are not shown.
    folded: FxHashSet<ProcId>,
    /// Those that ended long ago are shown too.
    pub(super) all: bool,
    depth: FxHashMap<ProcId, usize>,
    findings: FxHashMap<u32, (u32, u32)>,
}

impl Processes {
    /// Folds or unfolds the selected process; a folded one, or one without children, leads to its parent.
    pub(super) fn fold(&mut self, sight: &Sight<'_>, fold: bool) {
        let Some(selected) = self.list.selected() else { return };
        let has_children = sight.analysis.model.children(selected).next().is_some();
        if !fold {
            self.folded.remove(&selected);
        } else if has_children && self.folded.insert(selected) {
            // Its children are hidden now.
        } else if let Some(parent) = sight.analysis.model.process(selected).and_then(|known| known.parent) {
            self.list.select(parent);
        }
    }

    /// Whether the selected process is folded.
    pub(super) fn is_folded(&self) -> bool {
        self.list.selected().is_some_and(|selected| self.folded.contains(&selected))
    }

    /// Finds out which rows there are.
    pub(super) fn fill(&mut self, sight: &Sight<'_>) {
        let model = &sight.analysis.model;
        self.findings = counts(sight);
        self.folded.retain(|id| model.process(*id).is_some());
        let mut known: Vec<&Process> = model.processes().collect();
        known.sort_by_key(|process| process.id);
        self.depth.clear();
        let rows = if self.by == By::Tree {
            self.tree(sight, &known)
        } else {
            let mut rows: Vec<&Process> =
                known.into_iter().filter(|process| self.shows(sight, process)).collect();
            match self.by {
                By::Pid | By::Tree => rows.sort_by_key(|process| process.pid()),
                By::Findings => {
                    rows.sort_by_key(|process| Reverse(self.findings.get(&process.pid()).copied()));
                }
                By::Command => rows.sort_by_key(|process| process.comm.clone()),
            }
            rows.into_iter().map(|process| process.id).collect()
        };
        self.list.fill(rows);
    }

    fn shows(&self, sight: &Sight<'_>, process: &Process) -> bool {
        let lingers = |&(time, _): &(u64, Option<u32>)| sight.now.saturating_sub(time) < LINGERS;
        let matters = || self.findings.contains_key(&process.pid());
        (self.all || process.ended.as_ref().is_none_or(lingers) || matters()) && sight.shows_process(process)
    }

    /// Children under their parents. A process whose parent is not known is a root.
    fn tree<'a>(&mut self, sight: &Sight<'a>, known: &[&'a Process]) -> Vec<ProcId> {
        let mut children: FxHashMap<Option<ProcId>, Vec<&'a Process>> = FxHashMap::default();
        let model = &sight.analysis.model;
        for process in known {
            let parent = process.parent.filter(|parent| model.process(*parent).is_some());
            children.entry(parent).or_default().push(process);
        }
        let mut rows = Vec::new();
        let mut open: Vec<(&'a Process, usize)> = Vec::new();
        let under = |id: Option<ProcId>, depth: usize, open: &mut Vec<(&'a Process, usize)>| {
            let below = children.get(&id).map(Vec::as_slice).unwrap_or_default();
            open.extend(below.iter().rev().map(|process| (*process, depth)));
        };
        under(None, 0, &mut open);
        while let Some((process, depth)) = open.pop() {
            // A process that is not shown leaves its children where it would be.
            let mut below = depth;
            if self.shows(sight, process) {
                rows.push(process.id);
                self.depth.insert(process.id, depth);
                below += 1;
            }
            if !self.folded.contains(&process.id) {
                under(Some(process.id), below, &mut open);
            }
        }
        rows
    }

    /// The rows that are seen.
    pub(super) fn table(&mut self, sight: &Sight<'_>, height: usize) -> Table {
        let window = self.list.window(height);
        let ids = &self.list.rows()[window.clone()];
        let rows = ids.iter().map(|&id| self.row(sight, id)).collect();
        Table {
            columns: COLUMNS.to_vec(),
            sorted: Some(self.by.column()),
            empty: sight.nothing("No process is traced yet."),
            ..self.list.framed(&window, rows)
        }
    }

    fn row(&self, sight: &Sight<'_>, id: ProcId) -> Vec<Line> {
        let Some(process) = sight.analysis.model.process(id) else { return vec![Line::new(); COLUMNS.len()] };
        let (held, shared) = held(sight, process);
        let (state, role) = state(process);
        let badge = self.findings.get(&process.pid()).map(|&(errors, warnings)| badge(errors, warnings));
        let count = |count: usize, role| match count {
            0 => plain(""),
            _ if count >= MOST_COUNTED => vec![span(format!("{count}+"), role)],
            _ => vec![span(count.to_string(), role)],
        };
        let threads = process.threads_at_fork.map(|threads| threads.to_string()).unwrap_or_default();
        vec![
            plain(process.pid().to_string()),
            badge.unwrap_or_default(),
            count(held, Role::Plain),
            count(shared, Role::Warning),
            plain(threads),
            vec![span(state, role)],
            self.command(sight, process),
        ]
    }

    /// The command with its place in the tree.
    fn command(&self, sight: &Sight<'_>, process: &Process) -> Line {
        let depth = self.depth.get(&process.id).copied().unwrap_or(0);
        let mut indent = "  ".repeat(depth.min(MOST_INDENT).saturating_sub(1));
        if depth > 0 {
            indent.push_str(sight.style.sign("└ ", "`-"));
        }
        let mut line = vec![span(indent, Role::Dim)];
        if self.folded.contains(&process.id) {
            let below = sight.analysis.model.children(process.id).count();
            line.push(span(format!("[+{below}] "), Role::Info));
        }
        let words = process.words();
        let text = if words.is_empty() { process.comm.to_string() } else { words.join(" ") };
        let role = if process.ended.is_some() { Role::Dim } else { Role::Plain };
        line.push(span(text, role));
        line
    }
}

/// Errors and warnings of each process that is named in one, by number.
fn counts(sight: &Sight<'_>) -> FxHashMap<u32, (u32, u32)> {
    let mut counts: FxHashMap<u32, (u32, u32)> = FxHashMap::default();
    for finding in sight.analysis.findings() {
        let (errors, warnings) = match finding.severity {
            Severity::Error => (1, 0),
            Severity::Warning => (0, 1),
            Severity::Info => continue,
        };
        for pid in std::iter::once(&finding.pid).chain(&finding.other_pids) {
            let count = counts.entry(*pid).or_default();
            *count = (count.0 + errors, count.1 + warnings);
        }
    }
    counts
}

/// `2 E 1 W`.
fn badge(errors: u32, warnings: u32) -> Line {
    let mut line = Line::new();
    if errors > 0 {
        line.push(span(format!("{errors} E "), Role::Error));
    }
    if warnings > 0 {
        line.push(span(format!("{warnings} W"), Role::Warning));
    }
    line
}

/// How many connections a process holds, and how many of them have crossed a fork.
fn held(sight: &Sight<'_>, process: &Process) -> (usize, usize) {
    let model = &sight.analysis.model;
    let Some(table) = model.table(process.id) else { return (0, 0) };
    let sockets = table.iter().take(MOST_COUNTED).filter_map(|(_, holding)| holding.file.socket);
    let connections = sockets.filter_map(|id| model.socket(id)).filter(|socket| socket.is_connection());
    connections
        .fold((0, 0), |(held, shared), socket| (held + 1, shared + usize::from(socket.crossed.is_some())))
}
