//! The lines at the end of a session.

use super::paint::{self, GUTTER, Look, STRONG};
use super::wrap::wrap;
use crate::report::{Connection, Report, Severity, Stats};
use crate::sinks::escape::escape;
use crate::sinks::words::plural;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen, found and lost, in few lines, each ending in a line break.
#[must_use]
pub fn summary(report: &Report, look: Look) -> String {
    let mut out = format!("{} {}\n", look.paint(STRONG, "forkscope:"), found(report, look));
    line(&mut out, look, "seen", &seen(report));
    line(&mut out, look, "lost", &lost(report));
    if let Some(baseline) = report.baseline.as_ref().filter(|baseline| !baseline.stale.is_empty()) {
        line(&mut out, look, "note", &stale(&baseline.stale));
    }
    let Stats { unresolved, corrected, .. } = report.stats;
    if unresolved > 0 {
        line(
            &mut out,
            look,
            "note",
            &format!("{} on sockets whose description was lost", plural(unresolved, "transfer", "transfers")),
        );
    }
    if corrected > 0 {
        line(
            &mut out,
            look,
            "note",
            &format!("the model was corrected {}", plural(corrected, "time", "times")),
        );
    }
    out
}

/// `1 error, 2 warnings, 1 known in 1.9s`.
fn found(report: &Report, look: Look) -> String {
    let new = || report.findings.iter().filter(|finding| !finding.known);
    let count = |severity| new().filter(|finding| finding.severity == severity).count() as u64;
    let known = report.findings.len() - new().count();
    let mut parts: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| (*severity, count(*severity)))
        .filter(|(_, n)| *n > 0)
        .map(|(severity, n)| {
            // "info" has no plural.
            let text = match severity {
                Severity::Info => format!("{n} info (-v shows it)"),
                Severity::Error | Severity::Warning => {
                    plural(n, severity.name(), &format!("{}s", severity.name()))
                }
            };
            look.paint(paint::severity(severity), &text)
        })
        .collect();
    if parts.is_empty() {
        parts.push(if known > 0 { "no new findings".into() } else { "no findings".into() });
    }
    if known > 0 {
        parts.push(format!("{known} known (-v shows {})", if known == 1 { "it" } else { "them" }));
    }
    format!("{} in {:.1}s", parts.join(", "), report.session.duration)
}

/// Entries of the baseline that matched nothing.
fn stale(stale: &[String]) -> String {
    const MOST: usize = 3;
    let shown: Vec<String> = stale.iter().take(MOST).map(|entry| format!("\"{entry}\"")).collect();
    let more = match stale.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let entries = plural(stale.len() as u64, "entry of the baseline was", "entries of the baseline were");
    format!("{entries} not found: {}{more}", shown.join(", "))
}

fn seen(report: &Report) -> String {
    let shared = report.connections.iter().filter(|connection| holders(connection) > 1).count();
    let shared =
        if shared > 0 { format!(" ({shared} held by more than one process)") } else { String::new() };
    format!(
        "{}, {}{shared}, {}",
        plural(report.processes.len() as u64, "process", "processes"),
        plural(report.connections.len() as u64, "connection", "connections"),
        plural(report.stats.arrived(), "event", "events"),
    )
}

fn holders(connection: &Connection) -> usize {
    connection.holders.iter().map(|holder| holder.pid).collect::<BTreeSet<_>>().len()
}

/// `no events lost`, or how many, why, and of which kinds.
fn lost(report: &Report) -> String {
    let lost = report.stats.lost();
    if lost == 0 {
        return "no events lost".into();
    }
    let kinds = |kinds: &BTreeMap<String, u64>| {
        kinds.iter().map(|(kind, n)| format!("{kind} {n}")).collect::<Vec<_>>().join(", ")
    };
    let causes: Vec<String> = report
        .stats
        .lost
        .iter()
        .map(|(cause, by_kind)| format!("{} ({})", cause.name(), kinds(by_kind)))
        .collect();
    let all = lost.saturating_add(report.stats.arrived());
    format!(
        "{lost} of {}: {}; findings that depend on them say so",
        plural(all, "event", "events"),
        causes.join(", ")
    )
}

fn line(out: &mut String, look: Look, label: &str, text: &str) {
    let before = label.len() + 7;
    for (i, part) in wrap(&escape(text), look.columns() - before).iter().enumerate() {
        match i {
            0 => out.push_str(&format!(
                "   {} {}: {part}\n",
                look.paint(GUTTER, "="),
                look.paint(STRONG, label)
            )),
            _ => out.push_str(&format!("{}{part}\n", " ".repeat(before))),
        }
    }
}
