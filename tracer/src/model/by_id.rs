//! What is known by its id. Ids are given one after another: a list finds something with fewer looks at
//! memory than a table would, there may be a million of them, and where it will look can be fetched ahead.

use super::process::TableId;
use super::{ProcId, SockId};
use crate::protocol::fetch;
use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

/// Ids that follow one another. Processes, tables and sockets share them, so that few of a
/// page may be of one sort.
const PAGE: usize = 32;

/// Pages that follow one another. However many ids were given, room is only where there is something.
const SHELF: usize = 512;

/// Boxed, so that room for what is not there is small.
type Page<T> = [Option<Box<T>>; PAGE];
type Shelf<T> = [Option<Box<Page<T>>>; SHELF];

/// An id of one sort of things.
pub(super) trait Id: Copy {
    fn number(self) -> u32;
}

impl Id for ProcId {
    fn number(self) -> u32 {
        self.0
    }
}

impl Id for TableId {
    fn number(self) -> u32 {
        self.0
    }
}

impl Id for SockId {
    fn number(self) -> u32 {
        self.0
    }
}

/// Things by id.
pub(super) struct ById<I, T> {
    /// `None` where there are none.
    shelves: Vec<Option<Box<Shelf<T>>>>,
    count: usize,
    id: PhantomData<I>,
}

impl<I, T> Default for ById<I, T> {
    fn default() -> Self {
        Self { shelves: Vec::new(), count: 0, id: PhantomData }
    }
}

impl<I, T: Debug> Debug for ById<I, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(values(&self.shelves)).finish()
    }
}

impl<I: Id, T> ById<I, T> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, id: &I) -> Option<&T> {
        let (page, place) = self.page(*id)?;
        page[place].as_deref()
    }

    pub(super) fn get_mut(&mut self, id: &I) -> Option<&mut T> {
        let (shelf, page, place) = split(*id);
        self.shelves.get_mut(shelf)?.as_mut()?[page].as_mut()?[place].as_deref_mut()
    }

    /// Has the processor fetch where something is.
    pub(super) fn fetch_place(&self, id: I) {
        if let Some((page, place)) = self.page(id) {
            fetch(&page[place]);
        }
    }

    /// All, by their ids.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        values(&self.shelves)
    }

    /// Adds something; what had this id before.
    pub(super) fn insert(&mut self, id: I, thing: T) -> Option<Box<T>> {
        let (shelf, page, place) = split(id);
        if self.shelves.len() <= shelf {
            self.shelves.resize_with(shelf + 1, || None);
        }
        let shelf = self.shelves[shelf].get_or_insert_with(|| Box::new([const { None }; SHELF]));
        let page = shelf[page].get_or_insert_with(|| Box::new([const { None }; PAGE]));
        let before = page[place].replace(Box::new(thing));
        self.count += usize::from(before.is_none());
        before
    }

    pub(super) fn remove(&mut self, id: &I) -> Option<Box<T>> {
        let (at, page_at, place) = split(*id);
        let shelf = self.shelves.get_mut(at)?;
        let page = &mut shelf.as_mut()?[page_at];
        let removed = page.as_mut()?[place].take()?;
        self.count -= 1;
        if page.as_ref().is_some_and(|page| page.iter().all(Option::is_none)) {
            *page = None;
            if shelf.as_ref().is_some_and(|shelf| shelf.iter().all(Option::is_none)) {
                *shelf = None;
            }
        }
        Some(removed)
    }

    fn page(&self, id: I) -> Option<(&Page<T>, usize)> {
        let (shelf, page, place) = split(id);
        Some((self.shelves.get(shelf)?.as_ref()?[page].as_deref()?, place))
    }
}

fn values<T>(shelves: &[Option<Box<Shelf<T>>>]) -> impl Iterator<Item = &T> {
    let pages = shelves.iter().flatten().flat_map(|shelf| shelf.iter().flatten());
    pages.flat_map(|page| page.iter().filter_map(Option::as_deref))
}

/// Its shelf, its page there, and its place on that.
fn split(id: impl Id) -> (usize, usize, usize) {
    let id = id.number() as usize;
    (id / PAGE / SHELF, id / PAGE % SHELF, id % PAGE)
}

const _: () = assert!(size_of::<Page<u64>>() == 8 * PAGE);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_found_by_their_ids_until_they_are_removed() {
        let mut things = ById::default();
        for id in [70, 3, 4] {
            assert!(things.insert(SockId(id), id).is_none());
        }
        assert_eq!(things.values().copied().collect::<Vec<_>>(), [3, 4, 70]);
        assert_eq!(things.get(&SockId(5)).or(things.get(&SockId(4000))), None);
        assert_eq!(things.remove(&SockId(70)).as_deref(), Some(&70));
        assert_eq!(things.remove(&SockId(70)).or(things.remove(&SockId(9999))), None);
        assert_eq!((things.len(), things.get_mut(&SockId(4)).copied()), (2, Some(4)));
        assert_eq!(things.insert(SockId(4), 5).as_deref(), Some(&4));
        assert_eq!((things.len(), things.get(&SockId(4))), (2, Some(&5)));
        [3, 4].into_iter().for_each(|id| drop(things.remove(&SockId(id))));
        assert!(things.shelves.iter().all(Option::is_none), "nothing is there");
    }
}
