//! What a filter is held against.

use crate::protocol::Protocol;
use crate::report::{RuleId, Severity};
use forkscope_proto::Passed;

/// A line that may be shown, by its columns. What it does not have stays empty.
#[derive(Clone, Debug, Default)]
pub struct Subject<'a> {
    /// Whose it is.
    pub pid: Option<u32>,
    /// The other processes in it.
    pub other_pids: &'a [u32],
    /// The name of its process.
    pub comm: Option<&'a str>,
    /// The names of the others, as far as known.
    pub other_comms: Vec<&'a str>,
    /// The system call.
    pub call: Option<&'a str>,
    /// The error by name; [`Subject::UNNAMED`]: it has none.
    pub errno: Option<&'a str>,
    /// The descriptors that it names.
    pub fds: Few,
    /// The connections behind them, by their ids in the report.
    pub connections: Few,
    /// What the first of these speaks, by the protocol's own name.
    pub protocol: Option<&'a str>,
    /// It speaks that inside TLS.
    pub tls: bool,
    /// The rule that found it.
    pub rule: Option<RuleId>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// The line as it is shown, without colours.
    pub text: &'a str,
}

impl<'a> Subject<'a> {
    /// An error that has no name.
    pub const UNNAMED: &'static str = "(unnamed)";

    pub(super) fn pids(&self) -> impl Iterator<Item = u32> {
        self.pid.into_iter().chain(self.other_pids.iter().copied())
    }

    pub(super) fn comms(&self) -> impl Iterator<Item = &'a str> {
        self.comm.into_iter().chain(self.other_comms.iter().copied())
    }

    pub(super) fn protocols(&self) -> impl Iterator<Item = &'a str> {
        let tls = self.tls.then(|| Protocol::Tls.name());
        self.protocol.into_iter().chain(tls)
    }
}

/// A few numbers, in place: subjects are made for each event. What is more than [`Few::MOST`] is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Few {
    count: usize,
    numbers: [u32; Self::MOST],
}

impl Few {
    /// As many as an event names: the descriptors that arrived in a message, and the one that it came over.
    pub const MOST: usize = Passed::MOST + 1;

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.numbers[..self.count].iter().copied()
    }
}

impl FromIterator<u32> for Few {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut few = Self::default();
        for (place, number) in few.numbers.iter_mut().zip(numbers) {
            *place = number;
            few.count += 1;
        }
        few
    }
}
