//! What happened on each connection, in order of time: the marks of its ownership timeline.
//!
//! Bounded: a connection keeps so many marks, all together keep so many, and what is dropped is counted.
//! Marks of one process that follow each other and say the same are one.

use crate::event::Event;
use crate::model::{Change, Failure, Model, ProcId, SockId};
use crate::protocol::{Direction, FrameKind, Sign};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Marks of one connection.
const MOST_OF_ONE: usize = 1024;
/// Marks of all connections: 64 MB.
const MOST_OF_ALL: usize = 1 << 20;
/// How often room is made: after so many marks for which there was none.
const SELDOM: u32 = 1 << 14;
/// Connections that have marks.
const MOST_CONNECTIONS: usize = 1 << 17;

/// What a mark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Bytes were sent.
    Sent,
    /// Bytes were received.
    Received,
    /// The header of an HTTP/2 frame passed.
    Frame { sent: bool, kind: FrameKind, stream: u32 },
    /// It crossed a fork: the process is the child.
    Inherited,
    /// A goodbye of the protocol.
    Goodbye(&'static str),
    /// The peer's goodbye was read.
    PeerGoodbye(&'static str),
    /// `shutdown(2)`.
    Shutdown,
    /// A descriptor for it was closed.
    Closed,
    /// A receive said that no more will come.
    Ended,
    /// A call on it failed.
    Failed { nr: u16, errno: i32 },
    /// An answer was read by another than asked.
    Stolen,
    /// A message was begun inside another's, or a stream opened that another had opened.
    Torn,
}

/// One mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// From when, in nanoseconds.
    pub(super) from: u64,
    /// Until when.
    pub(super) to: u64,
    /// Whose.
    pub(super) process: ProcId,
    /// Under which number.
    pub(super) fd: i32,
    /// How often.
    pub(super) count: u32,
    /// How many bytes.
    pub(super) bytes: u64,
    /// What.
    pub(super) what: What,
}

/// One connection's marks.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The newest.
    pub(super) marks: VecDeque<Mark>,
    /// Older ones that were dropped.
    pub(super) dropped: u64,
}

/// The marks of all connections.
#[derive(Debug, Default)]
pub(super) struct Journal {
    of: FxHashMap<SockId, Marks>,
    marks: usize,
    /// After so many more marks without room, room is made: it takes a while.
    lacking: u32,
}

impl Journal {
    /// Notes what an event changed.
    pub(super) fn note(&mut self, model: &Model, time: u64, change: &Change) {
        let (socket, process, fd, bytes, what) = match *change {
            Change::Used { socket, by, fd, sent, bytes, .. } => {
                (socket, by.process, fd, bytes, if sent { What::Sent } else { What::Received })
            }
            Change::Said { socket, by, fd, sign } => {
                let Some(what) = said(&sign) else { return };
                (socket, by.process, fd, 0, what)
            }
            Change::Crossed { socket, fd, child, .. } => (socket, child, fd, 0, What::Inherited),
            Change::LetGo { socket, by, fd } => (socket, by.process, fd, 0, What::Closed),
            Change::StreamEnded { socket, by, fd } => (socket, by.process, fd, 0, What::Ended),
            Change::Failed(Failure { by, fd, errno, .. }) => {
                let slot = model.slot(by.process, by.tid, fd);
                let Some(socket) = slot.and_then(|slot| slot.open.as_ref()?.file.socket) else { return };
                (socket, by.process, fd, 0, What::Failed { nr: by.nr, errno })
            }
            Change::Forked { .. }
            | Change::Connected { .. }
            | Change::Executed { .. }
            | Change::Ended { .. }
            | Change::InVain { .. }
            | Change::Misdirected { .. }
            | Change::Glanced { .. }
            | Change::Epoll(_)
            | Change::Taken(_)
            | Change::Uncertain { .. } => return,
        };
        let mark = Mark { from: time, to: time, process, fd, count: 1, bytes, what };
        self.add(model, socket, mark);
    }

    /// Notes that a process has shut down what is behind a number.
    pub(super) fn shut_down(&mut self, model: &Model, event: &Event<'_>, fd: i32) {
        let Some(process) = model.living_id(event.process.tgid) else { return };
        let slot = model.slot(process, event.tid, fd);
        let Some(socket) = slot.and_then(|slot| slot.open.as_ref()?.file.socket) else { return };
        let (from, to) = (event.time, event.time);
        self.add(model, socket, Mark { from, to, process, fd, count: 1, bytes: 0, what: What::Shutdown });
    }

    /// Notes that a process has closed a number for it, also where it never used it.
    pub(super) fn closed(&mut self, model: &Model, event: &Event<'_>, fd: i32, socket: SockId) {
        let Some(process) = model.living_id(event.process.tgid) else { return };
        let (from, to) = (event.time, event.time);
        let mark = Mark { from, to, process, fd, count: 1, bytes: 0, what: What::Closed };
        // The model may have told the same.
        let is_told = self.of(socket).and_then(|of| of.marks.back()).is_some_and(|last| *last == mark);
        if !is_told {
            self.add(model, socket, mark);
        }
    }

    /// Adds a mark to a connection's.
    fn add(&mut self, model: &Model, socket: SockId, mark: Mark) {
        let last = self.of.get_mut(&socket).and_then(|of| of.marks.back_mut());
        if let Some(last) = last.filter(|last| is_more_of(last, &mark)) {
            last.to = mark.to;
            last.count = last.count.saturating_add(1);
            last.bytes = last.bytes.saturating_add(mark.bytes);
            return;
        }
        if !self.has_room(model, socket) {
            return;
        }
        let Marks { marks, dropped } = self.of.entry(socket).or_default();
        if marks.len() < MOST_OF_ONE && self.marks < MOST_OF_ALL {
            self.marks += 1;
        } else {
            *dropped += 1;
            if marks.pop_front().is_none() {
                return;
            }
        }
        marks.push_back(mark);
    }

    /// Whether a connection may have one more mark.
    fn has_room(&mut self, model: &Model, socket: SockId) -> bool {
        let is_new = !self.of.contains_key(&socket);
        if is_new && !model.socket(socket).is_some_and(crate::model::Socket::is_connection) {
            return false;
        }
        if self.marks >= MOST_OF_ALL || (is_new && self.of.len() >= MOST_CONNECTIONS) {
            self.lacking = self.lacking.saturating_sub(1);
            if self.lacking == 0 {
                self.lacking = SELDOM;
                self.make_room(model);
            }
        }
        !is_new || self.of.len() < MOST_CONNECTIONS
    }

    /// Connections that are gone lose their marks; where that is not enough, the others lose
    /// the older half of theirs.
    fn make_room(&mut self, model: &Model) {
        self.of.retain(|&id, _| model.socket(id).is_some_and(|socket| socket.is_open() || socket.kept));
        let count = |of: &FxHashMap<SockId, Marks>| of.values().map(|of| of.marks.len()).sum();
        self.marks = count(&self.of);
        if self.marks > MOST_OF_ALL / 2 {
            for of in self.of.values_mut() {
                let old = of.marks.len() / 2;
                of.marks.drain(..old);
                of.dropped += old as u64;
            }
            self.marks = count(&self.of);
        }
    }

    /// One connection's marks.
    pub(super) fn of(&self, socket: SockId) -> Option<&Marks> {
        self.of.get(&socket)
    }
}

/// Whether a mark goes on with what the last one told.
fn is_more_of(last: &Mark, mark: &Mark) -> bool {
    let frames = |what| matches!(what, What::Frame { .. });
    // The bytes of a transfer are told after its frames.
    (last.process, last.fd, last.what) == (mark.process, mark.fd, mark.what) && !frames(mark.what)
}

/// What a sign is as a mark.
fn said(sign: &Sign) -> Option<What> {
    Some(match *sign {
        Sign::Frame { dir, kind, stream, .. } => What::Frame { sent: dir == Direction::Sent, kind, stream },
        Sign::Goodbye { message, .. } => What::Goodbye(message),
        Sign::PeerGoodbye { message, .. } => What::PeerGoodbye(message),
        Sign::Answer { opener, reader, .. } if opener != reader => What::Stolen,
        Sign::Reply { requester: Some(requester), reader, .. } if requester != reader => What::Stolen,
        Sign::Torn { .. } | Sign::StreamReused { .. } | Sign::Preface { again: true, .. } => What::Torn,
        Sign::Answer { .. }
        | Sign::Reply { .. }
        | Sign::Preface { .. }
        | Sign::Recognised(_)
        | Sign::StreamOpened { .. }
        | Sign::Cancelled { .. }
        | Sign::UsedAfterEnd { .. }
        | Sign::Request { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::kernel::Kernel;

    /// Marks of the last connection that was opened: three of its own.
    fn newest(kernel: &mut Kernel, journal: &mut Journal) -> usize {
        let fd = kernel.connect(100, 80);
        kernel.send(100, fd, b"x");
        let model = &kernel.analysis.model;
        let socket = model.sockets().map(|socket| socket.id).max().expect("it was opened");
        let process = model.living_id(100).expect("it lives");
        for (time, what) in [(1, What::Sent), (2, What::Received), (3, What::Sent)] {
            journal.add(model, socket, Mark { from: time, to: time, process, fd, count: 1, bytes: 1, what });
        }
        journal.of(socket).map_or(0, |of| of.marks.len())
    }

    #[test]
    fn where_all_marks_are_taken_the_older_ones_make_room_for_a_new_connection() {
        let mut kernel = Kernel::new();
        let mut journal = Journal::default();
        assert_eq!(newest(&mut kernel, &mut journal), 3);
        // As if the others had them all.
        journal.marks = MOST_OF_ALL;
        assert_eq!(newest(&mut kernel, &mut journal), 3);
        assert_eq!(journal.marks, journal.of.values().map(|of| of.marks.len()).sum::<usize>());
    }
}
