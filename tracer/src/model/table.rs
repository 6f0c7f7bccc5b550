//! Descriptor tables: the kernel's `files_struct`.
//!
//! A table is a list of pages of 64 numbers, all shared by reference: a clone copies one pointer, and the
//! first write after it copies the list and one page.

use super::race::Touches;
use super::{Held, OpenFile, Origin, SockId};
use crate::protocol::fetch;
use forkscope_proto::{FileKind, FileRef};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;
use std::rc::Rc;

const PAGE: usize = 64;
/// Numbers beyond this are not followed: a program with so many is none that this tool can help.
const MOST: usize = 1 << 22;
/// How many earlier generations of a number are kept: of those that one process opened and another ended,
/// which is what forks leave behind, and of those that a process opened and ended itself.
const MOST_INHERITED: usize = 4;
const MOST_OWN: usize = 2;

/// What is, and was, behind one number.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// What is behind it now.
    pub open: Option<Holding>,
    /// What was behind it before, newest first: sockets, epolls and eventfds only.
    past: Option<Rc<Box<[Past]>>>,
    /// How many open files it has had.
    pub generation: u32,
}

/// An open file behind a number.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The open file.
    pub file: Held,
    /// Who put it there, where that is not who opened the file.
    moved: Option<Box<Origin>>,
    /// Whether it closes on exec.
    pub cloexec: bool,
}

impl Holding {
    /// An open file that `origin` put somewhere.
    pub(super) fn new(file: Rc<OpenFile>, origin: Origin, cloexec: bool) -> Self {
        let moved = (file.opened != origin).then(|| Box::new(origin));
        Self { file: Held::new(file), moved, cloexec }
    }

    /// Who put it there. In a child's table, that is the parent: it was inherited.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.moved.as_deref().copied().unwrap_or(self.file.opened)
    }
}

/// An earlier generation of a number.
#[derive(Clone, Debug)]
pub struct Past {
    /// The open file that was there.
    pub file: Rc<OpenFile>,
    /// Who had put it there.
    pub origin: Origin,
    /// How it ended.
    pub end: End,
    /// Which generation it was.
    pub generation: u32,
}

/// How a descriptor ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Who ended it, when, and by which call; call 0: nobody was seen to.
    pub by: Origin,
    /// The call's result.
    pub result: i64,
}

/// Numbers that follow one another.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// Which of them are in use, and which of these are sockets, one bit each.
    open: u64,
    with_socket: u64,
    /// Enough to tell that a transfer was on the socket that is known, and nothing else of the
    /// descriptor has to be looked at.
    briefs: [Brief; PAGE],
    slots: [Slot; PAGE],
}

/// What is behind a number, in brief.
#[derive(Clone, Copy, Debug, Default)]
struct Brief {
    /// Inode and address of the file, 0 where not known.
    inode: u64,
    address: u64,
    /// The socket, 0 for none.
    socket: u32,
    /// Something is remembered that was behind it before.
    has_past: bool,
}

const _: () = assert!(PAGE == u64::BITS as usize);

/// Which wanted sockets are on pages of tables, and where: pages are shared between tables.
pub(super) type Seen = FxHashMap<*const Page, Box<[(usize, SockId)]>>;

/// A descriptor table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pages: Rc<Vec<Option<Rc<Page>>>>,
    /// Numbers of connections that have not crossed a fork of this table yet.
    pub(super) fresh: FxHashSet<i32>,
    /// Files whose close was told before the call that made their number: number, file,
    /// when the close had ended.
    pub(super) early: VecDeque<(i32, FileRef, u64)>,
    /// What threads did to its numbers lately.
    pub(super) touches: Touches,
    /// How many processes use this table; more than one by `CLONE_FILES`.
    pub(super) users: u32,
}

impl Table {
    /// What is known of a number.
    #[must_use]
    pub fn slot(&self, fd: i32) -> Option<&Slot> {
        let fd = usize::try_from(fd).ok()?;
        self.pages.get(fd / PAGE)?.as_ref().map(|page| &page.slots[fd % PAGE])
    }

    /// What is behind a number now.
    #[must_use]
    pub fn holding(&self, fd: i32) -> Option<&Holding> {
        self.slot(fd)?.open.as_ref()
    }

    /// All numbers in use, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &Holding)> {
        self.pages().flat_map(|(first, page)| {
            let open = bits(page.open).map(move |low| (first + low as i32, page.slots[low].open.as_ref()));
            open.filter_map(|(fd, holding)| Some((fd, holding?)))
        })
    }

    /// The numbers with sockets among the lowest so many that are in use, in order.
    pub(crate) fn sockets_among(&self, most: usize) -> impl Iterator<Item = (i32, SockId)> {
        let mut left = most;
        let pages = self.pages().map_while(move |(first, page)| {
            let looked_at = left;
            left = left.saturating_sub(page.open.count_ones() as usize);
            (looked_at > 0).then_some((first, page, looked_at))
        });
        pages.flat_map(|(first, page, most)| {
            let last = if most < PAGE { bits(page.open).nth(most) } else { None };
            let beyond = last.map_or(0, |low| u64::MAX << low);
            let sockets = bits(page.with_socket & !beyond);
            sockets.map(move |low| (first + low as i32, SockId(page.briefs[low].socket)))
        })
    }

    /// The socket behind a number, where that surely is the file that the probe found, and whether anything
    /// is remembered that was behind the number before.
    pub(super) fn same_socket(&self, fd: i32, found: &FileRef) -> Option<(SockId, bool)> {
        let Brief { inode, address, socket, has_past } = *self.brief(fd)?;
        let same = found.file != 0 && (inode, address) == (found.inode, found.file);
        (same && socket != 0 && found.kind() == FileKind::Socket).then_some((SockId(socket), has_past))
    }

    fn brief(&self, fd: i32) -> Option<&Brief> {
        let fd = usize::try_from(fd).ok()?;
        Some(&self.pages.get(fd / PAGE)?.as_ref()?.briefs[fd % PAGE])
    }

    /// Has the processor fetch where its pages are.
    pub(super) fn fetch_pages(&self) {
        fetch(&*self.pages);
    }

    /// Has the processor fetch what [`Table::same_socket`] looks at.
    pub(super) fn fetch_brief(&self, fd: i32) {
        self.brief(fd).iter().for_each(|brief| fetch(*brief));
    }

    /// The socket behind a number.
    pub(super) fn socket_at(&self, fd: i32) -> Option<SockId> {
        self.brief(fd).filter(|brief| brief.socket != 0).map(|brief| SockId(brief.socket))
    }

    /// The lowest number with a socket.
    pub(super) fn find(&self, SockId(wanted): SockId) -> Option<i32> {
        self.pages().find_map(|(first, page)| {
            let low = page.briefs.iter().position(|brief| brief.socket == wanted && wanted != 0)?;
            Some(first + low as i32)
        })
    }

    /// The pages that there are, each with its first number.
    fn pages(&self) -> impl Iterator<Item = (i32, &Page)> {
        let pages = self.pages.iter().enumerate();
        pages.filter_map(|(at, page)| Some(((at * PAGE) as i32, &**page.as_ref()?)))
    }

    /// All numbers that are, or were, in use, in order.
    fn slots(&self) -> impl Iterator<Item = (i32, &Slot)> {
        self.pages().flat_map(|(first, page)| {
            page.slots.iter().enumerate().map(move |(low, slot)| (first + low as i32, slot))
        })
    }

    /// The numbers behind which one of these sockets is. `seen` has what tables share with those that were
    /// asked before, while none of them changes.
    pub(super) fn find_sockets(
        &self,
        wanted: &FxHashSet<SockId>,
        seen: &mut Seen,
        mut found: impl FnMut(SockId, i32),
    ) {
        for (at, page) in self.pages.iter().enumerate() {
            let Some(page) = page else { continue };
            let has = seen.entry(Rc::as_ptr(page)).or_insert_with(|| {
                let sockets = bits(page.with_socket).map(|low| (low, SockId(page.briefs[low].socket)));
                sockets.filter(|(_, socket)| wanted.contains(socket)).collect()
            });
            has.iter().for_each(|&(low, socket)| found(socket, (at * PAGE + low) as i32));
        }
    }

    /// The open files behind all numbers, now and before, as far as they are remembered.
    pub fn files(&self) -> impl Iterator<Item = &Rc<OpenFile>> {
        self.slots().flat_map(|(_, slot)| {
            let open = slot.open.iter().map(|holding| &*holding.file);
            open.chain(slot.past().iter().map(|past| &past.file))
        })
    }

    /// Puts an open file behind a number. What was there goes to its past, as ended by `end`.
    pub(super) fn put(&mut self, fd: i32, holding: Holding, end: End) {
        self.change(fd, |slot| {
            slot.retire(end);
            slot.open = Some(holding);
            slot.generation += 1;
        });
    }

    /// What is behind a number turns out to be an open file that is known already.
    pub(super) fn recognise(&mut self, fd: i32, file: &Rc<OpenFile>) {
        self.change(fd, |slot| {
            if let Some(open) = &mut slot.open {
                *open = Holding::new(Rc::clone(file), open.origin(), open.cloexec);
            }
        });
    }

    /// Empties a number; tells whether anything was there.
    pub(super) fn clear(&mut self, fd: i32, end: End) -> bool {
        if self.holding(fd).is_none() {
            return false;
        }
        self.change(fd, |slot| slot.retire(end)).unwrap_or(false)
    }

    /// Marks a number close-on-exec, or not.
    pub(super) fn set_cloexec(&mut self, fd: i32, cloexec: bool) {
        if self.holding(fd).is_some_and(|holding| holding.cloexec != cloexec) {
            self.change(fd, |slot| {
                if let Some(open) = &mut slot.open {
                    open.cloexec = cloexec;
                }
            });
        }
    }

    /// Empties each number for which `gone` says so. Returns the sockets that were there.
    pub(super) fn clear_where(
        &mut self,
        end: End,
        gone: impl Fn(i32, &Holding) -> bool,
    ) -> Vec<(i32, SockId)> {
        let gone: Vec<(i32, Option<SockId>)> = self
            .iter()
            .filter(|(fd, holding)| gone(*fd, holding))
            .map(|(fd, holding)| (fd, holding.file.socket))
            .collect();
        for &(fd, _) in &gone {
            self.clear(fd, end);
        }
        gone.into_iter().filter_map(|(fd, socket)| Some((fd, socket?))).collect()
    }

    /// Changes what is behind a number. `None` for one that is not followed.
    fn change<T>(&mut self, fd: i32, change: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        let fd = usize::try_from(fd).ok().filter(|&fd| fd < MOST)?;
        let pages = Rc::make_mut(&mut self.pages);
        if pages.len() <= fd / PAGE {
            pages.resize(fd / PAGE + 1, None);
        }
        let page = Rc::make_mut(pages[fd / PAGE].get_or_insert_default());
        let low = fd % PAGE;
        let slot = &mut page.slots[low];
        let changed = change(slot);
        let socket = slot.open.as_ref().map(|open| open.file.socket);
        let socket_behind = socket.flatten();
        page.open = page.open & !(1 << low) | u64::from(socket.is_some()) << low;
        page.with_socket = page.with_socket & !(1 << low) | u64::from(socket_behind.is_some()) << low;
        let (inode, address) =
            slot.open.as_ref().map_or((0, 0), |open| (open.file.inode, open.file.address.get()));
        let socket = socket_behind.map_or(0, |SockId(id)| id);
        let has_past = slot.past.is_some();
        page.briefs[low] = Brief { inode, address, socket, has_past };
        Some(changed)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self {
            open: 0,
            with_socket: 0,
            briefs: [Brief::default(); PAGE],
            slots: std::array::from_fn(|_| Slot::default()),
        }
    }
}

/// The places of the bits that are set, in order.
fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (lowest < u64::BITS).then_some(lowest as usize)
    })
}

impl Slot {
    /// Moves what is open to the past.
    fn retire(&mut self, end: End) -> bool {
        let Some(open) = self.open.take() else { return false };
        if open.file.is_endpoint() {
            let newest =
                Past { file: Rc::clone(&open.file), origin: open.origin(), end, generation: self.generation };
            let (mut own, mut inherited) = (0, 0);
            let kept = std::iter::once(newest).chain(self.past().iter().cloned()).filter(|past| {
                let (count, most) =
                    if past.is_own() { (&mut own, MOST_OWN) } else { (&mut inherited, MOST_INHERITED) };
                *count += 1;
                *count <= most
            });
            self.past = Some(Rc::new(kept.collect()));
        }
        true
    }

    /// What was behind it before, newest first.
    #[must_use]
    pub fn past(&self) -> &[Past] {
        self.past.as_ref().map_or(&[], |past| past)
    }
}

impl Past {
    /// Whether one process opened and ended it.
    fn is_own(&self) -> bool {
        self.origin.process == self.end.by.process
    }
}

#[cfg(test)]
mod tests;
