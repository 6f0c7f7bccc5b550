//! A connection, or another file that processes share.

use super::holders::{Hold, names, sameness};
use super::page::Page;
use crate::report::{Connection, CreatorGuess, Report, SharedFile, SharedKind, SocketNow};
use crate::sinks::words::{list, plural};

/// The most descriptors that are listed of those that an epoll instance watches.
const MOST_WATCHED: usize = 20;
/// What descriptors of one thing have in common, where it has an inode of its own, and where not.
const INODE: &str = "same inode";
const CONTENT: &str = "same number and content";

/// Shows a connection.
pub(super) fn connection(connection: &Connection, report: &Report, page: &mut Page) {
    let mut text = format!("{}, {}", addresses(connection), state(connection.now.as_ref()));
    if let Some(guess) = &connection.protocol_guess {
        text += &format!(", perhaps {} ({})", guess.name, guess.why);
    }
    page.head(&format!("connection {}", connection.id), &text);
    let holds = holds(connection);
    page.item(&held("held by", &holds, INODE));
    opened(connection.creator_guess.as_ref(), page);
    queues(connection.now.as_ref(), page);
    if let Some(peer) = connection.peer.and_then(|id| report.connection(id)) {
        page.item(&format!("other end: connection {}, held by {}", peer.id, names(&self::holds(peer))));
    } else if connection.now.as_ref().is_some_and(|now| now.receive_queue.is_some()) {
        // Where queues are not told, a peer would not have been told either: nothing is known of it.
        page.item("other end: held by none of these processes (name the one that holds it as well)");
    }
    waiting(report, page, |wait| wait.connections.contains(&connection.id));
}

/// Shows another file.
pub(super) fn file(file: &SharedFile, report: &Report, page: &mut Page) {
    let mut about: Vec<String> = Vec::new();
    about.extend(file.address.clone());
    about.extend(file.inode.map(|inode| format!("inode {inode}")));
    if file.kind == SharedKind::Socket {
        about.push(file.now.as_ref().map_or_else(
            || "in no table: unbound, or of another family or network namespace".to_owned(),
            |now| now.state.clone(),
        ));
    }
    about.extend(file.counter.map(|counter| format!("counter {counter}")));
    let label = format!("{} {}", file.kind.name(), file.id);
    page.head(
        &label,
        if about.is_empty() { "no inode of its own".to_owned() } else { about.join(", ") }.as_str(),
    );
    if file.kind == SharedKind::Pipe {
        pipe(file, page);
    } else {
        page.item(&held("held by", &ends(file, None), if file.inode.is_some() { INODE } else { CONTENT }));
    }
    opened(file.creator_guess.as_ref(), page);
    if file.kind == SharedKind::Listener {
        accepts(file.now.as_ref(), page);
    }
    if !file.watches.is_empty() {
        page.item(&watches(file));
    }
    if let Some(peer) = file.peer.and_then(|id| report.files.iter().find(|other| other.id == id)) {
        page.item(&format!(
            "other end: {} {}, held by {}",
            peer.kind.name(),
            peer.id,
            names(&ends(peer, None))
        ));
    }
    waiting(report, page, |wait| wait.files.contains(&file.id));
}

fn pipe(file: &SharedFile, page: &mut Page) {
    for (end, words) in [("read", "read end:"), ("write", "write end:")] {
        match ends(file, Some(end)).as_slice() {
            [] if ends(file, Some("both")).is_empty() => {
                page.item(&format!("{words} held by none of these processes"));
            }
            [] => {}
            holds => page.item(&held(words, holds, INODE)),
        }
    }
    let both = ends(file, Some("both"));
    if !both.is_empty() {
        page.item(&held("both ends:", &both, INODE));
    }
}

/// A connection that a thread waits on, with who could answer.
pub(super) fn waited(connection: &Connection, report: &Report) -> String {
    let name = format!("connection {}", connection.id);
    match connection.peer.and_then(|id| report.connection(id)) {
        Some(peer) => format!("{name}, whose other end is held by {}", names(&holds(peer))),
        None => name,
    }
}

/// Who may write to a pipe.
pub(super) fn writers(file: &SharedFile) -> Vec<Hold> {
    [ends(file, Some("write")), ends(file, Some("both"))].concat()
}

fn holds(connection: &Connection) -> Vec<Hold> {
    connection.holders.iter().map(|holder| (holder.pid, holder.fd, holder.open_file)).collect()
}

fn ends(file: &SharedFile, end: Option<&str>) -> Vec<Hold> {
    let holders = file.holders.iter().filter(|holder| holder.end.as_deref() == end);
    holders.map(|holder| (holder.pid, holder.fd, holder.open_file)).collect()
}

fn held(words: &str, holds: &[Hold], alike: &str) -> String {
    let same = sameness(holds, alike).map_or_else(String::new, |same| format!(": {same}"));
    format!("{words} {}{same}", names(holds))
}

fn addresses(connection: &Connection) -> String {
    let name = |side: &Option<String>| side.clone().unwrap_or_else(|| "(no name)".to_owned());
    match (&connection.local, &connection.remote) {
        (None, None) => format!("unix sockets with no name, inode {}", connection.inode),
        (local, remote) => format!("{} -> {}, inode {}", name(local), name(remote), connection.inode),
    }
}

fn state(now: Option<&SocketNow>) -> String {
    now.map_or_else(|| "state unknown".to_owned(), |now| now.state.clone())
}

fn opened(guess: Option<&CreatorGuess>, page: &mut Page) {
    if let Some(guess) = guess {
        page.item(&format!("opened by {}, as a guess: {}", guess.pid, guess.why));
    }
}

fn queues(now: Option<&SocketNow>, page: &mut Page) {
    let bytes = |n: u64| plural(n, "byte", "bytes");
    if let Some(SocketNow { receive_queue: Some(receive), send_queue: Some(send), .. }) = now {
        page.item(&format!("{} to be read, {} sent and not yet taken", bytes(*receive), bytes(*send)));
    }
}

fn accepts(now: Option<&SocketNow>, page: &mut Page) {
    if let Some(SocketNow { receive_queue: Some(waiting), send_queue: Some(most), .. }) = now {
        let waiting = plural(*waiting, "connection waits", "connections wait");
        page.item(&format!("{waiting} to be accepted, of at most {most}"));
    }
}

fn watches(file: &SharedFile) -> String {
    let more = file.watches.len().saturating_sub(MOST_WATCHED);
    let name = |watch: &crate::report::Watch| match watch.connection {
        Some(id) => format!("fd {} (connection {id})", watch.fd),
        None => format!("fd {}", watch.fd),
    };
    let mut words: Vec<String> = file.watches.iter().take(MOST_WATCHED).map(name).collect();
    if more > 0 {
        words.push(format!("{more} more"));
    }
    format!("watches {}", list(&words))
}

/// The threads that wait on something.
fn waiting(report: &Report, page: &mut Page, on: impl Fn(&crate::report::Wait) -> bool) {
    let mut words = Vec::new();
    for process in &report.processes {
        for thread in &process.threads {
            if let Some(wait) = thread.waits.as_ref().filter(|wait| on(wait)) {
                let call = wait.syscall.as_deref().unwrap_or("a system call");
                words.push(format!("thread {} of {} (in {call})", thread.tid, process.pid));
            }
        }
    }
    if !words.is_empty() {
        page.item(&format!("waited on by {}", list(&words)));
    }
}
