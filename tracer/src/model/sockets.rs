//! The sockets that are remembered, by their ids. Ids are given one after another: a list finds one with fewer looks at
//! memory than a table would, and there may be a million of them.

use super::{SockId, Socket};

/// Ids that follow one another. They are shared with processes and tables, so that few of a page may be sockets.
const PAGE: usize = 32;

/// Boxed, so that room for what is no socket is small.
type Page = [Option<Box<Socket>>; PAGE];

/// Sockets by id.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    /// `None` where there are none.
    pages: Vec<Option<Box<Page>>>,
    count: usize,
}

impl Sockets {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, id: &SockId) -> Option<&Socket> {
        let (page, place) = split(*id);
        self.pages.get(page)?.as_ref()?[place].as_deref()
    }

    pub(super) fn get_mut(&mut self, id: &SockId) -> Option<&mut Socket> {
        let (page, place) = split(*id);
        self.pages.get_mut(page)?.as_mut()?[place].as_deref_mut()
    }

    /// All, by their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Socket> {
        self.pages.iter().flatten().flat_map(|page| page.iter().filter_map(Option::as_deref))
    }

    pub(super) fn insert(&mut self, socket: Socket) {
        let (page, place) = split(socket.id);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new([const { None }; PAGE]));
        self.count += usize::from(page[place].replace(Box::new(socket)).is_none());
    }

    pub(super) fn remove(&mut self, id: SockId) -> Option<Box<Socket>> {
        let (at, place) = split(id);
        let page = self.pages.get_mut(at)?;
        let removed = page.as_mut()?[place].take()?;
        self.count -= 1;
        if page.as_ref().is_some_and(|page| page.iter().all(Option::is_none)) {
            *page = None;
        }
        Some(removed)
    }
}

fn split(SockId(id): SockId) -> (usize, usize) {
    (id as usize / PAGE, id as usize % PAGE)
}

const _: () = assert!(size_of::<Page>() == 8 * PAGE);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, ProcId};

    fn socket(id: u32) -> Socket {
        let at = Origin { time: 1, process: ProcId(1), tid: 1, nr: 1 };
        Socket::new(SockId(id), at, &forkscope_proto::Socket::default())
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
        assert!(sockets.pages[2].is_none(), "nothing is there");
    }
}
