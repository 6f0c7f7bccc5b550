//! A process, and what its threads wait for.

use super::holders;
use super::page::Page;
use super::thing;
use crate::report::{Process, Report, Thread, Unseen, Wait};
use crate::sinks::escape::{escape, escape_at_most};
use crate::sinks::log::view::MOST_COMMAND;
use crate::sinks::words::list;

/// The most threads that are named of those that do the same.
const MOST_TIDS: usize = 6;

/// Shows a process.
pub(super) fn show(process: &Process, report: &Report, page: &mut Page) {
    let mut text = escape_at_most(&process.command(), MOST_COMMAND).into_owned();
    if let Some(parent) = process.ppid.filter(|&parent| report.process(parent).is_some()) {
        text += &format!(", child of {parent}");
    }
    let inside = process.inside().map_or_else(String::new, |inside| format!(" ({inside})"));
    page.head(&format!("process {}{}", process.pid, escape(&inside)), &text);
    if process.unseen.contains(&Unseen::NotPermitted) {
        page.item("its descriptors may not be looked at");
    }
    let mut alike: Vec<(&Thread, Vec<&Thread>)> = Vec::new();
    for thread in &process.threads {
        let known =
            alike.iter_mut().find(|(known, _)| known.state == thread.state && known.waits == thread.waits);
        match known {
            Some((_, others)) => others.push(thread),
            None => alike.push((thread, Vec::new())),
        }
    }
    for (thread, others) in alike {
        page.item(&threads(thread, &others, process, report));
    }
}

/// `thread 1206 (python3) sleeping in recvfrom on fd 3: connection 1, ...`. Threads that
/// do the same are one line.
fn threads(thread: &Thread, others: &[&Thread], process: &Process, report: &Report) -> String {
    let mut tids: Vec<String> = vec![thread.tid.to_string()];
    tids.extend(others.iter().take(MOST_TIDS - 1).map(|other| other.tid.to_string()));
    if others.len() >= MOST_TIDS {
        tids.push(format!("{} more", others.len() + 1 - MOST_TIDS));
    }
    let noun = if others.is_empty() { "thread" } else { "threads" };
    let differ = others.iter().any(|other| other.comm != thread.comm);
    let differ = if differ { " and others" } else { "" };
    let mut text = format!("{noun} {} ({}{differ}) {}", list(&tids), thread.comm, thread.state);
    if let Some(wait) = &thread.waits {
        text += &waits(wait, process, report);
    }
    text
}

fn waits(wait: &Wait, process: &Process, report: &Report) -> String {
    let mut text = match (&wait.syscall, &wait.wchan) {
        (Some(call), _) => format!(" in {call}"),
        (None, Some(place)) => format!(" in the kernel's {place}"),
        (None, None) => String::new(),
    };
    match wait.fds.as_slice() {
        [] if wait.syscall.as_deref() == Some("wait4") || wait.syscall.as_deref() == Some("waitid") => {
            text += ", for a child to end";
        }
        [] => {}
        [fd] => text += &format!(" on fd {fd}"),
        fds => {
            let fds: Vec<String> = fds.iter().map(ToString::to_string).collect();
            text += &format!(" on fds {}", list(&fds));
        }
    }
    let connections = wait.connections.iter().filter_map(|id| report.connection(*id));
    let mut on: Vec<String> = connections.map(|connection| thing::waited(connection, report)).collect();
    let files = wait.files.iter().filter_map(|id| report.files.iter().find(|file| file.id == *id));
    on.extend(files.map(|file| match thing::writers(file) {
        writers if writers.iter().any(|(pid, _, _)| *pid != process.pid) => {
            format!("{} {}, written by {}", file.kind.name(), file.id, holders::names(&writers))
        }
        _ => format!("{} {}", file.kind.name(), file.id),
    }));
    if on.is_empty() { text } else { format!("{text}: {}", on.join("; ")) }
}
