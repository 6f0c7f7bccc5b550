//! Plays a recording in slices.

use super::input::Input;
use super::pass::{Each, Fed, Pass, Seen, Setup};
use super::until::{NoWayBack, Stop, Until, Way};
use crate::analysis::Analysis;
use crate::files::system;
use crate::recording::{Broken, End, Header, OpenError, Payload, Reader};
use std::time::{Duration, Instant};

/// What a recording without payloads lacks.
const NO_PAYLOAD: &str =
    "the recording has no bytes of transfers (--record-payload none): findings that need them are not made";

/// After how many entries the clock is looked at: a look costs as much as a few events.
const LOOK: u64 = 256;

/// Plays a recording: forward in slices, and back by beginning anew.
pub struct Player {
    reader: Reader<Input>,
    name: String,
    setup: Setup,
    can_go_back: bool,
    /// How long the session was, where that was seen at the file's end.
    length: Option<Duration>,
    pass: Pass,
    /// The moment up to which it was played, in the stillness after the latest event. Less than that event's
    /// where it does not matter.
    still: Duration,
}

impl Player {
    /// Opens a recording. `name` is what sentences call it, fit for a terminal.
    ///
    /// # Errors
    /// Where it is no recording that this build can read.
    pub fn open(input: Input, name: String, setup: Setup) -> Result<Self, OpenError> {
        let can_go_back = input.can_rewind();
        let mut reader = Reader::open(input)?;
        let length = if can_go_back { reader.length()? } else { None };
        let pass = Pass::new(reader.header().clock, &setup);
        Ok(Self { reader, name, setup, can_go_back, length, pass, still: Duration::ZERO })
    }

    /// Plays on, until it is there, there is no more, or this much time has been used. `each` is told of what
    /// happens, after it happened. Some hundreds of entries are played however small the budget is.
    pub fn advance(&mut self, until: Until, budget: Duration, each: Each<'_>) -> Stop {
        // A budget beyond what the clock can tell is none.
        let deadline = Instant::now().checked_add(budget);
        let (mut events, mut found) = (0, false);
        for entries in 1_u64.. {
            if self.pass.over {
                return Stop::End;
            }
            match self.is_there(until, events, found) {
                Ok(true) => return Stop::There,
                Ok(false) => {}
                Err(broken) => {
                    self.broken(broken, each);
                    return Stop::End;
                }
            }
            match self.feed(each) {
                Fed::Event => events += 1,
                Fed::Findings(worst) => {
                    found |=
                        matches!(until, Until::Finding(least) if worst.is_some_and(|worst| worst >= least));
                }
                Fed::Other => {}
            }
            if entries % LOOK == 0 && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
        }
        if self.pass.over { Stop::End } else { Stop::Budget }
    }

    /// Whether the next entry is for later. Always before an event: what was noted after one belongs to it.
    fn is_there(&mut self, until: Until, events: u64, found: bool) -> Result<bool, Broken> {
        let there = match until {
            Until::End => false,
            Until::Events(most) => events >= most && self.reader.next_time()?.is_some(),
            Until::Finding(_) => found && self.reader.next_time()?.is_some(),
            Until::Time(moment) => {
                let nanos = u64::try_from(moment.as_nanos()).unwrap_or(u64::MAX);
                let last = self.reader.header().clock.saturating_add(nanos);
                let there = self.reader.next_time()?.is_some_and(|next| next > last);
                if there {
                    self.still = moment;
                }
                there
            }
        };
        Ok(there)
    }

    fn feed(&mut self, each: Each<'_>) -> Fed {
        let fed = match self.reader.next_entry() {
            Ok(Some(entry)) => self.pass.take(entry, each),
            Ok(None) => {
                self.pass.over = true;
                return Fed::Other;
            }
            Err(broken) => {
                self.broken(broken, each);
                return Fed::Other;
            }
        };
        if !self.pass.over && self.pass.is_enough(&self.setup) {
            self.pass.over = true;
            self.pass.show(each);
        }
        fed
    }

    /// The events end here, although the session went on.
    fn broken(&mut self, broken: Broken, each: Each<'_>) {
        let (name, seconds) = (&self.name, self.pass.elapsed().as_secs_f64());
        let why = match broken {
            Broken::Cut => {
                format!("{name} ends before the session did (forkscope was killed, or the disk was full)")
            }
            Broken::Damaged => format!("{name} is damaged"),
            Broken::Io(answer) => format!("cannot read {name} to its end: {}", system(&answer.into())),
        };
        let text = format!("{why}: replayed up to {seconds:.3}s, what came later is not in it");
        self.pass.over = true;
        self.pass.analysis.model.note_cut();
        each(Seen::Broken(&text), &self.pass.analysis);
        self.pass.show(each);
        self.pass.broken = Some(text);
    }

    /// Makes ready to go to a moment since the session's start; [`Player::advance`] until it is left to do.
    /// Forgets all where that moment has been passed.
    ///
    /// # Errors
    /// Where it has been passed and there is no way back. Then nothing has changed.
    pub fn seek(&mut self, moment: Duration) -> Result<Way, NoWayBack> {
        // From the end the stillness before it lies back, too.
        let passed = if self.pass.over { self.position() } else { self.pass.elapsed() };
        if moment >= passed {
            return Ok(Way::Onward);
        }
        if !self.can_go_back {
            return Err(NoWayBack::Pipe(self.name.clone()));
        }
        self.reader.rewind().map_err(|error| NoWayBack::Io { name: self.name.clone(), error })?;
        self.pass = Pass::new(self.reader.header().clock, &self.setup);
        self.still = Duration::ZERO;
        Ok(Way::Anew)
    }

    /// Plays no further: findings that were not shown yet have their advice in the report.
    pub fn leave(&mut self) {
        if !self.pass.over {
            self.pass.show(&mut |_, _| ());
        }
    }

    /// How the recording was made.
    #[must_use]
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// What is known so far.
    #[must_use]
    pub fn analysis(&self) -> &Analysis {
        &self.pass.analysis
    }

    /// The moment up to which it was played, since the session's start.
    #[must_use]
    pub fn position(&self) -> Duration {
        let end = self.end().map_or(Duration::ZERO, |end| Duration::from_secs_f64(end.duration));
        self.pass.elapsed().max(self.still).max(end)
    }

    /// How many events were played, without what was looked up.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.pass.events()
    }

    /// Up to the latest event that was played, since the session's start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.pass.elapsed()
    }

    /// How long the session was. `None` where that shows at the end only: of a pipe.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        if self.pass.end.is_some() { Some(self.position()) } else { self.length }
    }

    /// Whether moments that have been passed can be reached.
    #[must_use]
    pub fn can_go_back(&self) -> bool {
        self.can_go_back
    }

    /// Whether there is no more: the session's end, where the recording is broken, or where the
    /// setup says that it is enough.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.pass.over
    }

    /// Why no more can be read, although the session went on: a sentence.
    #[must_use]
    pub fn why_broken(&self) -> Option<&str> {
        self.pass.broken.as_deref()
    }

    /// How the session ended, once that was played.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.pass.end.as_ref()
    }

    /// What findings lack here whatever is played, as a sentence.
    #[must_use]
    pub fn lacks(&self) -> Option<&'static str> {
        (self.header().payload == Payload::None).then_some(NO_PAYLOAD)
    }

    /// Why less is found than happened, for the report as of now.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let left = (!self.pass.over).then(|| {
            let of =
                self.length.map(|length| format!(" of {:.3}s", length.as_secs_f64())).unwrap_or_default();
            let (name, seconds) = (&self.name, self.position().as_secs_f64());
            format!("{name} was replayed up to {seconds:.3}s{of}: what came later is not in it")
        });
        let lacks = self.lacks().map(str::to_owned);
        lacks.into_iter().chain(self.pass.broken.clone()).chain(left).collect()
    }
}
