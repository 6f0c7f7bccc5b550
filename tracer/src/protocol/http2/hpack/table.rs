//! The dynamic table of one direction (RFC 7541, 2.3.2 and 4), as far as it was seen.

use super::names::{self, Name, STATIC};
use super::value::Value;
use crate::protocol::http2::shared::Pool;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// What an entry counts beside its name and value (4.1).
const OVERHEAD: u32 = 32;

/// The size until the encoder says another (RFC 9113, 6.5.2: SETTINGS_HEADER_TABLE_SIZE).
const INITIAL: u32 = 4096;

/// The largest table that is followed, in HPACK's bytes. No more than this by [`OVERHEAD`] are kept; older
/// entries of a larger one are unknown.
const MOST: u32 = 1 << 16;

/// A field in the table. There are many: it is small.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    value: Value,
    name: Name,
    /// Bytes of its name and of its value, or the fewest that they can be: of a coded string
    /// the length is not known.
    name_length: u16,
    value_length: u16,
}

// No table is larger than what the lengths of its entries can tell.
const _: () = assert!(MOST - OVERHEAD <= u16::MAX as u32 && size_of::<Entry>() == 32);

impl Entry {
    /// What it counts, at least.
    fn size(&self) -> u32 {
        u32::from(self.name_length) + u32::from(self.value_length) + OVERHEAD
    }
}

/// The newest entries that were seen, newest first. An index counts from the newest, so that what
/// stands before an unseen part keeps its place, and what an encoder refers to is there: sizes only
/// tell what surely is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Entries {
    newest: VecDeque<Entry>,
    /// The least that they can count.
    size: u32,
    limit: u32,
}

/// Entries of tables that are shared. Larger ones have what is in few requests: they
/// change, and are unlike others.
const SHARED: usize = 32;

thread_local! {
    static KNOWN: RefCell<Pool<Entries>> = RefCell::default();
}

/// What became of a table lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It was changed since it rested.
    Changed,
    /// It rested since it was changed.
    Same,
    /// All connections with the same have this one.
    Shared,
}

/// A dynamic table. Most connections of a program add the same fields first, and none later:
/// they share what they have.
#[derive(Clone, Debug)]
pub(in super::super) struct Table {
    /// `None`: there are none, and no size was set.
    entries: Option<Rc<Entries>>,
    /// All was seen since the first.
    fresh: bool,
    state: State,
}

impl Table {
    /// Empty; when not `fresh`, entries and a size of its own may have been before.
    pub(in super::super) fn new(fresh: bool) -> Self {
        Self { entries: None, fresh, state: State::Changed }
    }

    /// What stands there is unknown, until more is added.
    pub(super) fn lose(&mut self) {
        *self = Self::new(false);
    }

    /// No block is being read: what has not changed for a while is shared.
    pub(in super::super) fn rest(&mut self) {
        let Some(entries) = &mut self.entries else { return };
        self.state = match self.state {
            State::Changed => State::Same,
            State::Same if entries.newest.len() > SHARED => State::Same,
            State::Same => {
                *entries = KNOWN.with_borrow_mut(|known| known.share(entries));
                State::Shared
            }
            State::Shared => State::Shared,
        };
    }

    fn change(&mut self) -> &mut Entries {
        self.state = State::Changed;
        let limit = if self.fresh { INITIAL } else { MOST };
        let none = || Rc::new(Entries { newest: VecDeque::new(), size: 0, limit });
        Rc::make_mut(self.entries.get_or_insert_with(none))
    }

    /// The encoder set its size (6.3).
    pub(super) fn resize(&mut self, limit: u32) {
        let entries = self.change();
        entries.limit = limit.min(MOST);
        entries.evict();
    }

    /// Adds an entry whose name and value have at least so many bytes (4.4).
    pub(super) fn insert(&mut self, name: Name, value: Value, name_length: u32, value_length: u32) {
        self.change().insert(name, value, name_length, value_length);
    }

    fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.as_ref()?.newest.get(at as usize)
    }

    /// What the field under an index is called, and how many bytes that has at least.
    pub(super) fn name(&self, index: u32) -> (Name, u32) {
        match index.checked_sub(STATIC + 1) {
            None => names::static_name(index),
            Some(at) => match self.entry(at) {
                Some(entry) => (entry.name, entry.name_length.into()),
                None => (Name::Unknown, 0),
            },
        }
    }

    /// What it says.
    pub(super) fn value(&self, index: u32) -> Value {
        match index.checked_sub(STATIC + 1) {
            None => names::static_value(index),
            Some(at) => self.entry(at).map_or(Value::Unread, |entry| entry.value.clone()),
        }
    }
}

impl Entries {
    fn insert(&mut self, name: Name, value: Value, name_length: u32, value_length: u32) {
        let size = name_length.saturating_add(value_length).saturating_add(OVERHEAD);
        let lengths = (u16::try_from(name_length), u16::try_from(value_length));
        let (Ok(name_length), Ok(value_length), true) = (lengths.0, lengths.1, size <= self.limit) else {
            // Larger than the table: it empties it.
            self.newest.clear();
            self.size = 0;
            return;
        };
        if self.newest.len() == self.newest.capacity() {
            // Tables grow for a few requests, and there are many tables.
            self.newest.reserve_exact((self.newest.len() / 4).max(4));
        }
        self.newest.push_front(Entry { value, name, name_length, value_length });
        self.size += size;
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.limit
            && let Some(oldest) = self.newest.pop_back()
        {
            self.size = self.size.saturating_sub(oldest.size());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(table: &mut Table, code: u16) {
        table.insert(Name::Status, Value::Code(code), 7, 3);
    }

    fn codes(table: &Table) -> Vec<u16> {
        let values = (62..).map(|index| table.value(index));
        values.map_while(|value| if let Value::Code(code) = value { Some(code) } else { None }).collect()
    }

    #[test]
    fn entries_are_counted_from_the_newest_and_go_with_the_oldest() {
        let mut table = Table::new(true);
        (200..300).for_each(|code| insert(&mut table, code));
        // 42 bytes each in 4096.
        assert_eq!(codes(&table), (203..300).rev().collect::<Vec<_>>());
        table.resize(90);
        assert_eq!(codes(&table), [299, 298]);
        table.resize(4096);
        assert_eq!(codes(&table), [299, 298], "what is gone does not come back");
        insert(&mut table, 1);
        assert_eq!(codes(&table), [1, 299, 298]);
        table.resize(0);
        assert!(codes(&table).is_empty());
        insert(&mut table, 2);
        assert!(codes(&table).is_empty(), "larger than the table: 4.4");
    }

    #[test]
    fn after_a_loss_only_what_is_newer_is_known() {
        let mut table = Table::new(true);
        insert(&mut table, 1);
        table.lose();
        assert_eq!((table.name(62), table.value(62)), ((Name::Unknown, 0), Value::Unread));
        insert(&mut table, 2);
        assert_eq!(codes(&table), [2]);
        assert_eq!(table.name(63), (Name::Unknown, 0));
    }

    #[test]
    fn memory_is_bounded_whatever_the_encoder_says() {
        let mut table = Table::new(true);
        table.resize(u32::MAX);
        (0..100_000).for_each(|_| table.insert(Name::Other, Value::Unread, 0, 0));
        let count = |table: &Table| table.entries.as_ref().map_or(0, |entries| entries.newest.len());
        assert_eq!(count(&table), (MOST / OVERHEAD) as usize);
        table.insert(Name::Other, Value::Unread, u32::MAX, u32::MAX);
        assert_eq!(count(&table), 0);
    }

    #[test]
    fn tables_that_rest_are_shared_until_one_changes() {
        let mut tables = [Table::new(true), Table::new(true)];
        for table in &mut tables {
            insert(table, 7);
            (0..3).for_each(|_| table.rest());
        }
        let [one, other] = &mut tables;
        let shared = |one: &Table, other: &Table| {
            one.entries
                .as_ref()
                .zip(other.entries.as_ref())
                .is_some_and(|(one, other)| Rc::ptr_eq(one, other))
        };
        assert!(shared(one, other));
        insert(one, 8);
        assert_eq!((codes(one), codes(other)), (vec![8, 7], vec![7]));
    }
}
