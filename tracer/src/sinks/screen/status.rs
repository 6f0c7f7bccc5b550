//! How the session goes, as the caller knows it: what no event tells.

use super::look::short;
use super::page::{Line, Role, span};

/// What the status line says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// What is traced, and how: `run, ebpf`.
    pub session: String,
    /// Seconds since its start.
    pub elapsed: f64,
    /// Events that arrived.
    pub events: u64,
    /// Events that were lost.
    pub lost: u64,
    /// The part of one processor that forkscope used lately, from 0.
    pub cpu: Option<f64>,
    /// Where the session is recorded to.
    pub recording: Option<String>,
    /// Processes that stand still for a finding.
    pub stopped: usize,
    /// Where a replay is.
    pub replay: Option<Replayed>,
}

/// Where a replay is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// `playing x2`, `paused`, `at the end`, `seeking`.
    pub pace: String,
    /// Seconds from the session's start.
    pub at: f64,
    /// Seconds that the recorded session took, where that is known.
    pub of: Option<f64>,
}

impl Status {
    /// The line. `processes` live; `per_second`: events, lately.
    pub(super) fn line(&self, processes: usize, per_second: f64, paused: bool) -> Line {
        let mut line = vec![span(format!(" {} ", self.session), Role::Strong)];
        if let Some(replay) = &self.replay {
            let of = replay.of.map(|of| format!("/{of:.1}s")).unwrap_or_default();
            line.push(span(format!(" {} {:.1}s{of}", replay.pace, replay.at), Role::Info));
        } else {
            line.push(span(format!(" {:.0}s", self.elapsed), Role::Plain));
        }
        line.push(span(format!("  {processes} live"), Role::Plain));
        line.push(span(
            format!("  {} events, {}/s", short(self.events), short(per_second as u64)),
            Role::Plain,
        ));
        line.push(match self.lost {
            0 => span("  lost 0", Role::Dim),
            lost => span(format!("  lost {}", short(lost)), Role::Error),
        });
        if let Some(cpu) = self.cpu {
            line.push(span(format!("  cpu {:.1}%", cpu * 100.0), Role::Plain));
        }
        if let Some(name) = &self.recording {
            line.push(span(format!("  recording {name}"), Role::Good));
        }
        if self.stopped > 0 {
            line.push(span(format!("  {} stopped (c: go on)", self.stopped), Role::Warning));
        }
        if paused {
            line.push(span("  screen paused", Role::Warning));
        }
        line
    }
}
