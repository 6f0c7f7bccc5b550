//! What makes two findings of two sessions the same one: what stays when pids, numbers,
//! times and ports are others.

use crate::errno;
use crate::model::{Address, Model, ProcId, Socket};
use crate::rules::{Cause, Draft};
use forkscope_proto::calls;
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// From here on the kernel takes the ports that nobody chose (ip_local_port_range,
/// Documentation/networking/ip-sysctl.rst).
const CHOSEN_BY_NOBODY: u16 = 32_768;
/// Generations between a creator and a user that are told apart from no relation.
const MOST_GENERATIONS: usize = 64;
/// The most characters of a program's name, and of a unix socket's.
const MOST_NAME: usize = 108;

/// The fingerprint of a draft's finding, for example
/// `enotsock; python, child of python; HTTP/2; tcp loopback port 8080; sendmsg ENOTSOCK`.
pub(super) fn fingerprint(model: &Model, draft: &Draft) -> String {
    let socket = draft.socket.and_then(|id| model.socket(id));
    let mut parts = vec![
        cause(draft).to_owned(),
        programs(model, draft, socket),
        socket.map_or("no connection", |socket| socket.protocol().name()).to_owned(),
        socket.map_or_else(|| "-".to_owned(), place),
    ];
    // Of two that share a connection, which call is the first to tell is a matter of luck.
    if let Cause::Number { .. } = draft.claim.cause {
        let call = draft.nr.and_then(calls::name);
        let failure = call.into_iter().chain(draft.errno.and_then(errno::name));
        parts.push(failure.collect::<Vec<_>>().join(" "));
    }
    parts.join("; ")
}

/// What joins drafts, in a word. Of a number it is the rule; which of the rules of one sharing sees it, or
/// sees most of it, is a matter of luck.
fn cause(draft: &Draft) -> &'static str {
    match draft.claim.cause {
        Cause::Number { .. } => draft.claim.rule.name(),
        Cause::Sharing(_) => "sharing",
        Cause::Holding(_) => "holding",
        Cause::Pinning(_) => "pinning",
        Cause::Stalling(_) => "stalling",
        Cause::Epoll(_) | Cause::Wakeup(_) => "event loop",
    }
}

/// The programs in it, each as what it is to the one that opened the connection.
fn programs(model: &Model, draft: &Draft, socket: Option<&Socket>) -> String {
    let opened = socket.map(|socket| socket.opened.process);
    let creator = opened.or(draft.others.first().copied()).unwrap_or(draft.process);
    let users = std::iter::once(draft.process).chain(draft.others.iter().copied());
    let users = users.filter(|&user| user != creator);
    let users: BTreeSet<String> = users
        .map(|user| format!("{}, {} of ", program(model, user), relation(model, user, creator)))
        .collect();
    let users: Vec<String> = users.into_iter().map(|user| user + &program(model, creator)).collect();
    if users.is_empty() { program(model, creator) } else { users.join(" and ") }
}

/// What a process is to another.
fn relation(model: &Model, process: ProcId, other: ProcId) -> &'static str {
    match (generations(model, process, other), generations(model, other, process)) {
        (Some(1), _) => "child",
        (Some(_), _) => "descendant",
        (None, Some(1)) => "parent",
        (None, Some(_)) => "ancestor",
        (None, None) => "relative",
    }
}

/// How many forks lead from an ancestor to a process.
fn generations(model: &Model, process: ProcId, ancestor: ProcId) -> Option<usize> {
    let parent = |id: &ProcId| model.process(*id).and_then(|process| process.parent);
    let line = std::iter::successors(Some(process), parent).take(MOST_GENERATIONS);
    line.enumerate().find(|&(at, id)| at > 0 && id == ancestor).map(|(at, _)| at)
}

/// A program's name without what tells it from its like: a version, a number.
fn program(model: &Model, id: ProcId) -> String {
    let name = model.process(id).map_or("", |process| &process.comm);
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_' | ':' | '#');
    let stem = name.trim_end_matches(is_number);
    match (name, stem) {
        ("", _) => "?".to_owned(),
        (_, "") => plain(name),
        _ => plain(stem),
    }
}

/// Where the server is, as far as somebody chose that.
fn place(socket: &Socket) -> String {
    let server = if socket.accepted { socket.local() } else { socket.remote() };
    let port = |at: &SocketAddr| match at.port() {
        CHOSEN_BY_NOBODY.. => String::new(),
        port => format!(" port {port}"),
    };
    match &server {
        Address::Inet(at) if socket.accepted => format!("tcp server{}", port(at)),
        Address::Inet(at) if at.ip().is_loopback() => format!("tcp loopback{}", port(at)),
        Address::Inet(at) => format!("tcp{}", port(at)),
        Address::Unix(name) => format!("unix {}", unix(name)),
        Address::None => "no address".to_owned(),
    }
}

/// A unix socket's name. Of one that is abstract, or in a directory for what is temporary, the last part,
/// with `*` for what may have been drawn or counted.
fn unix(name: &str) -> String {
    const TEMPORARY: [&str; 5] = ["@", "/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/"];
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        // Its peer's inode.
        return "unnamed".to_owned();
    }
    if !TEMPORARY.iter().any(|place| name.starts_with(place)) {
        return plain(name);
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    let mut out = String::new();
    let mut after_tmp = false;
    for word in last.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        let drawn = bare.contains(|c: char| c.is_ascii_digit()) || (after_tmp && !bare.is_empty());
        out.push_str(if drawn { "*" } else { bare });
        out.push_str(&word[bare.len()..]);
        after_tmp = bare == "tmp";
    }
    plain(&out)
}

/// A text of a traced program with nothing in it that means something in a fingerprint.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " ./_-+@:*[]()#%=".contains(c);
    text.chars().take(MOST_NAME).map(|c| if is_plain(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_unix_sockets() {
        for (name, expected) in [
            ("/run/postgresql/.s.PGSQL.5432", "/run/postgresql/.s.PGSQL.5432"),
            ("/tmp/pytest-12/a/app.sock", "app.sock"),
            ("/tmp/tmpx8k2abcd", "*"),
            ("/tmp/tmp.aBcDeFgHiJ", "tmp.*"),
            ("@app-4242", "@app-*"),
            ("@/tmp/dbus-Xy7zAbCdEf", "dbus-*"),
            ("81234", "unnamed"),
            ("/srv/a;b\n", "/srv/a?b?"),
            ("", ""),
        ] {
            assert_eq!(unix(name), expected, "{name}");
        }
    }
}
