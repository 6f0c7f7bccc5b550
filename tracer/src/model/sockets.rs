//! The sockets that are remembered, by their ids. Ids are given one after another: a list finds one with fewer looks at
//! memory than a table would, and there may be a million of them.

use super::{SockId, Socket};
use crate::protocol::fetch;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Ids that follow one another. They are shared with processes and tables, so that few of a page may be sockets.
const PAGE: usize = 32;

/// Pages that follow one another. However many ids were given, room is only where there are sockets.
const SHELF: usize = 512;

/// Boxed, so that room for what is no socket is small.
type Page = [Option<Box<Socket>>; PAGE];
type Shelf = [Option<Box<Page>>; SHELF];

/// Sockets by id.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    /// `None` where there are none.
    shelves: Vec<Option<Box<Shelf>>>,
    count: usize,
    /// The newest of each inode. The inode itself is in the socket.
    by_inode: HashTable<SockId>,
}

impl Sockets {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, id: &SockId) -> Option<&Socket> {
        get(&self.shelves, *id)
    }

    /// The newest with an inode.
    pub(super) fn of_inode(&self, inode: u64) -> Option<SockId> {
        let has = |id: &SockId| inode_of(&self.shelves, *id) == inode;
        self.by_inode.find(hash(inode), has).copied()
    }

    pub(super) fn get_mut(&mut self, id: &SockId) -> Option<&mut Socket> {
        let (shelf, page, place) = split(*id);
        self.shelves.get_mut(shelf)?.as_mut()?[page].as_mut()?[place].as_deref_mut()
    }

    /// Has the processor fetch where a socket is.
    pub(super) fn fetch_place(&self, id: SockId) {
        let (shelf, page, place) = split(id);
        let page = self.shelves.get(shelf).and_then(|shelf| shelf.as_ref()?[page].as_ref());
        page.iter().for_each(|page| fetch(&page[place]));
    }

    /// All, by their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Socket> {
        let pages = self.shelves.iter().flatten().flat_map(|shelf| shelf.iter().flatten());
        pages.flat_map(|page| page.iter().filter_map(Option::as_deref))
    }

    pub(super) fn insert(&mut self, socket: Socket) {
        let (id, inode) = (socket.id, socket.inode);
        if let Some(older) = self.of_inode(inode) {
            self.forget_inode(older, inode);
        }
        let (shelf, page, place) = split(id);
        if self.shelves.len() <= shelf {
            self.shelves.resize_with(shelf + 1, || None);
        }
        let shelf = self.shelves[shelf].get_or_insert_with(|| Box::new([const { None }; SHELF]));
        let page = shelf[page].get_or_insert_with(|| Box::new([const { None }; PAGE]));
        self.count += usize::from(page[place].replace(Box::new(socket)).is_none());
        self.by_inode.insert_unique(hash(inode), id, |id| hash(inode_of(&self.shelves, *id)));
    }

    fn forget_inode(&mut self, id: SockId, inode: u64) {
        if let Ok(known) = self.by_inode.find_entry(hash(inode), |known| *known == id) {
            known.remove();
        }
    }

    pub(super) fn remove(&mut self, id: SockId) -> Option<Box<Socket>> {
        let inode = self.get(&id)?.inode;
        self.forget_inode(id, inode);
        let (at, page_at, place) = split(id);
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
}

fn get(shelves: &[Option<Box<Shelf>>], id: SockId) -> Option<&Socket> {
    let (shelf, page, place) = split(id);
    shelves.get(shelf)?.as_ref()?[page].as_ref()?[place].as_deref()
}

/// Inodes of sockets are never 0 (`get_next_ino`, fs/inode.c).
fn inode_of(shelves: &[Option<Box<Shelf>>], id: SockId) -> u64 {
    get(shelves, id).map_or(0, |socket| socket.inode)
}

fn hash(inode: u64) -> u64 {
    FxBuildHasher.hash_one(inode)
}

/// Its shelf, its page there, and its place on that.
fn split(SockId(id): SockId) -> (usize, usize, usize) {
    let id = id as usize;
    (id / PAGE / SHELF, id / PAGE % SHELF, id % PAGE)
}

const _: () = assert!(size_of::<Page>() == 8 * PAGE);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, ProcId};
    use forkscope_proto::FileRef;

    fn socket(id: u32) -> Socket {
        with_inode(id, u64::from(id) * 10)
    }

    fn with_inode(id: u32, inode: u64) -> Socket {
        let at = Origin { time: 1, process: ProcId(1), tid: 1, nr: 1 };
        let file = FileRef { inode, ..FileRef::NONE };
        Socket::new(SockId(id), at, &forkscope_proto::Socket { file, ..Default::default() })
    }

    #[test]
    fn sockets_are_found_by_their_ids_until_they_are_removed() {
        let mut sockets = Sockets::default();
        [70, 3, 4].into_iter().for_each(|id| sockets.insert(socket(id)));
        assert_eq!(sockets.iter().map(|socket| socket.id.0).collect::<Vec<_>>(), [3, 4, 70]);
        assert!(sockets.get(&SockId(5)).is_none() && sockets.get(&SockId(4000)).is_none());
        assert_eq!(sockets.remove(SockId(70)).map(|socket| socket.id), Some(SockId(70)));
        assert!(sockets.remove(SockId(70)).is_none() && sockets.remove(SockId(9999)).is_none());
        assert_eq!((sockets.len(), sockets.get_mut(&SockId(4)).is_some()), (2, true));
        [3, 4].into_iter().for_each(|id| drop(sockets.remove(SockId(id))));
        assert!(sockets.shelves.iter().all(Option::is_none), "nothing is there");
    }

    #[test]
    fn the_newest_of_an_inode_is_found() {
        let mut sockets = Sockets::default();
        (1..2000).for_each(|id| sockets.insert(socket(id)));
        assert!((1..2000).all(|id| sockets.of_inode(u64::from(id) * 10) == Some(SockId(id))));
        sockets.insert(with_inode(5000, 70));
        assert_eq!(sockets.of_inode(70), Some(SockId(5000)));
        sockets.remove(SockId(7));
        assert_eq!(sockets.of_inode(70), Some(SockId(5000)));
        sockets.remove(SockId(5000));
        assert_eq!((sockets.of_inode(70), sockets.of_inode(80)), (None, Some(SockId(8))));
    }
}
