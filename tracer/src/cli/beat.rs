//! When a session looks at its source: when it is woken, a few times in short order after news, more often
//! where much comes, and else at its beat.

use anyhow::{Context, Result};
use forkscope::decode::Batch;
use forkscope::source::Drained;
use forkscope_proto::Config;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::slice::Iter;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

/// The pauses after news: until it is old enough to be taken, until that holds for what came so soon after it
/// that it did not wake, and a while.
const AFTER_NEWS: [Duration; 4] =
    [Duration::from_millis(2), Duration::from_millis(2), Duration::from_millis(5), Duration::from_millis(5)];
const _: () = {
    let (holds, pause) = (Batch::HOLDS.as_nanos(), Config::NEWS_PAUSE as u128);
    let first = AFTER_NEWS[0].as_nanos();
    assert!(holds < first && holds + pause < first + AFTER_NEWS[1].as_nanos());
};

/// Bytes that are left to gather. To analyse them takes about a millisecond: so long may a traced program be
/// kept from its processor, where it has no other.
const GATHERED: f64 = 131_072.0;
/// The shortest pause.
const LEAST: Duration = Duration::from_millis(1);

/// The moments at which a session looks.
pub(super) struct Beat {
    wake: AsyncFd<OwnedFd>,
    pauses: Pauses,
    looked: Instant,
    next: Instant,
}

impl Beat {
    /// Whenever `wake` becomes readable, and as often as `every`, from now on.
    ///
    /// # Errors
    /// Where the descriptor cannot be waited for.
    pub(super) fn new(wake: BorrowedFd<'_>, every: Duration) -> Result<Self> {
        let wake = wake.try_clone_to_owned()?;
        // SAFETY: the descriptor is owned by what is returned, and nobody else closes it.
        let wake = unsafe { AsyncFd::register(wake) }.context("cannot wait for events")?;
        let now = Instant::now();
        Ok(Self { wake, pauses: Pauses { soon: [].iter(), every }, looked: now, next: now })
    }

    /// Waits until it is time to look. Nothing is lost where the waiting is given up.
    pub(super) async fn next(&mut self) -> Result<()> {
        tokio::select! {
            ready = self.wake.readable() => ready?.clear_ready(),
            () = sleep_until(self.next) => {}
        }
        Ok(())
    }

    /// It was looked, and so much was there.
    pub(super) fn follow(&mut self, drained: Drained) {
        let now = Instant::now();
        let over = now - std::mem::replace(&mut self.looked, now);
        let pause = self.pauses.after(drained, over);
        // In step with the looks that were due: what rounding and looking take is not added to each pause.
        let from = if now < self.next { now } else { self.next };
        self.next = (from + pause).max(now);
    }
}

/// How long it is from one look to the next.
struct Pauses {
    /// What is left of those after news.
    soon: Iter<'static, Duration>,
    every: Duration,
}

impl Pauses {
    /// After a look that found what had come in such a time.
    fn after(&mut self, drained: Drained, over: Duration) -> Duration {
        if drained.news {
            self.soon = AFTER_NEWS.iter();
        }
        let gathers = match drained.bytes {
            0 => self.every,
            bytes => over.mul_f64(GATHERED / bytes as f64).max(LEAST),
        };
        self.soon.next().copied().unwrap_or(self.every).min(gathers).min(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{pipe, write};
    use std::os::fd::AsFd;
    use tokio::time::timeout;

    const LONG: Duration = Duration::from_secs(86_400);
    const NEWS: Drained = Drained { bytes: 100, news: true };
    const NOTHING: Drained = Drained { bytes: 0, news: false };

    /// Pauses in milliseconds with a beat of so many, after looks that found this.
    fn pauses<const LOOKS: usize>(every: u64, found: [(Drained, u64); LOOKS]) -> [u128; LOOKS] {
        let mut pauses = Pauses { soon: [].iter(), every: Duration::from_millis(every) };
        found.map(|(drained, over)| pauses.after(drained, Duration::from_millis(over)).as_millis())
    }

    #[test]
    fn pauses_are_short_for_a_while_after_news_and_never_longer_than_the_beat() {
        let found = [(NEWS, 20), (NOTHING, 2), (NOTHING, 2), (NOTHING, 5), (NOTHING, 5), (NOTHING, 20)];
        assert_eq!(pauses(20, found), [2, 2, 5, 5, 20, 20]);
        assert_eq!(pauses(3, found), [2, 2, 3, 3, 3, 3]);
    }

    #[test]
    fn where_much_comes_it_is_looked_more_often() {
        let much = |bytes| Drained { bytes, news: false };
        let found = [(much(131_072), 20), (much(524_288), 20), (much(131_072), 5), (much(60_000_000), 5)];
        assert_eq!(pauses(20, found), [20, 5, 5, 1]);
        assert_eq!(pauses(20, [(much(131_072), 0), (NOTHING, 0)]), [1, 20], "right after another look");
    }

    #[tokio::test]
    async fn what_wakes_is_looked_at_at_once_and_after_news_soon_again() {
        let (wake, waker) = pipe().expect("a pipe");
        let mut beat = Beat::new(wake.as_fd(), LONG).expect("it can be waited for");
        beat.next().await.expect("the first look is at once");
        beat.follow(NEWS);
        for _ in AFTER_NEWS {
            beat.next().await.expect("time passes");
            beat.follow(NOTHING);
        }
        assert!(beat.next > Instant::now() + LONG / 2, "from here on only once a day");
        let given_up = timeout(Duration::from_millis(1), beat.next()).await;
        assert!(given_up.is_err(), "nothing wakes");
        write(&waker, b"!").expect("somebody reads");
        beat.next().await.expect("it is woken");
        beat.follow(NOTHING);
        assert!(beat.next > Instant::now() + LONG / 2, "as if nobody had given up, and nothing had woken");
    }
}
