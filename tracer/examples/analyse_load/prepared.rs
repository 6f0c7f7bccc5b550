//! Events in memory, made before they are analysed: what making them costs is in no figure.

use crate::traffic::Traffic;
use forkscope::analysis::Analysis;
use forkscope::event::{Event, ProcKey, Snapshot, What};
use forkscope::model::Audience;
use forkscope_proto as proto;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How many events there are between two looks at what is new, as in a session.
const TURN: usize = 2000;

/// Events for each connection before anything is measured: with fewer many of them have not been used before,
/// and an event of those takes longer.
const WARM: usize = 24;
/// As if there were so many connections at least.
const LEAST: usize = 10_000;

enum Record {
    Fork(proto::Fork),
    Exit(proto::Exit),
    Call(proto::Call),
    Io(proto::Io),
    Socket(proto::Socket),
    Snapshot(Box<Snapshot>),
}

struct Owned {
    time: u64,
    process: ProcKey,
    tid: u32,
    record: Record,
    payload: Range<usize>,
}

/// A turn's events.
#[derive(Default)]
pub(super) struct Prepared {
    events: Vec<Owned>,
    payloads: Vec<u8>,
}

impl Prepared {
    /// The next turn of this traffic.
    pub(super) fn take(&mut self, traffic: &mut Traffic) {
        self.events.clear();
        self.payloads.clear();
        while self.events.len() < TURN {
            traffic.step(&mut |event| self.push(event));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    fn push(&mut self, event: &Event<'_>) {
        let (record, payload): (_, &[u8]) = match event.what {
            What::Fork(fork) => (Record::Fork(*fork), &[]),
            What::Exit(exit) => (Record::Exit(*exit), &[]),
            What::Call(call, payload) => (Record::Call(*call), payload),
            What::Io(io, payload) => (Record::Io(*io), payload),
            What::Socket(socket, path) => (Record::Socket(*socket), path),
            What::Snapshot(snapshot) => (Record::Snapshot(Box::new(snapshot.clone())), &[]),
            _ => panic!("the traffic has no such event: {event:?}"),
        };
        let from = self.payloads.len();
        self.payloads.extend_from_slice(payload);
        let Event { time, process, tid, .. } = *event;
        self.events.push(Owned { time, process, tid, record, payload: from..self.payloads.len() });
    }

    /// Each, with the one that comes after so many others, as a session has them.
    fn events(&self, ahead: Option<usize>) -> impl Iterator<Item = (Event<'_>, Option<Event<'_>>)> {
        let later = move |at| Some(self.event(self.events.get(at + ahead?)?));
        self.events.iter().enumerate().map(move |(at, owned)| (self.event(owned), later(at)))
    }

    fn event<'a>(&'a self, owned: &'a Owned) -> Event<'a> {
        let payload = &self.payloads[owned.payload.clone()];
        let what = match &owned.record {
            Record::Fork(fork) => What::Fork(fork),
            Record::Exit(exit) => What::Exit(exit),
            Record::Call(call) => What::Call(call, payload),
            Record::Io(io) => What::Io(io, payload),
            Record::Socket(socket) => What::Socket(socket, payload),
            Record::Snapshot(snapshot) => What::Snapshot(snapshot),
        };
        Event { time: owned.time, process: owned.process, tid: owned.tid, what }
    }
}

/// Analyses a turn. In a function of its own, so that a profiler can tell it from what makes the events.
#[inline(never)]
pub(super) fn analyse_prepared(analysis: &mut Analysis, prepared: &Prepared) {
    for (event, later) in prepared.events(analysis.model.foreseen()) {
        later.iter().for_each(|later| analysis.foresee(later));
        analysis.apply(&event);
    }
    black_box(analysis.take_fresh());
    black_box(analysis.take_wanted());
}

/// A traffic of so many processes and connections, and an analysis that has seen as much of it as
/// makes the next events like all that follow: nearly all connections were used several times, and
/// each process has forked.
pub(super) fn warm(processes: usize, connections: usize) -> (Traffic, Analysis) {
    let mut traffic = Traffic::new(processes, connections / processes);
    let mut analysis = Analysis::new(0, BTreeMap::new());
    analysis.model.set_audience(Audience { screen: false, recording: false });
    let (mut count, mut turns, enough) = (0, 0, WARM * connections.max(LEAST));
    while count < enough {
        traffic.step(&mut |event| {
            count += 1;
            analysis.apply(event);
        });
        if count / TURN > turns {
            turns = count / TURN;
            drop((analysis.take_fresh(), analysis.take_wanted()));
        }
    }
    (traffic, analysis)
}

/// Analyses at least so many events of a traffic: how many it were, and how long that took.
pub(super) fn analyse(analysis: &mut Analysis, traffic: &mut Traffic, least: u64) -> (u64, Duration) {
    let (mut prepared, mut count, mut took) = (Prepared::default(), 0, Duration::ZERO);
    while count < least {
        prepared.take(traffic);
        let began = Instant::now();
        analyse_prepared(analysis, &prepared);
        took += began.elapsed();
        count += prepared.len() as u64;
    }
    (count, took)
}
