//! The sockets that are remembered, by their ids and by their inodes.

use super::by_id::ById;
use super::{SockId, Socket};
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Sockets by id.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    all: ById<SockId, Socket>,
    /// The newest of each inode. The inode itself is in the socket.
    by_inode: HashTable<SockId>,
}

impl Sockets {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, id: &SockId) -> Option<&Socket> {
        self.all.get(id)
    }

    /// The newest with an inode.
    pub(super) fn of_inode(&self, inode: u64) -> Option<SockId> {
        let has = |id: &SockId| inode_of(&self.all, *id) == inode;
        self.by_inode.find(hash(inode), has).copied()
    }

    pub(super) fn get_mut(&mut self, id: &SockId) -> Option<&mut Socket> {
        self.all.get_mut(id)
    }

    /// Has the processor fetch where a socket is.
    pub(super) fn fetch_place(&self, id: SockId) {
        self.all.fetch_place(id);
    }

    /// All, by their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Socket> {
        self.all.values()
    }

    pub(super) fn insert(&mut self, socket: Socket) {
        let (id, inode) = (socket.id, socket.inode);
        if let Some(older) = self.of_inode(inode) {
            self.forget_inode(older, inode);
        }
        self.all.insert(id, socket);
        self.by_inode.insert_unique(hash(inode), id, |id| hash(inode_of(&self.all, *id)));
    }

    fn forget_inode(&mut self, id: SockId, inode: u64) {
        if let Ok(known) = self.by_inode.find_entry(hash(inode), |known| *known == id) {
            known.remove();
        }
    }

    pub(super) fn remove(&mut self, id: SockId) -> Option<Box<Socket>> {
        let inode = self.get(&id)?.inode;
        self.forget_inode(id, inode);
        self.all.remove(&id)
    }
}

/// Inodes of sockets are never 0 (`get_next_ino`, fs/inode.c).
fn inode_of(sockets: &ById<SockId, Socket>, id: SockId) -> u64 {
    sockets.get(&id).map_or(0, |socket| socket.inode)
}

fn hash(inode: u64) -> u64 {
    FxBuildHasher.hash_one(inode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, ProcId};
    use forkscope_proto::FileRef;

    fn with_inode(id: u32, inode: u64) -> Socket {
        let at = Origin { time: 1, process: ProcId(1), tid: 1, nr: 1 };
        let file = FileRef { inode, ..FileRef::NONE };
        Socket::new(SockId(id), at, &forkscope_proto::Socket { file, ..Default::default() })
    }

    #[test]
    fn the_newest_of_an_inode_is_found() {
        let mut sockets = Sockets::default();
        (1..2000).for_each(|id| sockets.insert(with_inode(id, u64::from(id) * 10)));
        assert!((1..2000).all(|id| sockets.of_inode(u64::from(id) * 10) == Some(SockId(id))));
        sockets.insert(with_inode(5000, 70));
        assert_eq!(sockets.of_inode(70), Some(SockId(5000)));
        sockets.remove(SockId(7));
        assert_eq!(sockets.of_inode(70), Some(SockId(5000)));
        sockets.remove(SockId(5000));
        assert_eq!((sockets.of_inode(70), sockets.of_inode(80)), (None, Some(SockId(8))));
    }
}
