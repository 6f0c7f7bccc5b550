//! Bytes of a process, a descriptor and a connection: what the heap holds more with so
//! many of them than without.

use crate::counting::live;
use crate::made::Made;
use crate::traffic::Traffic;
use forkscope::analysis::Analysis;
use forkscope::event::{Event, What};
use forkscope_proto::FileRef;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PROCESSES: u32 = 10_000;
const DESCRIPTORS: i32 = 10_000;
const CONNECTIONS: usize = 1_000;

/// Requests, and their answers, on each connection.
const EXCHANGES: usize = 40;

pub(super) fn measure() -> Value {
    let speaking = |grpc: bool| {
        let (used, gone) = connection(grpc);
        json!({ "used": used, "gone": gone })
    };
    json!({
        "process": processes(|parent, analysis, pid| {
            let _ = parent;
            Made { pid }.appear(analysis);
        }),
        "forked_process": processes(|parent, analysis, pid| parent.fork(analysis, &parent.forking(2, pid))),
        "descriptor": descriptor(),
        "connection": { "grpc": speaking(true), "redis": speaking(false) },
    })
}

/// Bytes of each, without the room that lists and tables have for more.
fn each(before: usize, count: usize) -> f64 {
    (live().saturating_sub(before) as f64 / count as f64).round()
}

fn processes(make: impl Fn(Made, &mut Analysis, u32)) -> f64 {
    let mut analysis = Analysis::new(0, BTreeMap::new());
    let parent = Made { pid: 1 };
    parent.appear(&mut analysis);
    let before = live();
    (2..2 + PROCESSES).for_each(|pid| make(parent, &mut analysis, pid));
    analysis.take_wanted();
    each(before, PROCESSES as usize)
}

fn descriptor() -> f64 {
    let mut analysis = Analysis::new(0, BTreeMap::new());
    let process = Made { pid: 1 };
    process.appear(&mut analysis);
    let before = live();
    (3..3 + DESCRIPTORS).for_each(|fd| process.open(&mut analysis, 2, fd));
    each(before, DESCRIPTORS as usize)
}

/// Bytes of a connection that is in use, its descriptor and all, and of one that nobody holds any more.
fn connection(grpc: bool) -> (f64, f64) {
    let mut traffic = Traffic::new(1, 2 * CONNECTIONS);
    let mut analysis = Analysis::new(0, BTreeMap::new());
    let mut held: BTreeMap<(u32, i32), FileRef> = BTreeMap::new();
    let before = live();
    let (mut transfers, wanted) = (0, CONNECTIONS * EXCHANGES * 3);
    while transfers < wanted {
        traffic.step(&mut |event| {
            if let What::Io(io, _) = event.what {
                transfers += usize::from(is_of(event, grpc));
                if is_of(event, grpc) {
                    held.insert((event.process.tgid, io.fd), io.file);
                }
            }
            if is_of(event, grpc) {
                analysis.apply(event);
            }
        });
    }
    drop((analysis.take_fresh(), analysis.take_wanted()));
    let noted = live();
    let count = analysis.model.socket_count();
    let own = held.len() * size_of::<((u32, i32), FileRef)>();
    let used = each(before + own, count);
    for (&(pid, fd), &file) in &held {
        let now = analysis.model.now();
        Made { pid }.close(&mut analysis, now, fd, file);
    }
    let freed = noted.saturating_sub(live()) as f64 / count as f64;
    (used, (used - freed).round())
}

/// Whether an event is one of a connection that speaks this: no other is taken in, and no fork.
fn is_of(event: &Event<'_>, grpc: bool) -> bool {
    // The traffic opens the one sort under odd numbers, the other under even ones.
    let fd = |fd: i32| fd > 4 && (fd % 2 == 1) == grpc;
    match event.what {
        What::Io(io, _) => fd(io.fd),
        What::Call(call, _) => fd(call.fd),
        What::Socket(socket, _) => (socket.remote_port == 50_051) == grpc,
        What::Snapshot(_) => true,
        _ => false,
    }
}
