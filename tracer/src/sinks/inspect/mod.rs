//! What `forkscope inspect` prints: processes and what their threads wait for, then what they share. A pure
//! function of the report; the caller prints.

mod holders;
mod page;
mod process;
mod thing;

use super::words::plural;
use crate::report::{Connection, Report};
use crate::sinks::log::Look;
use page::Page;
use std::collections::BTreeSet;

/// The most connections, and the most other files, that are shown: who has more reads the report.
const MOST_SHOWN: usize = 50;

/// The report of a look as text, each line ending in a line break. Everything that came
/// from a process is escaped.
#[must_use]
pub fn render(report: &Report, look: Look) -> String {
    let mut page = Page::new(look);
    for process in &report.processes {
        process::show(process, report, &mut page);
    }
    let waits = || report.processes.iter().flat_map(|process| &process.threads).flat_map(|t| &t.waits);
    let waited: BTreeSet<u32> = waits().flat_map(|wait| wait.connections.iter().copied()).collect();
    let worth = |one: &&Connection| is_shared(one) || one.peer.is_some() || waited.contains(&one.id);
    // What is shared comes first.
    let (shared, others): (Vec<_>, Vec<_>) =
        report.connections.iter().filter(worth).partition(|c| is_shared(c));
    for connection in shared.iter().chain(&others).take(MOST_SHOWN) {
        thing::connection(connection, report, &mut page);
    }
    for file in report.files.iter().take(MOST_SHOWN) {
        thing::file(file, report, &mut page);
    }
    let hidden = (report.connections.len() - (shared.len() + others.len()).min(MOST_SHOWN))
        + report.files.len().saturating_sub(MOST_SHOWN);
    page.line(&summary(report, shared.len(), hidden));
    page.text()
}

fn is_shared(connection: &Connection) -> bool {
    connection.holders.iter().any(|holder| holder.pid != connection.holders[0].pid)
}

fn summary(report: &Report, shared: usize, hidden: usize) -> String {
    let processes = plural(report.processes.len() as u64, "process", "processes");
    let connections = plural(report.connections.len() as u64, "connection", "connections");
    let held = if shared > 0 { format!(", {shared} held by more than one process") } else { String::new() };
    let files = plural(report.files.len() as u64, "other file", "other files");
    let mut text = format!("{processes}, {connections}{held}; {files} shared or waited on");
    if hidden > 0 {
        text += &format!("; {hidden} not shown here: --json has all");
    }
    text
}

#[cfg(test)]
mod tests;
