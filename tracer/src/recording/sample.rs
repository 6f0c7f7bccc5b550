//! For tests: events of every kind with anything in them, and a header.

use super::{Header, Payload};
use crate::event::{
    Event, Glance, GlancedThread, ParentThread, ProcKey, SeenCall, Snapshot, SnapshotFd, WaitsOn, What,
};
use crate::report::{Backend, Host, Target, Tool};
use forkscope_proto::{self as proto, FileRef, Kind};
use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

pub(crate) fn header(payload: Payload) -> Header {
    Header {
        tool: Tool::this(),
        start: "2024-05-01T12:00:00.000000Z".into(),
        clock: 5_000_000_000,
        target: Target::Run { command: vec!["python3".into(), "app.py".into()] },
        host: Host { kernel: "6.18.0".into(), arch: "x86_64".into() },
        backend: Backend::Ebpf,
        payload,
        capture: 256,
    }
}

/// An event that owns what it is made of.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) time: u64,
    pub(super) process: ProcKey,
    pub(super) tid: u32,
    pub(super) record: Record,
    pub(super) payload: Vec<u8>,
}

#[derive(Clone, Debug)]
pub(super) enum Record {
    Fork(proto::Fork),
    Exec(proto::Exec),
    Exit(proto::Exit),
    Call(proto::Call),
    Io(proto::Io),
    Socket(proto::Socket),
    Uring(proto::UringIo),
    Passed(proto::Passed),
    Compat,
    Plaintext(proto::Plaintext),
    Snapshot(Snapshot),
    Glance(Glance),
}

impl Owned {
    pub(super) fn event(&self) -> Event<'_> {
        let Self { time, process, tid, ref record, ref payload } = *self;
        let what = match record {
            Record::Fork(record) => What::Fork(record),
            Record::Exec(record) => What::Exec(record, payload),
            Record::Exit(record) => What::Exit(record),
            Record::Call(record) => What::Call(record, payload),
            Record::Io(record) => What::Io(record, payload),
            Record::Socket(record) => What::Socket(record, payload),
            Record::Uring(record) => What::Uring(record),
            Record::Passed(record) => What::Passed(record),
            Record::Compat => What::Compat,
            Record::Plaintext(record) => What::Plaintext(record, payload),
            Record::Snapshot(seen) => What::Snapshot(seen),
            Record::Glance(seen) => What::Glance(seen),
        };
        Event { time, process, tid, what }
    }
}

/// Words that are often small, or the same. As a file's last word one of them says that it is a socket.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), Just(1 << 32), 0u64..9, 0u64..300, any::<u64>()]
}

/// Processes and threads that often are the same.
fn task() -> impl Strategy<Value = u32> {
    prop_oneof![3 => 1u32..5, 1 => any::<u32>()]
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let path = prop::option::of("[a-z/]{0,9}");
    let socket = prop::option::of(prop::collection::vec(word(), 15));
    let fd = (any::<i32>(), any::<bool>(), prop::collection::vec(word(), 3), path, socket).prop_map(
        |(fd, cloexec, file, path, socket)| SnapshotFd {
            fd,
            cloexec,
            file: FileRef::read_from_bytes(file.as_bytes()).expect("its size"),
            path,
            socket: socket.map(|words| proto::Socket::read_from_bytes(words.as_bytes()).expect("its size")),
        },
    );
    let fds = prop::collection::vec(fd, 0..5);
    let marks = (any::<[bool; 3]>(), any::<Option<u32>>());
    (any::<[u32; 2]>(), "\\PC{0,9}", any::<Vec<u8>>(), fds, marks).prop_map(
        |([ppid, threads], comm, cmdline, descriptors, ([started_here, uring, whole], copied_from))| {
            Snapshot { ppid, comm, cmdline, threads, descriptors, started_here, uring, whole, copied_from }
        },
    )
}

fn waits_on() -> impl Strategy<Value = WaitsOn> {
    let watched = prop::option::of(prop::collection::vec((any::<i32>(), prop::option::of(word())), 0..3));
    prop_oneof![
        Just(WaitsOn::Unknown),
        any::<(Option<u32>, Option<bool>)>().prop_map(|(owner, shared)| WaitsOn::Futex { owner, shared }),
        watched.prop_map(WaitsOn::Epoll),
        prop::collection::vec(any::<i32>(), 0..=64).prop_map(WaitsOn::Poll),
    ]
}

fn glance() -> impl Strategy<Value = Glance> {
    let call = prop::option::of((0..500_u64, any::<[u64; 6]>()).prop_map(|(nr, args)| SeenCall { nr, args }));
    let thread = (task(), word(), word(), call, waits_on())
        .prop_map(|(tid, ticks, switches, call, on)| GlancedThread { tid, ticks, switches, call, on });
    let parent = (task(), "\\PC{0,9}").prop_map(|(tid, comm)| ParentThread { tid, comm });
    let parent = prop::option::of(prop::collection::vec(parent, 0..3));
    let threads = prop::collection::vec(thread, 0..4);
    (threads, any::<bool>(), any::<Option<u64>>(), word(), parent)
        .prop_map(|(threads, more, moved, caught, parent)| Glance { threads, more, moved, caught, parent })
}

/// Any event. The head of its record says what the event says, as a source's does.
pub(super) fn event() -> impl Strategy<Value = Owned> {
    let words = prop::collection::vec(word(), 37);
    let payload = prop::collection::vec(any::<u8>(), 0..300);
    let seen = prop_oneof![snapshot().prop_map(Record::Snapshot), glance().prop_map(Record::Glance)];
    let record = (1u16..=12, any::<u16>(), words, seen);
    (word(), 0u64..3, [task(), task()], record, payload).prop_map(
        |(time, start, [tgid, tid], (kind, nr, mut words, seen), mut payload)| {
            let kind = Kind::from_number(kind).filter(|&kind| kind != Kind::Stack);
            let Some(kind) = kind else {
                let process = ProcKey { tgid, start };
                return Owned { time, process, tid, record: seen, payload: Vec::new() };
            };
            if !matches!(kind, Kind::Exec | Kind::Call | Kind::Io | Kind::Socket | Kind::Plaintext) {
                payload.clear();
            }
            let length = payload.len() as u32;
            let head = proto::Header { time, start, tgid, tid, kind: kind as u16, nr, payload: length };
            words.as_mut_bytes()[..size_of_val(&head)].copy_from_slice(head.as_bytes());
            let bytes = words.as_bytes();
            let record = match kind {
                Kind::Fork => Record::Fork(read(bytes)),
                Kind::Exec => Record::Exec(read(bytes)),
                Kind::Exit => Record::Exit(read(bytes)),
                Kind::Call => Record::Call(read(bytes)),
                Kind::Io => Record::Io(read(bytes)),
                Kind::Socket => Record::Socket(read(bytes)),
                Kind::Uring => Record::Uring(read(bytes)),
                Kind::Passed => Record::Passed(read(bytes)),
                Kind::Compat | Kind::Stack => Record::Compat,
                Kind::Plaintext => Record::Plaintext(read(bytes)),
            };
            Owned { time, process: ProcKey { tgid, start }, tid, record, payload }
        },
    )
}

fn read<R: FromBytes>(bytes: &[u8]) -> R {
    R::read_from_prefix(bytes).expect("long enough").0
}
