//! A process, and what its threads wait for.

use super::holders;
use super::page::{Page, list};
use super::thing;
use crate::report::{Process, Report, Thread, Unseen, Wait};
use crate::sinks::escape::{escape, escape_at_most};

/// The most characters of a command line that are shown.
const MOST_COMMAND: usize = 90;
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
    let mut alike: Vec<(&Thread, Vec<u32>)> = Vec::new();
    for thread in &process.threads {
        let known =
            alike.iter_mut().find(|(known, _)| known.state == thread.state && known.waits == thread.waits);
        match known {
            Some((_, tids)) => tids.push(thread.tid),
            None => alike.push((thread, vec![thread.tid])),
        }
    }
    for (thread, tids) in alike {
        page.item(&threads(thread, &tids, process, report));
    }
}

/// `thread 1206 (python3) sleeping in recvfrom on fd 3: connection 1, ...`. Threads that do the same are one line.
fn threads(thread: &Thread, tids: &[u32], process: &Process, report: &Report) -> String {
    let mut text = match tids {
        [tid] => format!("thread {tid} ({}) {}", thread.comm, thread.state),
        _ => {
            let mut names: Vec<String> = tids.iter().take(MOST_TIDS).map(ToString::to_string).collect();
            if tids.len() > MOST_TIDS {
                names.push(format!("{} more", tids.len() - MOST_TIDS));
            }
            format!("threads {} ({}) {}", list(&names), thread.comm, thread.state)
        }
    };
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
