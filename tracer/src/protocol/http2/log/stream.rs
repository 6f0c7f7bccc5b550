//! What was seen on one stream.

use crate::protocol::http2::Verb;
use crate::protocol::http2::frame::FrameKind;
use crate::protocol::http2::messages::Messages;
use crate::protocol::{Direction, Few, User};
use std::sync::Arc;

/// Processes that are told apart on one stream.
pub(super) const USERS: usize = 32;

/// One stream.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    /// Its number.
    pub id: u32,
    pub(super) of: &'a Body,
}

/// What a stream has beside its number: many have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) uses: Few<StreamUse>,
    pub(super) messages: [Messages; 2],
}

/// What one process did on one stream. What it sent, and what it read of the other side's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamUse {
    /// The process.
    pub user: User,
    /// It opened the stream.
    pub opened: bool,
    /// `:path` of a request, without its query.
    pub path: Option<Arc<str>>,
    /// `:method` of a request.
    pub verb: Option<Verb>,
    /// `:status` of a response, the last one.
    pub status: Option<u16>,
    /// `grpc-status` of a response.
    pub grpc_status: Option<u16>,
    /// The error code of a RST_STREAM, sent and received.
    pub reset: [Option<u32>; 2],
    /// Messages of gRPC whose prefix was sent, and received.
    pub(super) messages: [u32; 2],
    /// Frames sent and received of the types that streams have, as in [`COMMON`].
    common: [[u32; COMMON.len()]; 2],
    /// All others, by type: the connection has them, and few streams.
    others: Option<Box<[[u32; FrameKind::COUNT]; 2]>>,
}

/// The types of frames that streams have; the first two are what messages are made of.
const COMMON: [FrameKind; 4] =
    [FrameKind::Data, FrameKind::Headers, FrameKind::RstStream, FrameKind::WindowUpdate];

impl<'a> Stream<'a> {
    /// What each process did on it.
    #[must_use]
    pub fn uses(&self) -> &'a [StreamUse] {
        &self.of.uses
    }

    /// Messages of gRPC that one of its processes sent, or received; `None` where they were not counted.
    #[must_use]
    pub fn messages(&self, usage: &StreamUse, dir: Direction) -> Option<u32> {
        let took_part = usage.common[dir.index()][..2] != [0; 2];
        (took_part && self.of.messages[dir.index()].are_read()).then_some(usage.messages[dir.index()])
    }
}

impl Body {
    pub(super) fn usage_mut(&mut self, user: User) -> Option<&mut StreamUse> {
        let at = match self.uses.iter().position(|known| known.user == user) {
            Some(at) => at,
            None if self.uses.len() < USERS => {
                self.uses.push(StreamUse::new(user));
                self.uses.len() - 1
            }
            None => return None,
        };
        self.uses.get_mut(at)
    }
}

impl StreamUse {
    fn new(user: User) -> Self {
        Self {
            user,
            opened: false,
            path: None,
            verb: None,
            status: None,
            grpc_status: None,
            reset: [None; 2],
            messages: [0; 2],
            common: [[0; COMMON.len()]; 2],
            others: None,
        }
    }

    /// One more frame was sent or received.
    pub(super) fn count(&mut self, dir: Direction, kind: FrameKind) {
        let count = match COMMON.iter().position(|common| *common == kind) {
            Some(at) => &mut self.common[dir.index()][at],
            None => &mut self.others.get_or_insert_default()[dir.index()][kind.index()],
        };
        *count = count.saturating_add(1);
    }

    /// Frames that it sent or received: types, and how many of each.
    pub fn frames(&self, dir: Direction) -> impl Iterator<Item = (&'static str, u32)> {
        let mut all = self.others.as_ref().map(|others| others[dir.index()]).unwrap_or_default();
        for (kind, count) in COMMON.iter().zip(self.common[dir.index()]) {
            all[kind.index()] = count;
        }
        let counts = all.into_iter().zip(FrameKind::NAMES);
        counts.filter(|(count, _)| *count > 0).map(|(count, name)| (name, count))
    }
}
