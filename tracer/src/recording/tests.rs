//! What is written is read again, in order; what is damaged is refused or read up to the damage.

use super::sample::{Owned, Record, event, header};
use super::*;
use crate::analysis::Analysis;
use crate::event::{Event, NamedStack, Snapshot, SnapshotFd, What};
use crate::model::Facts;
use crate::protocol::{Chunk, Direction, Kept, User, Wire};
use crate::report::{Frame, Language, Moment};
use forkscope_proto::FileRef;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::io::Cursor;
use std::time::Duration;

/// A recording of these events, with a chunk for each `chunk` of them, some facts, and an end.
pub(super) fn record(events: &[Owned], payload: Payload, chunk: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let mut recorder = Recorder::begin(&mut file, &header(payload)).expect("memory");
    for events in events.chunks(chunk) {
        for event in events {
            recorder.event(&event.event(), &Kept::default()).expect("memory");
        }
        recorder.turn();
        recorder.turn();
        recorder.flush().expect("memory");
    }
    recorder.facts(7, &facts()).expect("memory");
    recorder.stacks(3, &stacks()).expect("memory");
    recorder.losses();
    recorder.end(&End { duration: 1.5, status: 3, ..End::default() }).expect("memory");
    file
}

fn facts() -> Facts {
    let library = ("grpc".into(), (Some("1.28.1".into()), "/usr/lib/grpc.so".into()));
    Facts { exe: Some("/usr/bin/python3".into()), libraries: [library].into(), ..Facts::default() }
}

pub(super) fn stacks() -> Vec<NamedStack> {
    let frame =
        Frame { function: Some("sends\u{1b}".into()), line: Some(7), ..Frame::unknown(Language::Python) };
    vec![NamedStack { time: u64::MAX - 1, pid: 7, tid: 8, at: Moment::FailingCall, frames: vec![frame] }]
}

/// Reads on to the end, or to where it is broken; entries in words.
pub(super) fn read_all(file: &[u8]) -> Result<(Vec<String>, Option<Broken>), OpenError> {
    let mut reader = Reader::open(Cursor::new(file))?;
    let _ = reader.length().expect("memory");
    let mut entries = Vec::new();
    loop {
        let next = match reader.next_time() {
            Ok(next) => next,
            Err(broken) => return Ok((entries, Some(broken))),
        };
        match reader.next_entry() {
            Ok(Some(entry)) => {
                let time = if let Entry::Event(event) = &entry { Some(event.time) } else { None };
                assert_eq!(time, next, "what is next was told");
                entries.push(format!("{entry:?}"));
            }
            Ok(None) => return Ok((entries, None)),
            Err(broken) => return Ok((entries, Some(broken))),
        }
    }
}

/// An event in words, with its files' addresses as they are numbered in the recording.
fn words(event: &Event<'_>, numbers: &mut HashMap<u64, u64>) -> String {
    let mut file = |file: &FileRef| {
        let next = numbers.len() as u64 + 1;
        let number = if file.file == 0 { 0 } else { *numbers.entry(file.file).or_insert(next) };
        FileRef { file: number, ..*file }
    };
    let what = match event.what {
        What::Call(call, payload) => {
            let mut call = *call;
            (call.file, call.other, call.replaced) =
                (file(&call.file), file(&call.other), file(&call.replaced));
            format!("{call:?} {payload:?}")
        }
        What::Io(io, payload) => {
            let mut io = *io;
            io.file = file(&io.file);
            format!("{io:?} {payload:?}")
        }
        What::Socket(socket, payload) => {
            let mut socket = *socket;
            socket.file = file(&socket.file);
            format!("{socket:?} {payload:?}")
        }
        What::Plaintext(record, payload) => {
            let mut record = *record;
            record.file = file(&record.file);
            // Hidden, too, as the addresses of files are.
            record.session = u64::from(record.session != 0);
            format!("{record:?} {payload:?}")
        }
        What::Uring(io) => {
            let mut io = *io;
            io.file = file(&io.file);
            format!("{io:?}")
        }
        What::Passed(passed) => {
            let mut passed = *passed;
            passed.fds.iter_mut().for_each(|fd| fd.file = file(&fd.file));
            format!("{passed:?}")
        }
        What::Snapshot(seen) => {
            let mut seen = seen.clone();
            for fd in &mut seen.descriptors {
                fd.file = file(&fd.file);
                if let Some(socket) = &mut fd.socket {
                    socket.file = file(&socket.file);
                }
            }
            format!("{seen:?}")
        }
        What::Fork(_) | What::Exec(..) | What::Exit(_) | What::Compat | What::Glance(_) => {
            format!("{:?}", event.what)
        }
    };
    format!("{} {:?} {} {what}", event.time, event.process, event.tid)
}

proptest! {
    #[test]
    fn what_was_recorded_is_read(events in prop::collection::vec(event(), 0..40), chunk in 1usize..20) {
        let file = record(&events, Payload::All, chunk);
        let mut reader = Reader::open(&file[..]).expect("whole");
        prop_assert_eq!(reader.header(), &header(Payload::All));
        let (mut before, mut after) = (HashMap::new(), HashMap::new());
        for events in events.chunks(chunk) {
            for event in events {
                let expected = words(&event.event(), &mut before);
                let Ok(Some(Entry::Event(read))) = reader.next_entry() else { panic!("no event") };
                prop_assert_eq!(words(&read, &mut after), expected);
            }
            prop_assert!(matches!(reader.next_entry(), Ok(Some(Entry::Turn))));
        }
        prop_assert!(matches!(reader.next_entry(), Ok(Some(Entry::Facts(7, read))) if read == facts()));
        prop_assert!(matches!(reader.next_entry(), Ok(Some(Entry::Stacks(3, read))) if read == stacks()));
        prop_assert!(matches!(reader.next_entry(), Ok(Some(Entry::Losses))));
        let Ok(Some(Entry::End(end))) = reader.next_entry() else { panic!("no end") };
        prop_assert_eq!((end.duration, end.status), (1.5, 3));
        prop_assert!(matches!(reader.next_entry(), Ok(None)));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), begun: bool) {
        let whole = record(&[], Payload::All, 1);
        let begin = if begun { &whole[..whole.len() - 60] } else { &whole[..12] };
        let _ = read_all(&bytes);
        let _ = read_all(&[begin, &bytes].concat());
    }

    #[test]
    fn cut_anywhere_it_is_read_up_to_the_last_whole_chunk(
        events in prop::collection::vec(event(), 1..12),
        at in any::<prop::sample::Index>(),
    ) {
        let file = record(&events, Payload::Headers, 2);
        let whole = read_all(&file).expect("whole").0;
        let cut = &file[..at.index(file.len())];
        match read_all(cut) {
            Ok((entries, broken)) => {
                prop_assert_eq!(broken, Some(Broken::Cut));
                prop_assert!(entries.iter().eq(whole.iter().take(entries.len())));
            }
            Err(error) => prop_assert!(matches!(error, OpenError::NotARecording | OpenError::Header)),
        }
    }

    #[test]
    fn changed_anywhere_it_is_read_or_refused(
        events in prop::collection::vec(event(), 1..12),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = record(&events, Payload::Headers, 3);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = read_all(&file);
    }

    #[test]
    fn events_that_never_were_can_be_analysed(events in prop::collection::vec(event(), 1..60)) {
        let mut analysis = Analysis::new(5, BTreeMap::new());
        for event in &events {
            analysis.apply(&event.event());
        }
        analysis.take_fresh();
    }

    // The checksum is mended, so that what lies behind it is reached.
    #[test]
    fn damaged_columns_make_nothing_panic(
        events in prop::collection::vec(event(), 1..12),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut unpacker = unpack::Unpacker::default();
        let mut packer = pack::Packer::new(Payload::All);
        events.iter().for_each(|event| packer.event(&event.event(), &Kept::default()));
        packer.columns.drain_to(unpacker.room());
        for (at, byte) in changes {
            let raw = unpacker.room();
            let at = at.index(raw.len());
            raw[at] = byte;
        }
        if unpacker.begin(packer.entries).is_ok() {
            for _ in 0..packer.entries {
                let _ = unpacker.next_time();
                let _ = unpacker.next();
            }
        }
    }
}

#[test]
fn a_session_cannot_have_ended_with_numbers_that_are_none() {
    let most = u64::MAX as f64 / 1e9;
    for (end, possible) in [
        (End { duration: 0.0, own_cpu: Some(1.5), ..End::default() }, true),
        (End { duration: most, ..End::default() }, true),
        (End { duration: most * 1.01, ..End::default() }, false),
        (End { duration: 1e300, ..End::default() }, false),
        (End { duration: -0.5, ..End::default() }, false),
        (End { own_cpu: Some(-1.0), ..End::default() }, false),
    ] {
        let mut file = Vec::new();
        let recorder = Recorder::begin(&mut file, &header(Payload::All)).expect("memory");
        recorder.end(&end).expect("memory");
        let broken = read_all(&file).expect("it has a header").1;
        assert_eq!(broken, (!possible).then_some(Broken::Damaged), "{end:?}");
    }
}

#[test]
fn how_long_it_was_shows_at_its_end() {
    let clock = header(Payload::All).clock;
    let at = |time| Owned { time: clock + time, ..send(b"") };
    let whole = record(&[at(7), at(9), at(8)], Payload::All, 2);
    let length = |file: &[u8]| {
        let mut reader = Reader::open(Cursor::new(file)).expect("it has a header");
        let length = reader.length().expect("memory");
        (length, read_all(file).expect("it has a header").0.len())
    };
    assert_eq!(length(&whole), (Some(Duration::from_millis(1500)), 9));
    // Without an end: the latest event of the last whole chunk. Nothing of what is before it is read.
    let mut cut = whole[..whole.len() - 1].to_vec();
    assert_eq!(length(&cut), (Some(Duration::from_nanos(8)), 5));
    let first = whole.windows(4).position(|bytes| bytes == b"CHNK").expect("a chunk");
    cut[first + 20] ^= 1;
    assert_eq!(length(&cut), (Some(Duration::from_nanos(8)), 0));
    // What only looks like chunks is not looked at for ever.
    cut.extend(b"CHNK".repeat(1000));
    assert_eq!(length(&cut), (None, 0));
    assert_eq!(length(&whole[..first]), (None, 0));
}

#[test]
fn it_can_be_read_again() {
    let file = record(&[send(b"a"), send(b"b"), send(b"c")], Payload::All, 1);
    let whole = read_all(&file).expect("whole").0;
    for most in 0..=whole.len() {
        let mut reader = Reader::open(Cursor::new(&file[..])).expect("whole");
        (0..most).for_each(|_| drop(reader.next_entry().expect("whole")));
        reader.rewind().expect("memory");
        let again: Vec<String> = std::iter::from_fn(|| {
            let entry = reader.next_entry().expect("whole");
            entry.map(|entry| format!("{entry:?}"))
        })
        .collect();
        assert_eq!(again, whole, "after {most}");
    }
}

/// A send of these bytes.
pub(super) fn send(payload: &[u8]) -> Owned {
    let header = forkscope_proto::Header {
        kind: forkscope_proto::Kind::Io as u16,
        nr: forkscope_proto::calls::SENDTO,
        payload: payload.len() as u32,
        ..Default::default()
    };
    let record = Record::Io(forkscope_proto::Io { header, ..Default::default() });
    Owned { time: 0, process: Default::default(), tid: 0, record, payload: payload.to_vec() }
}

#[test]
fn of_transfers_what_was_asked_for_is_kept() {
    let data = b"*3\r\n$3\r\nSET\r\n$4\r\nname\r\n$6\r\nsecret\r\n";
    let headers = b"*3\r\n$3\r\nSET\r\n$4\r\n\xff\xff\xff\xff\r\n$6\r\n\xff\xff\xff\xff\xff\xff\xff\xff";
    let kept = Kept::default();
    let chunk = Chunk::new(data, data.len() as u64).noting(&kept);
    Wire::new().feed(User(1), Direction::Sent, chunk, &mut |_| ());
    for (payload, shown) in
        [(Payload::All, &data[..]), (Payload::Headers, &headers[..]), (Payload::None, &[0xff; 35])]
    {
        let mut file = Vec::new();
        let mut recorder = Recorder::begin(&mut file, &header(payload)).expect("memory");
        recorder.event(&send(data).event(), &kept).expect("memory");
        recorder.end(&End::default()).expect("memory");
        let mut reader = Reader::open(&file[..]).expect("whole");
        let Ok(Some(Entry::Event(event))) = reader.next_entry() else { panic!("no event") };
        let What::Io(_, bytes) = event.what else { panic!("no transfer") };
        assert_eq!(bytes.escape_ascii().to_string(), shown.escape_ascii().to_string(), "{payload:?}");
    }
}

#[test]
fn no_address_of_the_kernel_is_on_the_disk() {
    let file = FileRef { file: 0xffff_8881_0123_4500, inode: 7, ..FileRef::NONE };
    let socket = forkscope_proto::Socket { file, ..Default::default() };
    let mut passed = forkscope_proto::Passed::default();
    passed.fds.iter_mut().for_each(|fd| fd.file = file);
    let fd = SnapshotFd { file, socket: Some(socket), ..SnapshotFd::default() };
    let call = forkscope_proto::Call { file, other: file, replaced: file, ..Default::default() };
    let mut packer = pack::Packer::new(Payload::All);
    for record in [
        Record::Call(call),
        Record::Io(forkscope_proto::Io { file, ..Default::default() }),
        Record::Socket(socket),
        Record::Uring(forkscope_proto::UringIo { file, ..Default::default() }),
        Record::Passed(passed),
        Record::Snapshot(Snapshot { descriptors: vec![fd], ..Snapshot::default() }),
    ] {
        packer.event(&Owned { record, ..send(b"") }.event(), &Kept::default());
    }
    let mut raw = Vec::new();
    packer.columns.drain_to(&mut raw);
    let address = file.file.to_le_bytes();
    // The page that it is on would tell as much.
    assert!(!raw.windows(6).any(|bytes| bytes == &address[2..]));
}
