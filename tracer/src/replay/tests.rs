//! The same beginning of a recording gives the same, however it was reached.

use super::*;
use crate::recording::Payload;
use crate::report::Severity;
use made::{LENGTH, go, in_one_go, note, play, recording, told};
use std::time::Duration;

mod ends;
mod made;
mod pace;

#[test]
fn the_session_is_not_a_poor_one() {
    let (file, noted, told) = in_one_go(Setup::default());
    let mut player = play(&file, Setup::default());
    assert_eq!(go(&mut player, Until::End), Stop::End);
    let errors = player.analysis().findings().iter().filter(|found| found.severity == Severity::Error);
    assert!(errors.count() > 5, "{told}");
    assert_eq!(player.analysis().findings()[0].stacks.len(), 1, "{told}");
    assert!(noted.len() > 300 && player.is_at_end() && player.notes().is_empty(), "{}", noted.len());
    assert_eq!((player.position(), player.length()), (LENGTH, Some(LENGTH)));
    assert!(player.elapsed() < LENGTH);
}

#[test]
fn slices_of_any_size_are_one_go() {
    let (file, all, end) = in_one_go(Setup::default());
    let ms = Duration::from_millis;
    type Slice = Box<dyn FnMut(&Player) -> (Until, Duration)>;
    let slices: Vec<(&str, Slice)> = vec![
        ("no budget", Box::new(|_| (Until::End, Duration::ZERO))),
        ("a budget", Box::new(|_| (Until::End, Duration::from_micros(50)))),
        ("one event", Box::new(|_| (Until::Events(1), Duration::MAX))),
        ("13 events", Box::new(|_| (Until::Events(13), Duration::ZERO))),
        ("some time", Box::new(move |player| (Until::Time(player.position() + ms(70)), Duration::MAX))),
        ("less", Box::new(move |player| (Until::Time(player.position() + ms(1)), Duration::ZERO))),
        ("findings", Box::new(|_| (Until::Finding(Severity::Warning), Duration::MAX))),
        ("all findings", Box::new(|_| (Until::Finding(Severity::Info), Duration::ZERO))),
    ];
    for (name, mut slice) in slices {
        let (mut player, mut noted, mut count) = (play(&file, Setup::default()), Vec::new(), 0);
        loop {
            let (until, budget) = slice(&player);
            count += 1;
            if player.advance(until, budget, &mut note(&mut noted)) == Stop::End {
                break;
            }
        }
        assert!(count > 1, "{name}: {count} slices");
        assert_eq!((&noted, told(&player)), (&all, end.clone()), "{name}");
    }
}

#[test]
fn a_moment_is_the_same_whether_reached_from_before_or_from_after() {
    let file = recording(Payload::Headers);
    let at = |ms| Duration::from_millis(ms);
    for moment in [0, 1, 2, 290, 310, 2000, 5555, 9999, 12_000, 29_000].map(at) {
        let mut straight = play(&file, Setup::default());
        assert_eq!(
            go(&mut straight, Until::Time(moment)),
            if moment > at(12_100) { Stop::End } else { Stop::There }
        );
        for from in [0, 1, 300, 6000, 11_000, 31_000].map(at) {
            let mut player = play(&file, Setup::default());
            go(&mut player, Until::Time(from));
            let passed = player.position() > moment && player.elapsed() > moment;
            let way = player.seek(moment).expect("it can go back");
            assert!(!passed || way == Way::Anew, "{from:?} {moment:?} {way:?}");
            if way == Way::Anew {
                assert_eq!(player.position(), Duration::ZERO);
                assert!(player.analysis().findings().is_empty() && !player.is_at_end());
            }
            go(&mut player, Until::Time(moment));
            assert_eq!(told(&player), told(&straight), "{from:?} {moment:?}");
            go(&mut player, Until::End);
            assert_eq!(told(&player), in_one_go(Setup::default()).2);
        }
    }
}

#[test]
fn between_two_events_it_stands_where_it_was_asked_to() {
    let file = recording(Payload::Headers);
    let mut player = play(&file, Setup::default());
    let next = Duration::from_millis(300);
    assert_eq!(go(&mut player, Until::Time(next)), Stop::There);
    let last = player.elapsed();
    assert_eq!(player.position(), next);
    assert!(last < Duration::from_millis(20), "{last:?}");
    // Back in the stillness nothing begins anew.
    let moment = Duration::from_millis(100);
    assert_eq!(player.seek(moment).expect("it can"), Way::Onward);
    assert_eq!(go(&mut player, Until::Time(moment)), Stop::There);
    assert_eq!((player.position(), player.elapsed()), (moment, last));
    assert_eq!(go(&mut player, Until::Events(1)), Stop::There);
    assert!(player.position() > next && player.position() == player.elapsed());
}

#[test]
fn from_the_end_the_stillness_before_it_is_reached() {
    let file = recording(Payload::Headers);
    let mut player = play(&file, Setup::default());
    assert_eq!(go(&mut player, Until::End), Stop::End);
    assert_eq!(player.seek(LENGTH).expect("there it is"), Way::Onward);
    let (last, ms) = (player.elapsed(), Duration::from_millis(1));
    for moment in [LENGTH - ms, last + ms, last, last - ms] {
        go(&mut player, Until::End);
        assert_eq!(player.seek(moment).expect("it can"), Way::Anew);
        go(&mut player, Until::Events(3));
        assert!(!player.is_at_end() && player.position() < moment);
    }
}

#[test]
fn a_moment_has_all_that_happened_at_it_and_a_step_one_event() {
    let file = recording(Payload::Headers);
    let (mut step, mut to) = (play(&file, Setup::default()), play(&file, Setup::default()));
    let mut steps = 0;
    loop {
        let mut events = 0;
        let stop = step.advance(Until::Events(1), Duration::MAX, &mut |seen, _| {
            events += usize::from(matches!(seen, Seen::Event(_)));
        });
        assert_eq!(events, 1);
        steps += 1;
        if stop == Stop::End {
            break;
        }
        // No two events of this session are of one moment.
        let moment = step.elapsed();
        assert_eq!(go(&mut to, Until::Time(moment)), Stop::There);
        assert_eq!((to.elapsed(), to.position()), (moment, moment));
    }
    assert!(steps > 300, "{steps}");
}

#[test]
fn it_stops_at_each_finding_that_is_bad_enough() {
    let (file, ..) = in_one_go(Setup::default());
    for least in Severity::ALL {
        let (mut player, mut stops, mut shown) = (play(&file, Setup::default()), 0, 0);
        loop {
            let mut bad = 0;
            let stop = player.advance(Until::Finding(least), Duration::MAX, &mut |seen, _| {
                bad += usize::from(matches!(seen, Seen::Finding(finding) if finding.severity >= least));
            });
            shown += bad;
            if stop == Stop::End {
                break;
            }
            assert!(stop == Stop::There && bad > 0, "{stop:?} {bad}");
            stops += 1;
        }
        assert!(stops > 3 && shown >= stops, "{least:?}: {stops} {shown}");
    }
}
