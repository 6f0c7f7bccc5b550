//! The pane of findings: the worst and newest first.

use super::list::List;
use super::page::{Column, Line, Role, Table, numbers, plain, span, words};
use super::{Sight, Sorted};
use crate::report::{Finding, Severity};
use std::cmp::Reverse;

const COLUMNS: [Column; 7] = [
    words("SEVERITY", 8, 0),
    words("RULE", 20, 1),
    numbers("LAST", 10, 3),
    numbers("COUNT", 6, 4),
    numbers("PID", 8, 2),
    numbers("CONN", 6, 5),
    words("WHAT", 0, 0),
];

/// How the findings are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum By {
    /// The worst first, of those the newest.
    #[default]
    Severity,
    /// The newest first.
    Newest,
    /// The most frequent first.
    Count,
}

impl Sorted for By {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Severity, "severity", "SEVERITY"),
        (Self::Newest, "newest", "LAST"),
        (Self::Count, "count", "COUNT"),
    ];
}

/// The pane's state. A finding is named by its number.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: List<u32>,
    pub(super) by: By,
    /// Those that only inform are shown too.
    pub(super) all: bool,
}

impl Findings {
    /// Finds out which rows there are.
    pub(super) fn fill(&mut self, sight: &Sight<'_>) {
        let findings = sight.analysis.findings().iter();
        let shown = |finding: &&Finding| {
            (self.all || finding.severity > Severity::Info) && sight.shows_finding(finding)
        };
        let mut rows: Vec<&Finding> = findings.filter(shown).collect();
        let millis = |seconds: f64| Reverse((seconds * 1000.0) as u64);
        match self.by {
            By::Severity => {
                rows.sort_by_key(|one| (Reverse(one.severity), millis(one.last_seen), Reverse(one.id)));
            }
            By::Newest => rows.sort_by_key(|one| (millis(one.last_seen), Reverse(one.id))),
            By::Count => rows.sort_by_key(|one| (Reverse(one.count), Reverse(one.id))),
        }
        self.list.fill(rows.into_iter().map(|finding| finding.id).collect());
    }

    /// The rows that are seen.
    pub(super) fn table(&mut self, sight: &Sight<'_>, height: usize) -> Table {
        let window = self.list.window(height);
        let ids = &self.list.rows()[window.clone()];
        let rows = ids.iter().filter_map(|&id| sight.finding(id)).map(row).collect();
        let hidden = sight.analysis.findings().len().saturating_sub(self.list.rows().len());
        let empty = match hidden {
            0 => "Nothing is found so far. Holding an inherited connection is no error; using it is."
                .to_owned(),
            hidden => format!("No error or warning so far. {hidden} that only inform: a shows them."),
        };
        Table {
            columns: COLUMNS.to_vec(),
            sorted: Some(self.by.column()),
            empty: sight.nothing(&empty),
            ..self.list.framed(&window, rows)
        }
    }
}

fn row(finding: &Finding) -> Vec<Line> {
    let number = |number: Option<u32>| plain(number.map(|number| number.to_string()).unwrap_or_default());
    let count = if finding.count > 1 { finding.count.to_string() } else { String::new() };
    let known = if finding.known { "(known) " } else { "" };
    vec![
        vec![span(finding.severity.name(), severity(finding.severity))],
        plain(finding.rule.name()),
        plain(format!("{:+.3}s", finding.last_seen)),
        plain(count),
        number(Some(finding.pid)),
        number(finding.connection),
        vec![span(known, Role::Dim), span(finding.title.clone(), Role::Plain)],
    ]
}

/// The role of a severity's word.
pub(super) fn severity(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Error,
        Severity::Warning => Role::Warning,
        Severity::Info => Role::Info,
    }
}
