//! Reading frames allocates nothing: only what is kept of a request does. Nor does holding
//! an event against a filter.

use forkscope::analysis::Analysis;
use forkscope::event::{Event, ProcKey, Snapshot, What};
use forkscope::filter::Filter;
use forkscope::protocol::{Chunk, Direction, User, Wire};
use forkscope_proto::{Header, Io, calls};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Counts what each thread allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: hands everything on to the system's allocator; the count is a thread's own and needs no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// A frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[test]
fn frames_are_read_without_allocating() {
    let mut wire = Wire::new();
    let mut feed = |dir, bytes: &[u8], len: u64| {
        let before = COUNT.get();
        wire.feed(User(1), dir, Chunk::new(bytes, len), &mut |_| ());
        COUNT.get() - before
    };
    let preface = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, b"\0\x04\0\x01\0\0")].concat();
    assert!(feed(Direction::Sent, &preface, preface.len() as u64) > 0, "what is counted");
    let request = |stream, path: &str| {
        let block = format!("\x5f\x10application/grpc\x44\x08{path}\x40\x06cookie\x05~~~~~");
        frame(1, 4, stream, block.as_bytes())
    };
    // The table and the streams take their room with the first ones.
    for stream in (1..400).step_by(2) {
        let [request, end] = [request(stream, "/p.S/One"), frame(0, 1, stream, b"\0\0\0\0\0")];
        feed(Direction::Sent, &request, request.len() as u64);
        feed(Direction::Sent, &end, end.len() as u64);
        let answer = [frame(1, 4, stream, b"\x88"), frame(1, 5, stream, b"\0\x0bgrpc-status\x010")].concat();
        feed(Direction::Received, &answer, answer.len() as u64);
    }
    let others = [
        frame(0, 0, 399, &[b'x'; 100]),
        frame(0, 8, 399, b"\x05\0\0\0\0\0~~~~~"),
        frame(6, 0, 0, b"12345678"),
        frame(8, 0, 0, b"\0\0\0\x01"),
        frame(4, 0, 0, b"\0\x03\0\0\0\x64"),
        frame(1, 5, 399, b"\0\x0bgrpc-status\x010\x10\x06cookie\x03~~~"),
        frame(3, 0, 399, b"\0\0\0\x08"),
    ];
    let all = others.concat();
    for _ in 0..100 {
        for dir in [Direction::Sent, Direction::Received] {
            assert_eq!(feed(dir, &all, all.len() as u64), 0);
            for other in &others {
                assert_eq!(feed(dir, other, other.len() as u64), 0, "{}", other.escape_ascii());
            }
        }
    }
    // A body of which the beginning alone was captured.
    let large = [&frame(0, 0, 399, &[])[3..], &[b'x'; 200]].concat();
    let large = [&[0, 0x40, 0][..], &large].concat();
    assert_eq!(feed(Direction::Sent, &large, 0x4000 + 9), 0);
    // A new stream whose fields stand in the table: its first process' counts take the room
    // of a forgotten stream's.
    let again = frame(1, 4, 401, b"\x83\xbf\xbe");
    assert_eq!(feed(Direction::Sent, &again, again.len() as u64), 0);
    let path = request(403, "/p.S/ThisPathIsLongerThanWhatAListMakesRoomFor");
    assert!(feed(Direction::Sent, &path, path.len() as u64) <= 2, "the new path");
}

#[test]
fn events_are_held_against_filters_without_allocating() {
    let filter =
        "pid:7 comm:py call:sendto errno:any -fd:9 -conn:9 -proto:http -rule:any enotsock -\"grüße\"";
    let filter = Filter::parse(filter).expect("a filter");
    let mut analysis = Analysis::new(0, BTreeMap::new());
    let process = ProcKey { tgid: 7, start: 1 };
    let snapshot = Snapshot { comm: "python3".to_owned(), threads: 1, ..Snapshot::default() };
    analysis.apply(&Event { time: 1, process, tid: 7, what: What::Snapshot(&snapshot) });
    let io =
        Io { ret: -88, fd: 6, header: Header { nr: calls::SENDTO, ..Header::default() }, ..Io::default() };
    let event = Event { time: 2, process, tid: 7, what: What::Io(&io, b"") };
    let before = COUNT.get();
    let matches = filter.matches(&analysis.event_subject(&event, "sendto(6) = -1 ENOTSOCK"));
    assert_eq!((matches, COUNT.get() - before), (true, 0));
}
