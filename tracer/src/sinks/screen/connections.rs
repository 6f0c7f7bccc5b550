//! The pane of connections: who holds them, who used them; shared ones first.

use super::list::List;
use super::look::short;
use super::page::{Column, Line, Role, Table, numbers, plain, span, words};
use super::search::Search;
use super::{Sight, Sorted};
use crate::errno;
use crate::model::{Address, ProcId, SockId, Socket, Usage};
use crate::protocol::Protocol;
use std::cmp::Reverse;

const COLUMNS: [Column; 11] = [
    numbers("ID", 7, 0),
    words("LOCAL", 22, 3),
    words("REMOTE", 22, 0),
    words("PROTOCOL", 10, 1),
    words("METHOD", 34, 6),
    words("HELD BY", 24, 0),
    numbers("SENT", 6, 4),
    numbers("RECEIVED", 8, 4),
    words("LAST 5 S", 10, 5),
    words("LAST ERROR", 20, 2),
    words("STATE", 0, 1),
];
/// Holders that are named in a row.
const MOST_NAMED: usize = 4;

/// How the connections are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum By {
    /// Used by several processes, then inherited, then the others; the newest first.
    #[default]
    Shared,
    /// By number: the oldest first.
    Id,
    /// Those that moved most.
    Bytes,
    /// By the peer.
    Remote,
}

impl Sorted for By {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Shared, "shared", "HELD BY"),
        (Self::Id, "id", "ID"),
        (Self::Bytes, "bytes", "SENT"),
        (Self::Remote, "remote", "REMOTE"),
    ];
}

/// The pane's state.
#[derive(Debug, Default)]
pub(super) struct Connections {
    pub(super) list: List<SockId>,
    pub(super) by: By,
    search: Option<Search<(u64, SockId)>>,
    /// Only those that crossed a fork are shown.
    pub(super) only_shared: bool,
}

impl Connections {
    /// Begins to find out which rows there are.
    pub(super) fn look(&mut self, sight: &Sight<'_>) {
        self.search = Some(Search::new(&sight.analysis.model));
    }

    /// Whether it is being found out.
    pub(super) fn is_looking(&self) -> bool {
        self.search.is_some()
    }

    /// Goes on to find out which rows there are: what was found before is shown until all is.
    pub(super) fn fill(&mut self, sight: &Sight<'_>) {
        let Some(mut search) = self.search.take() else { return };
        let model = &sight.analysis.model;
        let row = |socket: &Socket| {
            let shown = (!self.only_shared || socket.crossed.is_some()) && sight.shows_connection(socket);
            shown.then(|| (self.key(socket), socket.id))
        };
        let Some(mut rows) = search.go_on(model, row) else {
            self.search = Some(search);
            return;
        };
        rows.sort_unstable_by_key(|(key, id)| (*key, Reverse(*id)));
        if self.by == By::Remote {
            let remote = |id: SockId| model.socket(id).map(|socket| socket.remote().to_string());
            rows.sort_by_cached_key(|(_, id)| remote(*id));
        }
        self.list.fill(rows.into_iter().map(|(_, id)| id).collect());
    }

    /// What comes first has the least.
    fn key(&self, socket: &Socket) -> u64 {
        match self.by {
            By::Shared => {
                let users = socket.users.iter().filter(|user| user.sent.1 > 0 || user.received.1 > 0).count();
                let ranks = [socket.crossed.is_some() && users > 1, socket.crossed.is_some()];
                ranks.iter().filter(|is| !**is).count() as u64 * 2 + u64::from(!socket.is_open())
            }
            By::Bytes => u64::MAX - moved(socket).0.saturating_add(moved(socket).1),
            By::Id => u64::from(socket.id.0),
            By::Remote => 0,
        }
    }

    /// The rows that are seen.
    pub(super) fn table(&mut self, sight: &Sight<'_>, height: usize) -> Table {
        let window = self.list.window(height);
        let ids = &self.list.rows()[window.clone()];
        let rows = ids.iter().map(|&id| row(sight, id)).collect();
        Table {
            columns: COLUMNS.to_vec(),
            sorted: Some(self.by.column()),
            empty: sight.nothing("No connection yet."),
            ..self.list.framed(&window, rows)
        }
    }
}

fn row(sight: &Sight<'_>, id: SockId) -> Vec<Line> {
    let Some(socket) = sight.analysis.model.socket(id) else { return vec![Line::new(); COLUMNS.len()] };
    let (sent, received) = moved(socket);
    let graph = sight.rates.of(id).map(|graph| sight.style.graph(graph.until(sight.now)));
    vec![
        plain(id.0.to_string()),
        plain(address(&socket.local())),
        plain(address(&socket.remote())),
        plain(protocol(socket)),
        plain(method(socket).unwrap_or_default()),
        holders(sight, socket),
        plain(short(sent)),
        plain(short(received)),
        vec![span(graph.unwrap_or_default(), Role::Info)],
        last_error(socket).map(|error| vec![span(error, Role::Error)]).unwrap_or_default(),
        state(sight, socket),
    ]
}

fn address(address: &Address) -> String {
    match address {
        Address::None => "(no name)".to_owned(),
        named => named.to_string(),
    }
}

/// What is spoken: `TLS (h2)`, `HTTP/2`.
pub(super) fn protocol(socket: &Socket) -> String {
    match (socket.protocol(), socket.tls().and_then(|tls| tls.chosen())) {
        (Protocol::Unknown, _) => String::new(),
        (Protocol::Tls, Some(inside)) => format!("TLS ({inside})"),
        (known, _) => known.name().to_owned(),
    }
}

/// The method that was called last.
fn method(socket: &Socket) -> Option<String> {
    let streams = socket.http2()?.streams();
    let called =
        streams.filter_map(|stream| stream.uses().iter().find_map(|usage| usage.path.clone())).last();
    called.map(|path| path.to_string())
}

/// The processes of a connection, each in its colour: those that use it, or have it from a fork.
fn holders(sight: &Sight<'_>, socket: &Socket) -> Line {
    let among = sight.processes_of(socket.id);
    let mut line = Line::new();
    for (at, &id) in among.iter().enumerate() {
        if at == MOST_NAMED {
            line.push(span(format!("+{}", among.len() - at), Role::Dim));
            break;
        }
        line.push(sight.pid_among(id, &among));
        line.push(span(if sight.holds(socket.id, id) { " " } else { "x " }, Role::Dim));
    }
    line
}

/// Bytes sent and received, by all.
fn moved(socket: &Socket) -> (u64, u64) {
    let sum = |sum: (u64, u64), user: &Usage| {
        (sum.0.saturating_add(user.sent.0), sum.1.saturating_add(user.received.0))
    };
    socket.users.iter().fold((0, 0), sum)
}

fn last_error(socket: &Socket) -> Option<String> {
    let (_, nr, errno) = socket.users.iter().filter_map(Usage::last_error).max_by_key(|error| error.0)?;
    let call = forkscope_proto::calls::name(nr).unwrap_or("?");
    Some(format!("{call} {}", errno::name(errno).unwrap_or("?")))
}

fn state(sight: &Sight<'_>, socket: &Socket) -> Line {
    if let Some(goodbye) = socket.goodbye() {
        let by: ProcId = goodbye.by.process;
        let pid = sight.analysis.model.pid(by);
        return vec![span(format!("goodbye by {pid}"), Role::Warning)];
    }
    match socket.is_open() {
        true if socket.crossed.is_some() => vec![span("inherited", Role::Info)],
        true => plain("open"),
        false => vec![span("closed", Role::Dim)],
    }
}
