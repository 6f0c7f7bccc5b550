//! From entries to columns.

use super::addresses::Addresses;
use super::bytes::{put, put_bytes, put_signed};
use super::columns::{
    CALLS, COUNT, Columns, FIELDS, NEW_FILES, NEW_TASKS, PAYLOADS, TAGS, TASKS, TIMES, WHOLES,
};
use super::entry::tag;
use super::fields::{self, Field};
use super::payload::Payload;
use super::snapshot;
use crate::event::{Event, What};
use crate::protocol::Kept;
use forkscope_proto::{FileRef, Header, Kind};
use rustc_hash::FxHashMap;
use zerocopy::{FromBytes, IntoBytes};

/// A time near another one: the distance. 0, which is none, changes places with the distance that means it,
/// so that none is a small number.
pub(super) fn near(time: u64, other: u64) -> u64 {
    match time.wrapping_sub(other) {
        distance if distance == time => 0,
        0 => time,
        distance => distance,
    }
}

/// Fills the columns of a chunk. Nothing is allocated once they have grown.
#[derive(Debug)]
pub(super) struct Packer {
    pub(super) columns: Columns,
    pub(super) entries: u32,
    payload: Payload,
    addresses: Addresses,
    time: u64,
    tasks: FxHashMap<(u64, u32, u32), u64>,
    files: FxHashMap<[u8; size_of::<FileRef>()], u64>,
}

impl Packer {
    pub(super) fn new(payload: Payload) -> Self {
        Self {
            columns: Columns::default(),
            entries: 0,
            payload,
            addresses: Addresses::default(),
            time: 0,
            tasks: FxHashMap::default(),
            files: FxHashMap::default(),
        }
    }

    /// Begins the next chunk: it stands for itself.
    pub(super) fn reset(&mut self) {
        (self.entries, self.time) = (0, 0);
        self.tasks.clear();
        self.files.clear();
    }

    fn column(&mut self, at: usize) -> &mut Vec<u8> {
        &mut self.columns.0[at]
    }

    /// An entry that is a tag alone.
    pub(super) fn tag(&mut self, tag: u8) {
        self.column(TAGS).push(tag);
        self.entries += 1;
    }

    /// An entry that is stored as a whole.
    pub(super) fn whole(&mut self, tag: u8, bytes: &[u8]) {
        self.tag(tag);
        put_bytes(self.column(WHOLES), bytes);
    }

    /// An event. `kept` says which bytes of a transfer were read.
    pub(super) fn event(&mut self, event: &Event<'_>, kept: &Kept) {
        let (kind, record, payload) = match event.what {
            What::Fork(record) => (Kind::Fork, record.as_bytes(), &[][..]),
            What::Exec(record, payload) => (Kind::Exec, record.as_bytes(), payload),
            What::Exit(record) => (Kind::Exit, record.as_bytes(), &[][..]),
            What::Call(record, payload) => (Kind::Call, record.as_bytes(), payload),
            What::Io(record, payload) => (Kind::Io, record.as_bytes(), payload),
            What::Socket(record, payload) => (Kind::Socket, record.as_bytes(), payload),
            What::Uring(record) => (Kind::Uring, record.as_bytes(), &[][..]),
            What::Passed(record) => (Kind::Passed, record.as_bytes(), &[][..]),
            What::Compat => (Kind::Compat, &[][..], &[][..]),
            What::Plaintext(record, payload) => (Kind::Plaintext, record.as_bytes(), payload),
            What::Snapshot(seen) => {
                self.head(tag::SNAPSHOT, event);
                let (addresses, column) = (&self.addresses, &mut self.columns.0[WHOLES]);
                return snapshot::put_all(seen, addresses, column);
            }
            What::Glance(seen) => {
                self.head(tag::GLANCE, event);
                // Plain data in memory: it cannot fail.
                let bytes = serde_json::to_vec(seen).unwrap_or_default();
                return put_bytes(self.column(WHOLES), &bytes);
            }
        };
        self.head(kind as u8, event);
        let (head, mut body) = record.split_at(record.len().min(size_of::<Header>()));
        let nr = Header::read_from_bytes(head).map_or(0, |header| header.nr);
        put(self.column(CALLS), nr.into());
        for (at, field) in fields::of(kind).iter().enumerate() {
            let bytes;
            (bytes, body) = body.split_at(field.size());
            self.field(FIELDS + fields::first_of(kind) + at, *field, bytes, event.time);
        }
        if let What::Plaintext(record, _) = event.what {
            let hidden = self.addresses.hide(record);
            put_bytes(self.column(WHOLES), &hidden.as_bytes()[size_of::<Header>()..]);
        }
        if let Some(columns) = self.columns.0[PAYLOADS..].first_chunk_mut() {
            self.payload.put(&event.what, payload, kept, columns);
        }
    }

    /// What every event has.
    fn head(&mut self, tag: u8, event: &Event<'_>) {
        self.tag(tag);
        let since = event.time.wrapping_sub(self.time) as i64;
        put_signed(self.column(TIMES), since);
        self.time = event.time;
        let task = (event.process.start, event.process.tgid, event.tid);
        let next = self.tasks.len() as u64;
        let number = *self.tasks.entry(task).or_insert(next);
        put(self.column(TASKS), number);
        if number == next {
            let column = self.column(NEW_TASKS);
            put(column, task.0);
            put(column, task.1.into());
            put(column, task.2.into());
        }
    }

    fn field(&mut self, at: usize, field: Field, bytes: &[u8], time: u64) {
        let column = &mut self.columns.0[at];
        match (field, bytes) {
            (Field::File, _) => self.file(at, bytes),
            (Field::Long, &[a, b, c, d, e, f, g, h]) => {
                put_signed(column, i64::from_le_bytes([a, b, c, d, e, f, g, h]));
            }
            (Field::Time, &[a, b, c, d, e, f, g, h]) => {
                put_signed(column, near(time, u64::from_le_bytes([a, b, c, d, e, f, g, h])) as i64);
            }
            (Field::Int, &[a, b, c, d]) => put_signed(column, i32::from_le_bytes([a, b, c, d]).into()),
            (Field::Short, &[a, b]) => put(column, u16::from_le_bytes([a, b]).into()),
            _ => column.extend_from_slice(bytes),
        }
    }

    fn file(&mut self, at: usize, bytes: &[u8]) {
        let Ok(mut file) = FileRef::read_from_bytes(bytes) else { return };
        file.file = self.addresses.number(file.file);
        let mut key = [0; size_of::<FileRef>()];
        key.copy_from_slice(file.as_bytes());
        let next = self.files.len() as u64;
        let number = *self.files.entry(key).or_insert(next);
        put(&mut self.columns.0[at], number);
        if number == next {
            self.columns.0[NEW_FILES].extend_from_slice(&key);
        }
    }
}

const _: () = assert!(COUNT > PAYLOADS + 3 && WHOLES == PAYLOADS + 3);
