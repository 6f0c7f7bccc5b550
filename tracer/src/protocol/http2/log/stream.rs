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
    pub(super) uses: &'a [StreamUse],
    pub(super) messages: [Messages; 2],
}

/// What a stream has beside its number: many have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Body {
    pub(super) uses: Few<StreamUse>,
    pub(super) messages: [Messages; 2],
}

/// What one process did on one stream. What it sent, and what it read of the other side's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamUse {
    /// The process.
    pub user: User,
    /// It opened the stream.
    pub opened: bool,
    /// `:method` of a request.
    pub verb: Option<Verb>,
    /// `:status` of a response, the last one.
    pub status: Option<u16>,
    /// `grpc-status` of a response.
    pub grpc_status: Option<u16>,
    /// `:path` of a request, without its query.
    pub path: Option<Arc<str>>,
    /// Messages of gRPC whose prefix was sent, and received.
    pub(super) messages: [u32; 2],
    /// Frames sent and received of the types in [`COMMON`]; what is beyond these
    /// numbers is among the rare ones.
    common: [[u16; COMMON.len()]; 2],
    /// The error code of a RST_STREAM, sent and received; one beyond these numbers is among what is rare.
    reset: [Option<u16>; 2],
    /// Few have any.
    rare: Option<Box<Rare>>,
}

/// What few streams have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Rare {
    /// The error code of a RST_STREAM, sent and received, where it is beyond all that are defined.
    reset: [Option<u32>; 2],
    /// Frames sent and received, by type.
    frames: [[u32; FrameKind::COUNT]; 2],
}

/// The types of frames that most streams, and connections, have; the first two are what messages are made of.
const COMMON: [FrameKind; 6] = [
    FrameKind::Data,
    FrameKind::Headers,
    FrameKind::WindowUpdate,
    FrameKind::RstStream,
    FrameKind::Settings,
    FrameKind::Ping,
];

impl<'a> Stream<'a> {
    /// What each process did on it.
    #[must_use]
    pub fn uses(&self) -> &'a [StreamUse] {
        self.uses
    }

    /// Messages of gRPC that one of its processes sent, or received; `None` where they were not counted.
    #[must_use]
    pub fn messages(&self, usage: &StreamUse, dir: Direction) -> Option<u32> {
        let took_part = usage.common[dir.index()][..2] != [0; 2];
        (took_part && self.messages[dir.index()].are_read()).then_some(usage.messages[dir.index()])
    }
}

impl Body {
    /// As that of a stream with this number.
    pub(super) fn of(&self, id: u32) -> Stream<'_> {
        Stream { id, uses: &self.uses, messages: self.messages }
    }

    /// Whether the place among its messages is not known any more.
    pub(super) fn is_lost(&self, dir: Direction) -> bool {
        self.messages[dir.index()] == Messages::Lost
    }

    pub(super) fn usage_mut(&mut self, user: User) -> Option<&mut StreamUse> {
        usage_mut(&mut self.uses, user)
    }
}

/// What a process did, among what others did, too: nothing yet, if it is new.
pub(super) fn usage_mut(uses: &mut Few<StreamUse>, user: User) -> Option<&mut StreamUse> {
    let at = match uses.iter().position(|known| known.user == user) {
        Some(at) => at,
        None if uses.len() < USERS => {
            uses.push(StreamUse::new(user));
            uses.len() - 1
        }
        None => return None,
    };
    uses.get_mut(at)
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
            messages: [0; 2],
            common: [[0; COMMON.len()]; 2],
            reset: [None; 2],
            rare: None,
        }
    }

    /// One more frame was sent or received.
    pub(super) fn count(&mut self, dir: Direction, kind: FrameKind) {
        let common = COMMON.iter().position(|common| *common == kind);
        let common = common.map(|at| &mut self.common[dir.index()][at]);
        match common.and_then(|count| Some((count.checked_add(1)?, count))) {
            Some((more, count)) => *count = more,
            None => {
                let count = &mut self.rare.get_or_insert_default().frames[dir.index()][kind.index()];
                *count = count.saturating_add(1);
            }
        }
    }

    /// A RST_STREAM had this code.
    pub(super) fn reset(&mut self, dir: Direction, code: u32) {
        let code_and_rest = u16::try_from(code).map_or((None, Some(code)), |code| (Some(code), None));
        self.reset[dir.index()] = code_and_rest.0;
        if self.rare.is_some() || code_and_rest.1.is_some() {
            self.rare.get_or_insert_default().reset[dir.index()] = code_and_rest.1;
        }
    }

    /// The error code of a RST_STREAM that it sent, or received.
    #[must_use]
    pub fn reset_code(&self, dir: Direction) -> Option<u32> {
        let large = || self.rare.as_ref()?.reset[dir.index()];
        self.reset[dir.index()].map(u32::from).or_else(large)
    }

    /// Frames that it sent or received: types, and how many of each.
    pub fn frames(&self, dir: Direction) -> impl Iterator<Item = (&'static str, u32)> {
        let mut all = self.rare.as_ref().map(|rare| rare.frames[dir.index()]).unwrap_or_default();
        for (kind, count) in COMMON.iter().zip(self.common[dir.index()]) {
            all[kind.index()] = all[kind.index()].saturating_add(count.into());
        }
        let counts = all.into_iter().zip(FrameKind::NAMES);
        counts.filter(|(count, _)| *count > 0).map(|(count, name)| (name, count))
    }
}
