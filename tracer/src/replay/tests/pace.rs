//! How far it should be by now, by clocks that are made up.

use super::super::{Pace, Speed, Stop, Until};
use crate::report::Severity;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn paused_it_goes_nowhere() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    assert!(pace.is_paused() && !pace.is_playing());
    assert_eq!(pace.due(now, SECOND), None);
    assert_eq!(pace.due(now + SECOND, SECOND), None);
}

#[test]
fn it_plays_as_fast_as_the_session_was_and_by_its_speed() {
    let all = std::iter::successors(Some(Speed::REAL.slower().slower().slower()), |speed| {
        (speed.faster() != *speed).then(|| speed.faster())
    });
    let names: Vec<String> = all.clone().map(|speed| speed.to_string()).collect();
    assert_eq!(names.join(" "), "0.1x 0.2x 0.5x 1x 2x 5x 10x 20x 50x 100x 200x 500x 1000x max");
    let played = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];
    for (speed, played) in all.zip(played) {
        let (mut pace, now) = (Pace::default(), Instant::now());
        pace.set_speed(speed);
        pace.play();
        assert_eq!(pace.due(now, SECOND), Some(Until::Time(SECOND)), "the first look is the beginning");
        assert_eq!(pace.due(now + ms(100), SECOND), Some(Until::Time(SECOND + ms(played))), "{speed}");
    }
    assert_eq!((Speed::MAX.faster(), Speed::MAX.slower().to_string()), (Speed::MAX, "1000x".into()));
    let slowest = (0..20).fold(Speed::MAX, |speed, _| speed.slower());
    assert_eq!(slowest.to_string(), "0.1x");
}

#[test]
fn at_the_most_it_plays_to_the_end() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    pace.set_speed(Speed::MAX);
    pace.play();
    assert_eq!(pace.due(now, SECOND), Some(Until::End));
    pace.stopped(Stop::Budget);
    assert_eq!(pace.due(now, SECOND), Some(Until::End));
    pace.stopped(Stop::End);
    assert_eq!((pace.due(now, SECOND), pace.is_paused()), (None, true));
}

#[test]
fn small_turns_add_up() {
    let (mut pace, begin) = (Pace::default(), Instant::now());
    pace.set_speed(Speed::REAL.slower());
    pace.play();
    let mut position = Duration::ZERO;
    for turn in 0..=600 {
        let Some(Until::Time(until)) = pace.due(begin + turn * ms(16), position) else { panic!("it plays") };
        assert!(until >= position);
        position = until;
        pace.stopped(Stop::There);
    }
    assert_eq!(position, ms(600 * 16 / 2));
}

#[test]
fn who_cannot_keep_up_or_was_away_is_not_thrown_ahead() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    pace.play();
    pace.due(now, Duration::ZERO);
    // It got half as far as it should have.
    assert_eq!(pace.due(now + ms(200), Duration::ZERO), Some(Until::Time(ms(200))));
    pace.stopped(Stop::Budget);
    assert_eq!(pace.due(now + ms(300), ms(100)), Some(Until::Time(ms(200))));
    // An hour later, and at a clock that stands still.
    assert_eq!(pace.due(now + 3600 * SECOND, ms(200)), Some(Until::Time(ms(200) + SECOND)));
    assert_eq!(pace.due(now + 3600 * SECOND, ms(300)), Some(Until::Time(ms(300))));
}

#[test]
fn a_pause_is_not_made_up_for() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    pace.play();
    pace.due(now, SECOND);
    pace.pause();
    assert_eq!(pace.due(now + ms(400), SECOND), None);
    pace.play();
    assert_eq!(pace.due(now + ms(800), SECOND), Some(Until::Time(SECOND)));
    // Who is told to play twice plays on.
    pace.play();
    assert_eq!(pace.due(now + ms(900), SECOND), Some(Until::Time(SECOND + ms(100))));
}

#[test]
fn a_step_and_the_next_finding_are_done_once() {
    for (ask, until) in [
        (Pace::step as fn(&mut Pace), Until::Events(1)),
        (|pace| pace.next_finding(Severity::Warning), Until::Finding(Severity::Warning)),
    ] {
        for plays in [false, true] {
            let (mut pace, now) = (Pace::default(), Instant::now());
            if plays {
                pace.play();
            }
            ask(&mut pace);
            assert_eq!(
                (pace.due(now, SECOND), pace.is_paused(), pace.is_playing()),
                (Some(until), false, false)
            );
            pace.stopped(Stop::Budget);
            assert_eq!(pace.due(now, SECOND), Some(until), "it is not there yet");
            pace.stopped(Stop::There);
            assert_eq!((pace.due(now, SECOND), pace.is_paused()), (None, true));
        }
    }
}

#[test]
fn after_going_to_a_moment_it_does_what_it_did() {
    for plays in [false, true] {
        let (mut pace, now) = (Pace::default(), Instant::now());
        if plays {
            pace.play();
        }
        pace.go_to(9 * SECOND);
        pace.go_to(7 * SECOND);
        assert_eq!((pace.due(now, SECOND), pace.is_playing()), (Some(Until::Time(7 * SECOND)), plays));
        pace.stopped(Stop::Budget);
        assert_eq!(pace.due(now + ms(500), 3 * SECOND), Some(Until::Time(7 * SECOND)));
        pace.stopped(Stop::There);
        let expected = plays.then_some(Until::Time(7 * SECOND));
        assert_eq!(pace.due(now + ms(600), 7 * SECOND), expected, "what it took is not played");
    }
}
