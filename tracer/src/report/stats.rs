//! What a session cost, and what it lost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts over the whole session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stats {
    /// Events that arrived, by kind.
    pub events: BTreeMap<String, u64>,
    /// Events that did not, by cause and then by kind. Empty: none was lost.
    pub lost: BTreeMap<LossCause, BTreeMap<String, u64>>,
    /// Transfers on sockets of which it is not known what they are: what described them was lost.
    pub unresolved: u64,
    /// How often the model was corrected, because the kernel showed another file than the model expected.
    pub corrected: u64,
    /// How often children of processes with several threads were looked at, to see whether they stand still.
    #[serde(default)]
    pub glances: u64,
    /// Calls of OpenSSL that moved bytes of which it is not known to which connection they belong, as with
    /// Node.js, which carries them in memory (`--tls-plaintext`).
    #[serde(default)]
    pub tls_untied: u64,
    /// What tracing cost.
    pub overhead: Overhead,
}

/// Why an event was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LossCause {
    /// The ring buffer had no room.
    RingFull,
    /// The record could not be read: too short, of no known kind, or with values that cannot be.
    Malformed,
    /// A probe did not run (the kernel's count of missed runs).
    ProbeMissed,
}

/// What tracing cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overhead {
    /// Each program in the kernel, by name. Empty: the backend has none.
    pub programs: BTreeMap<String, ProgramCost>,
    /// Processor time that forkscope itself used, in seconds; null: not measured.
    pub own_cpu: Option<f64>,
}

/// What one program in the kernel cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProgramCost {
    /// How often it ran.
    pub runs: u64,
    /// Time spent in it, in seconds, over all processors. 0 where the kernel does not measure
    /// it (`bpf_stats_enabled`).
    pub run_time: f64,
    /// Times it should have run and did not.
    pub missed: u64,
}

impl LossCause {
    /// The word used for this cause in the report and on screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RingFull => "ring-full",
            Self::Malformed => "malformed",
            Self::ProbeMissed => "probe-missed",
        }
    }
}

impl Stats {
    /// Counts `n` events of a kind lost for a cause.
    pub fn lose(&mut self, cause: LossCause, kind: &str, n: u64) {
        if n > 0 {
            let kinds = self.lost.entry(cause).or_default();
            let count = kinds.entry(kind.to_owned()).or_default();
            *count = count.saturating_add(n);
        }
    }

    /// All events that arrived.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        total(self.events.values())
    }

    /// All events that were lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        total(self.lost.values().flat_map(BTreeMap::values))
    }
}

/// Counts may come from a recording that says anything.
fn total<'a>(counts: impl Iterator<Item = &'a u64>) -> u64 {
    counts.fold(0, |sum, &count| sum.saturating_add(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_too_large_to_be_added() {
        let mut stats = Stats::default();
        for (cause, kind) in
            [(LossCause::RingFull, "io"), (LossCause::RingFull, "io"), (LossCause::Malformed, "record")]
        {
            stats.lose(cause, kind, u64::MAX);
            stats.events.insert(cause.name().into(), u64::MAX);
        }
        assert_eq!((stats.lost(), stats.arrived()), (u64::MAX, u64::MAX));
    }
}
