//! A connection, opened: its ownership timeline. A lane for each process, a column for each
//! mark, and the marks as rows.

use super::Sight;
use super::journal::{Mark, Marks, What};
use super::list::List;
use super::look::{Style, short};
use super::names::role_among;
use super::page::{Lanes, Line, Page, Role, Span, Table, fit, numbers, plain, span, words};
use crate::errno;
use crate::model::{ProcId, SockId, Socket, Usage};
use crate::protocol::FrameKind;
use forkscope_proto::calls;

/// Lanes that are shown.
const MOST_LANES: usize = 6;
/// Columns before the lanes, on a narrow and on a wide terminal, and from when on it is wide.
const LABEL: usize = 34;
const WIDE_LABEL: usize = 46;
const WIDE: usize = 110;

/// What is opened, and where the cursor is: a row is a mark's number, counted from the
/// first that was ever made.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    pub(super) id: SockId,
    pub(super) list: List<u64>,
}

impl Timeline {
    pub(super) fn new(id: SockId) -> Self {
        Self { id, list: List::default() }
    }

    /// Finds out which rows there are.
    pub(super) fn fill(&mut self, sight: &Sight<'_>) {
        let rows = sight.journal.of(self.id).map_or_else(Vec::new, |marks| {
            (marks.dropped..marks.dropped + marks.marks.len() as u64).collect()
        });
        self.list.fill(rows);
    }

    /// Goes to the mark that is nearest to a moment.
    pub(super) fn go_to(&mut self, sight: &Sight<'_>, time: u64) {
        self.fill(sight);
        let Some(marks) = sight.journal.of(self.id) else { return };
        let distance = |mark: &Mark| match time {
            time if time < mark.from => mark.from - time,
            time => time.saturating_sub(mark.to),
        };
        let nearest = marks.marks.iter().enumerate().min_by_key(|(_, mark)| distance(mark));
        if let Some((at, _)) = nearest {
            self.list.select(marks.dropped + at as u64);
        }
    }

    /// The selected mark.
    pub(super) fn selected<'a>(&self, sight: &Sight<'a>) -> Option<&'a Mark> {
        let marks: &'a Marks = sight.journal.of(self.id)?;
        marks.marks.get(usize::try_from(self.list.selected()?.checked_sub(marks.dropped)?).ok()?)
    }

    /// Goes to the next mark whose words pass.
    pub(super) fn search(&mut self, sight: &Sight<'_>, forward: bool, has: impl Fn(&str) -> bool) -> bool {
        let Some(marks) = sight.journal.of(self.id) else { return false };
        self.list.find(forward, |number| {
            let at = number.checked_sub(marks.dropped).and_then(|at| usize::try_from(at).ok());
            let mark = at.and_then(|at| marks.marks.get(at));
            mark.is_some_and(|mark| has(&format!("{} {}", sight.process(mark.process), text(mark.what))))
        })
    }

    /// The whole page, in `columns` columns and with this many lines for lanes and rows together.
    pub(super) fn page(&mut self, sight: &Sight<'_>, columns: usize, height: usize, page: &mut Page) {
        let Some(socket) = sight.analysis.model.socket(self.id) else {
            page.table.empty = "This connection is not known: it is long gone, or yet to come.".to_owned();
            return;
        };
        let line = sight.analysis.connection_line(self.id.0).unwrap_or_default();
        page.head
            .push(vec![span(format!("connection {}  ", self.id.0), Role::Strong), span(line, Role::Plain)]);
        let among = sight.processes_of(self.id);
        let none = Marks::default();
        let marks = sight.journal.of(self.id).unwrap_or(&none);
        if marks.dropped > 0 {
            page.head
                .push(vec![span(format!("{} older marks were dropped", short(marks.dropped)), Role::Dim)]);
        }
        let label = if columns < WIDE { LABEL } else { WIDE_LABEL };
        let mut lanes = self.lanes(sight, socket, &among, marks, [label, columns.saturating_sub(label + 2)]);
        lanes.label = label as u16;
        lanes.legend = legend(sight.style, marks, columns);
        let used = page.head.len() + lanes.labels.len() + 2;
        page.lanes = Some(lanes);
        page.table = self.table(sight, &among, marks, height.saturating_sub(used + 1));
    }

    fn lanes(
        &self,
        sight: &Sight<'_>,
        socket: &Socket,
        among: &[ProcId],
        marks: &Marks,
        [room, width]: [usize; 2],
    ) -> Lanes {
        let all = marks.marks.len();
        let cursor = self.list.cursor();
        // The cursor is in the middle, but at the ends.
        let from = cursor.saturating_sub(width / 2).min(all.saturating_sub(width));
        let seen = || marks.marks.iter().skip(from).take(width);
        let mut lanes = Lanes { cursor: (all > 0).then(|| cursor - from), ..Lanes::default() };
        for (place, &process) in among.iter().take(MOST_LANES).enumerate() {
            lanes.labels.push(label(sight, socket, process, Role::Process(place as u8), room));
            lanes.lanes.push(lane(
                sight,
                socket,
                marks,
                [from, width],
                (process, Role::Process(place as u8)),
            ));
        }
        if among.len() > MOST_LANES {
            let more = format!("and {} processes more, in the rows below", among.len() - MOST_LANES);
            lanes.labels.push(vec![span(more, Role::Dim)]);
            lanes.lanes.push(Vec::new());
        }
        let time = |mark: Option<&Mark>| mark.map(|mark| sight.time(mark.from)).unwrap_or_default();
        lanes.ends = [time(seen().next()), time(seen().next_back())];
        lanes
    }

    fn table(&mut self, sight: &Sight<'_>, among: &[ProcId], marks: &Marks, height: usize) -> Table {
        let window = self.list.window(height);
        let seen = marks.marks.iter().skip(window.start).take(window.len());
        let rows = seen.map(|mark| {
            let bytes = if mark.bytes > 0 { short(mark.bytes) } else { String::new() };
            let count = if mark.count > 1 { format!("x{}", mark.count) } else { String::new() };
            let role = told(mark.what);
            vec![
                plain(sight.time(mark.from)),
                vec![span(sight.process(mark.process), role_among(mark.process, among))],
                plain(mark.fd.to_string()),
                plain(bytes),
                plain(count),
                vec![span(text(mark.what), role)],
            ]
        });
        Table {
            columns: vec![
                numbers("TIME", 13, 0),
                words("PROCESS", 20, 0),
                numbers("FD", 5, 1),
                numbers("BYTES", 6, 0),
                numbers("TIMES", 6, 1),
                words("WHAT", 0, 0),
            ],
            empty: "Nothing was seen on it since forkscope looks.".to_owned(),
            ..self.list.framed(&window, rows.collect())
        }
    }
}

/// `4242 python3.8 fd 6 ^1.2k v34`, in so many columns.
fn label(sight: &Sight<'_>, socket: &Socket, process: ProcId, role: Role, columns: usize) -> Line {
    let usage = socket.usage(process);
    let fd = sight.holders.number(socket.id, process).or(usage.map(|usage| usage.fd));
    let fd = fd.map(|fd| format!(" fd {fd}")).unwrap_or_default();
    let name: String = sight.process(process).chars().take(16).collect();
    let mut line = vec![(0, span(name, role)), (1, span(fd, Role::Plain))];
    if let Some(usage) = usage {
        let [up, down] = sight.style.sign(["↑", "↓"], ["^", "v"]);
        let text = format!(" {up}{} {down}{}", short(usage.sent.0), short(usage.received.0));
        line.push((2, span(text, Role::Dim)));
    }
    if let Some(graph) = sight.rates.of_one(socket.id, process) {
        line.push((4, span(format!(" {}", sight.style.graph(graph.until(sight.now))), Role::Info)));
    }
    let ended = sight.analysis.model.process(process).is_some_and(|known| known.ended.is_some());
    if ended {
        line.push((3, span(" ended", Role::Dim)));
    }
    fit(line, columns)
}

/// One process' marks, each in its column; between them a line while it holds the connection.
fn lane(
    sight: &Sight<'_>,
    socket: &Socket,
    marks: &Marks,
    [from, width]: [usize; 2],
    (process, role): (ProcId, Role),
) -> Vec<Span> {
    let style = sight.style;
    let own = |mark: &&Mark| mark.process == process;
    let Some(first) = marks.marks.iter().position(|mark| own(&mark)) else { return Vec::new() };
    let let_go = marks.marks.iter().rposition(|mark| mark.process == process && mark.what == What::Closed);
    let ended = sight.analysis.model.process(process).and_then(|known| known.ended).map(|(time, _)| time);
    let closed = socket.usage(process).and_then(Usage::closed_at);
    let until = ended.into_iter().chain(closed).min().unwrap_or(u64::MAX);
    let rail = style.sign("─", "-");
    let seen = marks.marks.iter().enumerate().skip(from).take(width);
    seen.map(|(at, mark)| match mark.process == process {
        true => span(sign(style, mark.what), if told(mark.what) == Role::Error { Role::Error } else { role }),
        false if at > first && let_go.is_none_or(|end| at < end) && mark.from < until => {
            span(rail, Role::Dim)
        }
        false => span(" ", Role::Plain),
    })
    .collect()
}

/// A mark as one character. What is sent is a capital or points up.
fn sign(style: Style, what: What) -> String {
    let sign = match what {
        What::Sent => style.sign('↑', '^'),
        What::Received => style.sign('↓', 'v'),
        What::Frame { sent: true, kind, .. } => letter(kind),
        What::Frame { sent: false, kind, .. } => letter(kind).to_ascii_lowercase(),
        What::Inherited => style.sign('├', '+'),
        What::Goodbye(_) | What::Shutdown => style.sign('✕', 'X'),
        What::PeerGoodbye(_) | What::Ended => style.sign('┤', '|'),
        What::Closed => style.sign('○', 'o'),
        What::Failed { .. } => '!',
        What::Stolen => '?',
        What::Torn => '#',
    };
    sign.to_string()
}

/// The first letter of a frame's type; those that begin alike differ in what follows them in the rows.
fn letter(kind: FrameKind) -> char {
    kind.to_string().chars().next().unwrap_or('F')
}

/// What the marks mean that this connection has, as many as have room.
fn legend(style: Style, marks: &Marks, columns: usize) -> Line {
    let has = |meant: fn(What) -> bool| marks.marks.iter().any(|mark| meant(mark.what));
    let entries: [(bool, [&str; 2]); 10] = [
        (has(|what| what == What::Sent), ["↑ sent", "^ sent"]),
        (has(|what| what == What::Received), ["↓ received", "v received"]),
        (has(|what| matches!(what, What::Frame { .. })), ["H/h frame"; 2]),
        (has(|what| what == What::Inherited), ["├ inherited", "+ inherited"]),
        (has(|what| what == What::Closed), ["○ closed", "o closed"]),
        (has(|what| matches!(what, What::Goodbye(_) | What::Shutdown)), ["✕ goodbye", "X goodbye"]),
        (has(|what| matches!(what, What::PeerGoodbye(_) | What::Ended)), ["┤ ended", "| ended"]),
        (has(|what| matches!(what, What::Failed { .. })), ["! failed"; 2]),
        (has(|what| what == What::Stolen), ["? stolen"; 2]),
        (has(|what| what == What::Torn), ["# torn"; 2]),
    ];
    let shown = entries.iter().filter(|(has, _)| *has).map(|(_, [unicode, ascii])| {
        let text = style.sign(unicode, ascii);
        // What every connection has is known soonest.
        (if text.contains("sent") { 2 } else { 1 }, span(format!("{text}  "), Role::Dim))
    });
    fit(shown.collect(), columns)
}

/// A mark in words.
fn text(what: What) -> String {
    let stream = |stream: u32| if stream == 0 { String::new() } else { format!(" on stream {stream}") };
    match what {
        What::Sent => "sent".into(),
        What::Received => "received".into(),
        What::Frame { sent, kind, stream: id } => {
            format!("{kind}{} {}", stream(id), if sent { "sent" } else { "received" })
        }
        What::Inherited => "inherited at a fork".into(),
        What::Goodbye(message) => format!("said goodbye: {message}"),
        What::PeerGoodbye(message) => format!("read the peer's goodbye: {message}"),
        What::Shutdown => "shut it down".into(),
        What::Closed => "closed it".into(),
        What::Ended => "was told that the stream has ended".into(),
        What::Failed { nr, errno } => {
            let call = calls::name(nr).unwrap_or("a call");
            errno::name(errno)
                .map_or_else(|| format!("{call} failed"), |name| format!("{call} failed: {name}"))
        }
        What::Stolen => "read what another's request was answered with".into(),
        What::Torn => "broke into another's message, stream or session".into(),
    }
}

/// How a mark is to be read.
fn told(what: What) -> Role {
    match what {
        What::Failed { errno, .. } if errno::is_not_now(errno) => Role::Dim,
        What::Failed { .. } | What::Stolen | What::Torn => Role::Error,
        What::Goodbye(_) | What::Shutdown => Role::Warning,
        What::Inherited | What::Closed | What::Ended | What::PeerGoodbye(_) => Role::Info,
        What::Sent | What::Received | What::Frame { .. } => Role::Plain,
    }
}
