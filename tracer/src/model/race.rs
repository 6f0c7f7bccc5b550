//! Where threads change one table at once, and the order of events does not decide what came of it: /proc is asked.

use super::apply::OVERLAP;
use super::{Change, Model, Origin};
use forkscope_proto::{Call, calls};

/// Changes of one table that are remembered: those of as many threads at once.
const MOST: usize = 16;

/// A change of a number, by one thread: the time within which it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    fd: i32,
    tid: u32,
    from: u64,
    to: u64,
    /// It put a file there that may have been there before: a copy, which the file does not tell from the older one.
    copies: bool,
}

impl Touch {
    /// What a call did to a number, where that can collide with what another thread does to it. A call that makes a
    /// new file cannot: its file is like no other.
    fn of(at: Origin, call: &Call) -> Option<Self> {
        let copies = match at.nr {
            calls::CLOSE => false,
            calls::DUP | calls::DUP2 | calls::DUP3 => true,
            calls::FCNTL if call.other_fd >= 0 => true,
            _ => return None,
        };
        let fd = if copies { call.other_fd } else { call.fd };
        // Of a close only its beginning is known.
        let (from, to) = match copies {
            true if call.enter != 0 => (call.enter, at.time),
            true => (at.time.saturating_sub(OVERLAP), at.time),
            false => (at.time, at.time.saturating_add(OVERLAP)),
        };
        Some(Self { fd, tid: at.tid, from, to, copies })
    }

    fn collides(&self, other: &Self) -> bool {
        self.fd == other.fd
            && self.tid != other.tid
            && (self.copies || other.copies)
            && self.from <= other.to
            && other.from <= self.to
    }
}

impl Model {
    /// Says where a call's change may have been before or after another thread's.
    pub(super) fn race(&mut self, at: Origin, call: &Call, out: &mut Vec<Change>) {
        if self.processes.get(&at.process).is_none_or(|process| process.threads <= 1) {
            return;
        }
        let Some(table) = self.table_id(at).and_then(|id| self.tables.get_mut(&id)) else { return };
        if let Some((time, child)) = table.forked {
            // A change right after a fork of the table may have been before it.
            if at.time < time.saturating_add(OVERLAP) {
                out.push(Change::Uncertain { process: child });
            } else {
                table.forked = None;
            }
        }
        let Some(touch) = Touch::of(at, call) else { return };
        if table.touches.iter().any(|other| other.collides(&touch)) {
            out.push(Change::Uncertain { process: at.process });
        }
        if table.touches.len() == MOST {
            table.touches.pop_front();
        }
        table.touches.push_back(touch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProcId;

    fn touch(nr: u16, tid: u32, fd: i32, enter: u64, time: u64) -> Option<Touch> {
        let at = Origin { time, process: ProcId(1), tid, nr };
        Touch::of(
            at,
            &Call { enter, fd: if nr == calls::CLOSE { fd } else { 3 }, other_fd: fd, ..Call::default() },
        )
    }

    #[test]
    fn copies_collide_with_what_others_do_to_the_number_meanwhile() {
        const MS: u64 = 1_000_000;
        let copy = touch(calls::DUP2, 1, 7, 100 * MS, 101 * MS).expect("a change");
        for (other, collides) in [
            (touch(calls::CLOSE, 2, 7, 0, 100 * MS), true),
            (touch(calls::CLOSE, 2, 7, 0, 97 * MS), true),
            (touch(calls::CLOSE, 2, 7, 0, 90 * MS), false),
            (touch(calls::CLOSE, 2, 7, 0, 102 * MS), false),
            (touch(calls::CLOSE, 2, 8, 0, 100 * MS), false),
            (touch(calls::CLOSE, 1, 7, 0, 100 * MS), false),
            (touch(calls::DUP3, 2, 7, 99 * MS, 100 * MS), true),
            (touch(calls::FCNTL, 2, 7, 101 * MS, 103 * MS), true),
        ] {
            let other = other.expect("a change");
            assert_eq!((copy.collides(&other), other.collides(&copy)), (collides, collides), "{other:?}");
        }
        assert!(touch(calls::ACCEPT4, 2, 7, 0, 100 * MS).is_none());
        let closes = [1, 2].map(|tid| touch(calls::CLOSE, tid, 7, 0, 100 * MS).expect("a change"));
        assert!(!closes[0].collides(&closes[1]));
    }
}
