//! When requests were sent: the newest of a connection.

use super::{Origin, ProcId};
use crate::protocol::{InFlight, Sign, User};
use std::collections::VecDeque;

/// A request that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Who sent it, and when.
    pub by: Origin,
    /// Under which number.
    pub fd: i32,
    /// On which HTTP/2 stream; `None` in a protocol without.
    pub stream: Option<u32>,
}

/// The newest requests of a connection, oldest first.
#[derive(Debug, Default)]
pub(super) struct Requests(VecDeque<Asked>);

impl Requests {
    /// How many are remembered.
    const KEPT: usize = 8;

    /// Remembers what a sign says of a request.
    pub(super) fn note(&mut self, sign: &Sign, at: Origin, fd: i32) {
        let (stream, User(by)) = match *sign {
            Sign::StreamOpened { stream, by } | Sign::StreamReused { stream, again: by, .. } => {
                (Some(stream), by)
            }
            Sign::Request { by } => (None, by),
            Sign::Recognised(_)
            | Sign::Preface { .. }
            | Sign::Frame { .. }
            | Sign::Answer { .. }
            | Sign::Torn { .. }
            | Sign::Cancelled { .. }
            | Sign::UsedAfterEnd { .. }
            | Sign::Goodbye { .. }
            | Sign::PeerGoodbye { .. }
            | Sign::Reply { .. } => return,
        };
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        if self.0.is_empty() {
            // Most connections have one under way at a time, and there are many connections.
            self.0.reserve_exact(1);
        }
        let by = Origin { process: ProcId::from_number(by), ..at };
        self.0.push_back(Asked { by, fd, stream });
    }

    /// None of them will be asked for again.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// Those of them that are under way, oldest first: where replies come in order, the newest are.
    pub(super) fn under_way(&self, flight: &InFlight) -> Vec<Asked> {
        match flight {
            InFlight::Unknown | InFlight::Nothing | InFlight::Message(_) => Vec::new(),
            InFlight::Streams { oldest, .. } => {
                let is = |asked: &Asked, stream, User(opener)| {
                    asked.stream == Some(stream) && asked.by.process.number() == opener
                };
                let asked = |&(stream, opener): &(u32, User)| {
                    self.0.iter().find(|asked| is(asked, stream, opener)).copied()
                };
                oldest.iter().filter_map(asked).collect()
            }
            InFlight::Requests { count, .. } => {
                let passed = self.0.len().saturating_sub(usize::try_from(*count).unwrap_or(usize::MAX));
                self.0.iter().skip(passed).take(InFlight::NAMED).copied().collect()
            }
        }
    }
}
