//! When a session looks at its source: when it is woken, a few times in short order after news, and else at its beat.

use anyhow::{Context, Result};
use forkscope::decode::Batch;
use forkscope_proto::Config;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::slice::Iter;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, sleep_until};

/// The pauses after news: until it is old enough to be taken, until that holds for what came so soon after it that it did not
/// wake, and a while.
const AFTER_NEWS: [Duration; 4] =
    [Duration::from_millis(2), Duration::from_millis(2), Duration::from_millis(5), Duration::from_millis(5)];
const _: () = {
    let (holds, pause) = (Batch::HOLDS.as_nanos(), Config::NEWS_PAUSE as u128);
    let first = AFTER_NEWS[0].as_nanos();
    assert!(holds < first && holds + pause < first + AFTER_NEWS[1].as_nanos());
};

/// The moments at which a session looks.
pub(super) struct Beat {
    wake: AsyncFd<OwnedFd>,
    pauses: Pauses,
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
        Ok(Self { wake, pauses: Pauses { soon: [].iter(), every }, next: Instant::now() })
    }

    /// Waits until it is time to look. Nothing is lost where the waiting is given up.
    pub(super) async fn next(&mut self) -> Result<()> {
        tokio::select! {
            ready = self.wake.readable() => ready?.clear_ready(),
            // In step: what rounding and looking take is not added to each pause.
            () = sleep_until(self.next) => self.next = (self.next + self.pauses.next()).max(Instant::now()),
        }
        Ok(())
    }

    /// It was looked. Where there was `news`, that is done again soon.
    pub(super) fn follow(&mut self, news: bool) {
        if news {
            self.pauses.soon = AFTER_NEWS.iter();
            self.next = Instant::now() + self.pauses.next();
        }
    }
}

/// How long it is from one look to the next.
struct Pauses {
    /// What is left of those after news.
    soon: Iter<'static, Duration>,
    every: Duration,
}

impl Pauses {
    fn next(&mut self) -> Duration {
        self.soon.next().map_or(self.every, |&soon| soon.min(self.every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::unistd::{pipe, write};
    use std::os::fd::AsFd;
    use tokio::time::timeout;

    const LONG: Duration = Duration::from_secs(86_400);

    #[test]
    fn pauses_are_short_for_a_while_and_never_longer_than_the_beat() {
        let after_news = |every| {
            let mut pauses = Pauses { soon: AFTER_NEWS.iter(), every: Duration::from_millis(every) };
            [(); 6].map(|()| pauses.next().as_millis())
        };
        assert_eq!(after_news(20), [2, 2, 5, 5, 20, 20]);
        assert_eq!(after_news(3), [2, 2, 3, 3, 3, 3]);
    }

    #[tokio::test]
    async fn what_wakes_is_looked_at_at_once_and_after_news_soon_again() {
        let (wake, waker) = pipe().expect("a pipe");
        let mut beat = Beat::new(wake.as_fd(), LONG).expect("it can be waited for");
        beat.next().await.expect("the first look is at once");
        beat.follow(true);
        for _ in AFTER_NEWS {
            beat.next().await.expect("time passes");
        }
        assert!(beat.next > Instant::now() + LONG / 2, "from here on only once a day");
        let given_up = timeout(Duration::from_millis(1), beat.next()).await;
        assert!(given_up.is_err(), "nothing wakes");
        write(&waker, b"!").expect("somebody reads");
        beat.next().await.expect("it is woken");
        beat.follow(false);
        assert!(beat.next > Instant::now() + LONG / 2, "as if nobody had given up, and nothing had woken");
    }
}
