//! Holding the tables against what the kernel showed.

use super::file::{FileId, OpenFile};
use super::process::TableId;
use super::table::{End, Holding};
use super::{Change, Model, Origin, SockId};
use forkscope_proto::{FileKind, FileRef};
use std::rc::Rc;

impl Model {
    /// The open file behind a number, as the kernel showed it; the table is corrected where it says
    /// something else. `None` where nothing is behind it.
    pub(super) fn resolve(
        &mut self,
        at: Origin,
        fd: i32,
        found: &FileRef,
        out: &mut Vec<Change>,
    ) -> Option<Rc<OpenFile>> {
        let table = self.table_id(at)?;
        let held = self.tables.get(&table).and_then(|table| table.holding(fd));
        match held {
            Some(holding) if found.is_some() && holding.file.is(found) => {
                return Some(Rc::clone(&holding.file));
            }
            None if !found.is_some() => return None,
            _ => {}
        }
        self.corrected += 1;
        out.push(Change::Uncertain { process: at.process });
        let unseen = Origin { nr: 0, ..at };
        if !found.is_some() {
            self.tables.get_mut(&table)?.clear(fd, End { by: unseen, result: 0 });
            return None;
        }
        let file = self.open_file(found, unseen, None);
        self.put(table, fd, Rc::clone(&file), unseen, found.flags & FileRef::CLOEXEC != 0);
        Some(file)
    }

    /// Puts what a call made behind a number. The call began at `began`, in nanoseconds.
    pub(super) fn install(
        &mut self,
        at: Origin,
        began: u64,
        fd: i32,
        found: &FileRef,
        source: Option<Rc<OpenFile>>,
        path: Option<&[u8]>,
    ) {
        let Some(table_id) = self.table_id(at) else { return };
        if fd < 0 {
            return;
        }
        if let Some(table) = self.tables.get_mut(&table_id) {
            let early = |&(number, file, ended): &(i32, FileRef, u64)| {
                number == fd && ended >= began && (file.is_same(found) || !found.is_some())
            };
            if let Some(gone) = table.early.iter().position(early) {
                table.early.remove(gone);
                // Whatever was there before is gone, too.
                table.clear(fd, End { by: at, result: 0 });
                return;
            }
        }
        if !found.is_some() {
            return;
        }
        let file = match source.filter(|file| file.is(found)) {
            Some(file) => file,
            None => self.open_file(found, at, path),
        };
        self.put(table_id, fd, file, at, found.flags & FileRef::CLOEXEC != 0);
    }

    /// The table that a thread uses.
    pub(super) fn table_id(&self, at: Origin) -> Option<TableId> {
        self.processes.get(&at.process).map(|process| process.table_of(at.tid))
    }

    /// The socket with an inode.
    pub(super) fn socket_of(&self, found: &FileRef) -> Option<SockId> {
        if found.kind() != FileKind::Socket {
            return None;
        }
        self.sockets.of_inode(found.inode)
    }

    /// The open file that the kernel showed: the known one for a socket, else a new one.
    pub(super) fn open_file(&mut self, found: &FileRef, opened: Origin, path: Option<&[u8]>) -> Rc<OpenFile> {
        let socket = self.socket_of(found);
        if let Some(socket) = socket.and_then(|id| self.sockets.get_mut(&id))
            && let Some(file) = socket.file.upgrade().filter(|file| file.is(found))
        {
            return file;
        }
        self.files += 1;
        let path = path.filter(|path| !path.is_empty());
        let path = path.map(|path| String::from_utf8_lossy(path).into());
        let file = Rc::new(OpenFile::new(FileId(self.files), found, path, opened, socket));
        if let Some(socket) = socket.and_then(|id| self.sockets.get_mut(&id)) {
            socket.many_files |= socket.is_open();
            socket.file = Rc::downgrade(&file);
            socket.opened = opened;
        }
        file
    }

    /// Puts an open file behind a number; what was there was ended by the same call, or by nobody seen.
    pub(super) fn put(&mut self, id: TableId, fd: i32, file: Rc<OpenFile>, origin: Origin, cloexec: bool) {
        let Some(table) = self.tables.get_mut(&id) else { return };
        if file.socket.is_some() {
            table.fresh.insert(fd);
        }
        let end = End { by: origin, result: i64::from(fd) };
        table.put(fd, Holding::new(file, origin, cloexec), end);
    }

    /// The open file behind a number of the table that a thread uses, without asking the kernel.
    pub(super) fn held(&self, at: Origin, fd: i32) -> Option<Rc<OpenFile>> {
        let table = self.tables.get(&self.table_id(at)?)?;
        table.holding(fd).map(|holding| Rc::clone(&holding.file))
    }
}
