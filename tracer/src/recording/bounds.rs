//! Long entries are read again, and longer ones than there can be are refused.

use super::sample::{Owned, Record, header};
use super::tests::{read_all, record, send, stacks};
use super::*;
use crate::event::{Glance, GlancedThread, NamedStack, ParentThread, Snapshot, SnapshotFd, WaitsOn};
use crate::model::{Facts, Place};
use crate::protocol::Kept;
use crate::report::{Frame, Language};

/// Entries that are long, or that compress very well, between others.
#[test]
fn long_entries_are_read_again() {
    let table = |count, path: &str| {
        let of = |fd| SnapshotFd { fd, path: Some(format!("{path}/{fd}")), ..SnapshotFd::default() };
        let record =
            Record::Snapshot(Snapshot { descriptors: (0..count).map(of).collect(), ..Snapshot::default() });
        Owned { record, ..send(b"") }
    };
    let tables = [table(900, &"deep/".repeat(240)), table(20_000, &"deep/".repeat(50)), table(9, "shallow")];
    for repeats in [1, 3] {
        let events = tables.iter().flat_map(|table| vec![table.clone(); repeats]).chain([send(b"a")]);
        let events: Vec<Owned> = events.collect();
        let file = record(&events, Payload::All, events.len());
        let (entries, broken) = read_all(&file).expect("whole");
        assert!(broken.is_none() && entries.len() > events.len(), "{broken:?} after {}", entries.len());
    }
    let frame = Frame { function: Some("f".repeat(400)), ..Frame::unknown(Language::Native) };
    let stack = NamedStack { frames: vec![frame; 64], ..stacks().swap_remove(0) };
    let mut file = Vec::new();
    let mut recorder = Recorder::begin(&mut file, &header(Payload::All)).expect("memory");
    for count in [1, 8, 100] {
        recorder.stacks(1, &vec![stack.clone(); count]).expect("memory");
    }
    recorder.end(&End::default()).expect("memory");
    let (entries, broken) = read_all(&file).expect("whole");
    assert_eq!((entries.len(), broken.is_none()), (4, true));
}

/// What is remembered for each process, and handed on to its children, has a bound.
#[test]
fn no_process_is_larger_than_proc_could_have_shown() {
    type Told = Box<dyn Fn(&mut Recorder<&mut Vec<u8>>, usize)>;
    let glance = |glance: Glance| Owned { record: Record::Glance(glance), ..send(b"") };
    let seen = |seen: Snapshot| Owned { record: Record::Snapshot(seen), ..send(b"") };
    let event: fn(&mut Recorder<&mut Vec<u8>>, &Owned) =
        |recorder, event| recorder.event(&event.event(), &Kept::default()).expect("memory");
    let on = |on| GlancedThread { on, ..GlancedThread::default() };
    let told: [(usize, Told); 8] = [
        (
            255,
            Box::new(|to, length| {
                to.place(1, &Place { container: Some("c".repeat(length)), ns_pid: None }).expect("memory");
            }),
        ),
        (
            16 * 3 * 4096,
            Box::new(|to, length| {
                to.facts(1, &Facts { exe: Some("e".repeat(length)), ..Facts::default() }).expect("memory");
            }),
        ),
        (
            4096,
            Box::new(move |to, length| {
                event(to, &seen(Snapshot { cmdline: vec![b'c'; length], ..Snapshot::default() }));
            }),
        ),
        (
            32,
            Box::new(move |to, length| {
                event(
                    to,
                    &glance(Glance { threads: vec![GlancedThread::default(); length], ..Glance::default() }),
                );
            }),
        ),
        (
            64,
            Box::new(move |to, length| {
                let threads = vec![on(WaitsOn::Poll(vec![1; length]))];
                event(to, &glance(Glance { threads, ..Glance::default() }));
            }),
        ),
        (
            64,
            Box::new(move |to, length| {
                let threads = vec![on(WaitsOn::Epoll(Some(vec![(1, None); length])))];
                event(to, &glance(Glance { threads, ..Glance::default() }));
            }),
        ),
        (
            128,
            Box::new(move |to, length| {
                let parent = Some(vec![ParentThread::default(); length]);
                event(to, &glance(Glance { parent, ..Glance::default() }));
            }),
        ),
        (
            45,
            Box::new(move |to, length| {
                let parent = Some(vec![ParentThread { tid: 1, comm: "c".repeat(length) }]);
                event(to, &glance(Glance { parent, ..Glance::default() }));
            }),
        ),
    ];
    for (at, (most, tell)) in told.iter().enumerate() {
        for (length, broken) in [(*most, None), (most + 1, Some(Broken::Damaged))] {
            let mut file = Vec::new();
            let mut recorder = Recorder::begin(&mut file, &header(Payload::All)).expect("memory");
            tell(&mut recorder, length);
            recorder.end(&End::default()).expect("memory");
            assert_eq!(read_all(&file).expect("it has a header").1, broken, "{at}: {length}");
        }
    }
}
