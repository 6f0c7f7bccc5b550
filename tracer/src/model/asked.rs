//! When requests were sent: the newest of a connection.

use super::{Origin, ProcId};
use crate::protocol::{Few, InFlight, Sign, User};

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
pub(super) struct Requests(Few<Kept>);

/// A request as it is kept. Each connection has one: it is small.
#[derive(Clone, Copy, Debug)]
struct Kept {
    time: u64,
    process: ProcId,
    tid: u32,
    fd: i32,
    stream: u32,
    nr: u16,
    on_stream: bool,
}

const _: () = assert!(size_of::<Requests>() == 32);

impl From<&Kept> for Asked {
    fn from(&Kept { time, process, tid, fd, stream, nr, on_stream }: &Kept) -> Self {
        Self { by: Origin { time, process, tid, nr }, fd, stream: on_stream.then_some(stream) }
    }
}

impl Requests {
    /// How many are remembered.
    const KEPT: usize = 8;

    /// Remembers what a sign says of a request.
    pub(super) fn note(&mut self, sign: &Sign, at: Origin, fd: i32) {
        let (stream, by) = match *sign {
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
            self.0.remove(0);
        }
        self.0.push(Kept {
            time: at.time,
            process: by.into(),
            tid: at.tid,
            fd,
            stream: stream.unwrap_or(0),
            nr: at.nr,
            on_stream: stream.is_some(),
        });
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
                let is = |asked: &Kept, stream, opener: User| {
                    (asked.on_stream, asked.stream, asked.process) == (true, stream, opener.into())
                };
                let asked = |&(stream, opener): &(u32, User)| {
                    self.0.iter().find(|asked| is(asked, stream, opener)).map(Asked::from)
                };
                oldest.iter().filter_map(asked).collect()
            }
            InFlight::Requests { count, .. } => {
                let passed = self.0.len().saturating_sub(usize::try_from(*count).unwrap_or(usize::MAX));
                self.0.iter().skip(passed).take(InFlight::NAMED).map(Asked::from).collect()
            }
        }
    }
}
