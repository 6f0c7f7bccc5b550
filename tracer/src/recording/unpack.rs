//! From columns to entries.

use super::bytes::Rest;
use super::columns::{
    CALLS, COUNT, FIELDS, NEW_FILES, NEW_TASKS, PAYLOADS, TAGS, TASKS, TIMES, WHOLES, split,
};
use super::entry::{End, Entry, tag};
use super::error::Broken;
use super::fields::{self, Field, LONGEST};
use super::format::MOST_PAYLOAD;
use super::pack::near;
use super::{payload, snapshot};
use crate::decode::decode;
use crate::event::{Event, Glance, ProcKey, Snapshot, What};
use crate::model::{Facts, Place};
use forkscope_proto::{FileRef, Header, Kind, Plaintext};
use serde::de::DeserializeOwned;
use zerocopy::IntoBytes;

/// Room for one record, aligned as the decoder wants it.
const ROOM: usize = (LONGEST + MOST_PAYLOAD).div_ceil(8);

/// Takes the entries of chunks out of their columns.
#[derive(Debug)]
pub(super) struct Unpacker {
    /// The columns of the chunk.
    raw: Vec<u8>,
    /// Where what is left of each begins, and where it ends.
    places: [(usize, usize); COUNT],
    time: u64,
    tasks: Vec<(ProcKey, u32)>,
    files: Vec<FileRef>,
    record: Box<[u64; ROOM]>,
    snapshot: Snapshot,
    glance: Glance,
}

impl Default for Unpacker {
    fn default() -> Self {
        Self {
            raw: Vec::new(),
            places: [(0, 0); COUNT],
            time: 0,
            tasks: Vec::new(),
            files: Vec::new(),
            record: Box::new([0; ROOM]),
            snapshot: Snapshot::default(),
            glance: Glance::default(),
        }
    }
}

/// What of a record comes from its columns; the rest is in the room for it.
struct Head {
    time: u64,
    task: (ProcKey, u32),
}

/// What stands there in JSON, unless it cannot be.
fn json<T: DeserializeOwned>(bytes: &[u8], is_possible: fn(&T) -> bool) -> Result<T, Broken> {
    serde_json::from_slice(bytes).ok().filter(is_possible).ok_or(Broken::Damaged)
}

impl Unpacker {
    /// Room for the next chunk's columns; [`Unpacker::begin`] follows.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        &mut self.raw
    }

    /// Begins with a chunk of so many entries.
    pub(super) fn begin(&mut self, entries: u32) -> Result<(), Broken> {
        let columns = split(&self.raw)?;
        if columns[TAGS].0.len() != entries as usize {
            return Err(Broken::Damaged);
        }
        let mut at = self.raw.len() - columns.iter().map(|column| column.0.len()).sum::<usize>();
        for (place, column) in self.places.iter_mut().zip(columns) {
            *place = (at, at + column.0.len());
            at += column.0.len();
        }
        self.time = 0;
        self.tasks.clear();
        self.files.clear();
        Ok(())
    }

    /// The next entry of the chunk; `None` at its end.
    pub(super) fn next(&mut self) -> Result<Option<Entry<'_>>, Broken> {
        let Ok(tag) = self.read(TAGS, Rest::byte) else { return Ok(None) };
        Ok(Some(match tag {
            tag::LOSSES => Entry::Losses,
            tag::TURN => Entry::Turn,
            tag::FACTS => self.told(Facts::is_possible).map(|(pid, facts)| Entry::Facts(pid, facts))?,
            tag::PLACE => self.told(Place::is_possible).map(|(pid, place)| Entry::Place(pid, place))?,
            // The analyser takes as much of them as it wants.
            tag::STACKS => self.told(|_| true).map(|(finding, stacks)| Entry::Stacks(finding, stacks))?,
            tag::END => self.read(WHOLES, |rest| json(rest.bytes()?, End::is_possible).map(Entry::End))?,
            tag::SNAPSHOT => {
                let Head { time, task: (process, tid) } = self.head()?;
                self.snapshot = self.read(WHOLES, snapshot::read)?;
                Entry::Event(Event { time, process, tid, what: What::Snapshot(&self.snapshot) })
            }
            tag::GLANCE => {
                let Head { time, task: (process, tid) } = self.head()?;
                self.glance = self.read(WHOLES, |rest| json(rest.bytes()?, Glance::is_possible))?;
                Entry::Event(Event { time, process, tid, what: What::Glance(&self.glance) })
            }
            kind => {
                let kind = Kind::from_number(kind.into()).ok_or(Broken::Damaged)?;
                Entry::Event(self.record(kind)?)
            }
        }))
    }

    /// The moment of the chunk's next entry, if that is an event. Nothing is taken.
    pub(super) fn next_time(&self) -> Option<u64> {
        let rest = |column: usize| {
            let (from, to) = self.places[column];
            Rest(&self.raw[from..to])
        };
        let tag = rest(TAGS).byte().ok()?;
        let since = rest(TIMES).signed().ok().filter(|_| tag::is_event(tag))?;
        Some(self.time.wrapping_add(since as u64))
    }

    /// What was told of a process, or a finding.
    fn told<T: DeserializeOwned>(&mut self, is_possible: fn(&T) -> bool) -> Result<(u32, T), Broken> {
        self.read(WHOLES, |rest| {
            let mut told = Rest(rest.bytes()?);
            Ok((told.small()?, json(told.0, is_possible)?))
        })
    }

    /// Reads on in a column.
    fn read<'a, T>(
        &'a mut self,
        column: usize,
        read: impl FnOnce(&mut Rest<'a>) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        let (from, to) = self.places[column];
        let mut rest = Rest(&self.raw[from..to]);
        let value = read(&mut rest)?;
        self.places[column].0 = to - rest.0.len();
        Ok(value)
    }

    fn head(&mut self) -> Result<Head, Broken> {
        let since = self.read(TIMES, Rest::signed)?;
        self.time = self.time.wrapping_add(since as u64);
        let number = self.read(TASKS, Rest::number)? as usize;
        if number == self.tasks.len() {
            let (start, tgid, tid) =
                self.read(NEW_TASKS, |rest| Ok((rest.number()?, rest.small()?, rest.small()?)))?;
            self.tasks.push((ProcKey { tgid, start }, tid));
        }
        let task = *self.tasks.get(number).ok_or(Broken::Damaged)?;
        Ok(Head { time: self.time, task })
    }

    fn record(&mut self, kind: Kind) -> Result<Event<'_>, Broken> {
        let Head { time, task: (process, tid) } = self.head()?;
        let nr = self.read(CALLS, Rest::number)?;
        let nr = u16::try_from(nr).map_err(|_| Broken::Damaged)?;
        let (mut at, first) = (size_of::<Header>(), fields::first_of(kind));
        for (index, field) in fields::of(kind).iter().enumerate() {
            self.field(FIELDS + first + index, *field, time, at)?;
            at += field.size();
        }
        if kind == Kind::Plaintext {
            let body = size_of::<Plaintext>() - at;
            let (from, to) = self.places[WHOLES];
            let mut rest = Rest(&self.raw[from..to]);
            let whole = rest.bytes()?;
            self.places[WHOLES].0 = to - rest.0.len();
            let room = &mut self.record.as_mut_bytes()[at..at + body];
            if whole.len() != body {
                return Err(Broken::Damaged);
            }
            room.copy_from_slice(whole);
            at += body;
        }
        let payload = self.payload(at)?;
        let record = self.record.as_mut_bytes();
        let ProcKey { tgid, start } = process;
        let header = Header { time, start, tgid, tid, kind: kind as u16, nr, payload: payload as u32 };
        record[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        decode(&record[..at + payload]).map_err(|_| Broken::Damaged)
    }

    /// The payload, which begins so far into the room for the record: its length.
    fn payload(&mut self, from: usize) -> Result<usize, Broken> {
        let mut columns = [0, 1, 2].map(|at| {
            let (from, to) = self.places[PAYLOADS + at];
            Rest(&self.raw[from..to])
        });
        let length = payload::read(&mut columns, &mut self.record.as_mut_bytes()[from..])?;
        let left = columns.map(|column| column.0.len());
        for (place, left) in self.places[PAYLOADS..].iter_mut().zip(left) {
            place.0 = place.1 - left;
        }
        Ok(length)
    }

    /// Reads a field to its place in the room for the record.
    fn field(&mut self, column: usize, field: Field, time: u64, at: usize) -> Result<(), Broken> {
        let Self { raw, places, record, files, .. } = self;
        let out = &mut record.as_mut_bytes()[at..at + field.size()];
        let mut rest = Rest(&raw[places[column].0..places[column].1]);
        match field {
            Field::File => {
                let number = rest.number()? as usize;
                if number == files.len() {
                    let (from, to) = places[NEW_FILES];
                    let mut new = Rest(&raw[from..to]);
                    files.push(snapshot::file(&mut new)?);
                    places[NEW_FILES].0 = to - new.0.len();
                }
                out.copy_from_slice(files.get(number).ok_or(Broken::Damaged)?.as_bytes());
            }
            Field::Long => out.copy_from_slice(&rest.signed()?.to_le_bytes()),
            Field::Time => {
                let distance = rest.signed()? as u64;
                let moment = time.wrapping_sub(near(time, time.wrapping_sub(distance)));
                out.copy_from_slice(&moment.to_le_bytes());
            }
            Field::Int => {
                let number = i32::try_from(rest.signed()?).map_err(|_| Broken::Damaged)?;
                out.copy_from_slice(&number.to_le_bytes());
            }
            Field::Short => {
                let number = u16::try_from(rest.small()?).map_err(|_| Broken::Damaged)?;
                out.copy_from_slice(&number.to_le_bytes());
            }
            Field::Word | Field::Name => out.copy_from_slice(rest.take(out.len())?),
        }
        places[column].0 = places[column].1 - rest.0.len();
        Ok(())
    }
}
