//! How the session goes, as the caller knows it: what no event tells.

use super::look::short;
use super::page::{Line, Role, fit, span};

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
    /// The exit status of the program that was started, once it has ended.
    pub ended: Option<u8>,
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
    /// The line, in so many columns: what matters least goes first. `processes` live;
    /// `per_second`: events, lately.
    pub(super) fn line(&self, processes: usize, per_second: f64, paused: bool, columns: usize) -> Line {
        let mut line = vec![(6, span(format!(" {} ", self.session), Role::Strong))];
        let mut add = |spare: u8, text: String, role: Role| line.push((spare, span(text, role)));
        if let Some(replay) = &self.replay {
            let of = replay.of.map(|of| format!("/{of:.1}s")).unwrap_or_default();
            add(0, format!(" {} {:.1}s{of}", replay.pace, replay.at), Role::Info);
        } else {
            add(3, format!(" {:.0}s", self.elapsed), Role::Plain);
        }
        if let Some(status) = self.ended {
            let role = if status == 0 { Role::Good } else { Role::Warning };
            add(0, format!("  ended with {status}"), role);
        }
        add(4, format!("  {processes} live"), Role::Plain);
        add(5, format!("  {} events, {}/s", short(self.events), short(per_second as u64)), Role::Plain);
        match self.lost {
            0 => add(7, "  lost 0".to_owned(), Role::Dim),
            lost => add(0, format!("  lost {}", short(lost)), Role::Error),
        }
        if let Some(cpu) = self.cpu {
            add(8, format!("  cpu {:.1}%", cpu * 100.0), Role::Plain);
        }
        if self.stopped > 0 {
            add(0, format!("  {} stopped (c: go on)", self.stopped), Role::Warning);
        }
        if paused {
            add(0, "  screen paused".to_owned(), Role::Warning);
        }
        if let Some(name) = &self.recording {
            add(1, format!("  recording {name}"), Role::Good);
        }
        fit(line, columns)
    }
}
