//! How far a replay should be by now. Pure: the time is given.

use super::until::{Stop, Until};
use crate::report::Severity;
use std::fmt;
use std::time::{Duration, Instant};

/// The most that may pass between two times that the pace is asked, before the rest does not count: who was
/// stopped (Ctrl-Z) goes on where it was.
const MOST_BETWEEN: Duration = Duration::from_secs(1);

/// Speeds, in tenths of the session's own.
const TENTHS: [u32; 13] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/// How fast a recording is played: from 0.1 to 1000 times as fast as the session was, and
/// as fast as it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(usize);

impl Speed {
    /// As the session was.
    pub const REAL: Self = Self(3);
    /// As fast as it can be read.
    pub const MAX: Self = Self(TENTHS.len());

    /// The next faster one, or the fastest.
    #[must_use]
    pub fn faster(self) -> Self {
        Self(self.0 + 1).min(Self::MAX)
    }

    /// The next slower one, or the slowest.
    #[must_use]
    pub fn slower(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// How much of the session is played in this time; `None`: as much as can be.
    fn of(self, time: Duration) -> Option<Duration> {
        TENTHS.get(self.0).map(|&tenths| time * tenths / 10)
    }
}

/// `0.1x`, `1000x`, `max`.
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match TENTHS.get(self.0) {
            Some(tenths) if tenths % 10 != 0 => write!(f, "0.{tenths}x"),
            Some(tenths) => write!(f, "{}x", tenths / 10),
            None => f.write_str("max"),
        }
    }
}

/// What a replay does.
///
/// ```text
///              .--play-->  Playing  --go_to-----> Going, then plays --there--> Playing
///   Paused ---<
///     ^        '--step, next_finding, go_to-----> Going             --there--> Paused
///     '-- from each: pause, the recording's end
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Paused,
    /// Since it was last asked at this moment; `None`: not yet asked.
    Playing(Option<Instant>),
    /// Goes somewhere as fast as it can, and there pauses or plays.
    Going {
        until: Until,
        then_plays: bool,
    },
}

/// Says how far a replay should go: paused at first, at the session's own speed.
#[derive(Clone, Debug)]
pub struct Pace {
    mode: Mode,
    speed: Speed,
}

impl Default for Pace {
    fn default() -> Self {
        Self { mode: Mode::Paused, speed: Speed::REAL }
    }
}

impl Pace {
    /// Plays on.
    pub fn play(&mut self) {
        if !self.is_playing() {
            self.mode = Mode::Playing(None);
        }
    }

    /// Stays where it is.
    pub fn pause(&mut self) {
        self.mode = Mode::Paused;
    }

    /// Goes on by one event.
    pub fn step(&mut self) {
        self.mode = Mode::Going { until: Until::Events(1), then_plays: false };
    }

    /// Goes on until a finding is shown that is at least this bad, and not known.
    pub fn next_finding(&mut self, least: Severity) {
        self.mode = Mode::Going { until: Until::Finding(least), then_plays: false };
    }

    /// Goes on to this moment since the session's start, as fast as it can: what [`super::Player::seek`]
    /// leaves to do. Plays on from there if it played.
    pub fn go_to(&mut self, moment: Duration) {
        self.mode = Mode::Going { until: Until::Time(moment), then_plays: self.is_playing() };
    }

    /// Plays at another speed from now on.
    pub fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
    }

    /// At which speed it plays.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Whether it plays, or will when it is where it goes to.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        matches!(self.mode, Mode::Playing(_) | Mode::Going { then_plays: true, .. })
    }

    /// Whether nothing is to be done until somebody asks for it.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.mode == Mode::Paused
    }

    /// How far the player should go now, where it is at this moment of the session; `None`: it is paused. A
    /// player that cannot keep up is not made to: it plays slower than asked.
    pub fn due(&mut self, now: Instant, position: Duration) -> Option<Until> {
        match &mut self.mode {
            Mode::Paused => None,
            Mode::Going { until, .. } => Some(*until),
            Mode::Playing(asked) => {
                let since = asked.map_or(Duration::ZERO, |asked| now.saturating_duration_since(asked));
                *asked = Some(now);
                let played = self.speed.of(since.min(MOST_BETWEEN));
                Some(played.map_or(Until::End, |played| Until::Time(position.saturating_add(played))))
            }
        }
    }

    /// Takes in where the player stopped.
    pub fn stopped(&mut self, stop: Stop) {
        match (stop, self.mode) {
            (Stop::End, _) | (Stop::There, Mode::Going { then_plays: false, .. }) => self.pause(),
            (Stop::There, Mode::Going { then_plays: true, .. }) => self.mode = Mode::Playing(None),
            (Stop::There, Mode::Playing(_) | Mode::Paused) | (Stop::Budget, _) => {}
        }
    }
}
