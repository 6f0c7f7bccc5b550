//! Streams are what single ones are, whether they go on or are past.

use super::*;
use crate::protocol::http2::frame::FrameKind;
use crate::protocol::http2::messages::Messages;
use crate::protocol::{Direction, User};
use proptest::prelude::*;

/// Stream by stream: its number, which directions have ended, what was seen.
#[derive(Default)]
struct Single(Vec<(u32, [bool; 2], Body)>);

impl Single {
    /// Which directions of a stream had ended that is forgotten, and whether anybody had opened it.
    fn forget(&mut self, id: u32) -> Option<([bool; 2], bool)> {
        let at = self.0.iter().position(|&(known, ..)| known == id)?;
        let (_, ended, body) = self.0.remove(at);
        Some((ended, body.uses.iter().any(|usage| usage.opened)))
    }
}

/// What happens to a stream, which is so far from the newest: it is opened, goes on, or ends.
#[derive(Clone, Copy, Debug)]
enum Step {
    Add { on: u32, opened: bool },
    Frame { back: u32, user: u32, kind: bool },
    End { back: u32, dir: bool },
    EndBoth { back: u32 },
    Lose { dir: bool },
    Rest,
}

fn step() -> impl Strategy<Value = Step> {
    let back = || prop_oneof![6 => Just(0), 1 => 0..40_u32];
    prop_oneof![
        4 => (prop_oneof![9 => Just(2), 1 => 1..9_u32], prop::bool::weighted(0.9))
            .prop_map(|(on, opened)| Step::Add { on, opened }),
        4 => (back(), 0..2_u32, any::<bool>()).prop_map(|(back, user, kind)| Step::Frame { back, user, kind }),
        1 => (back(), any::<bool>()).prop_map(|(back, dir)| Step::End { back, dir }),
        4 => back().prop_map(|back| Step::EndBoth { back }),
        1 => any::<bool>().prop_map(|dir| Step::Lose { dir }),
        3 => Just(Step::Rest),
    ]
}

fn dir(sent: bool) -> Direction {
    if sent { Direction::Sent } else { Direction::Received }
}

/// Changes a stream in both, where it is remembered.
fn both(
    streams: &mut Remembered,
    single: &mut Single,
    id: u32,
    change: impl Fn(&mut [bool; 2], &mut Body),
) -> Result<(), TestCaseError> {
    let known = single.0.iter_mut().find(|(known, ..)| *known == id);
    prop_assert_eq!(known.is_some(), streams.get(id).is_some());
    if let Some(((_, ended, body), going)) = known.zip(streams.get_mut(id)) {
        change(ended, body);
        let mut same = [false; 2];
        change(&mut same, &mut going.body);
        [Direction::Sent, Direction::Received]
            .into_iter()
            .filter(|dir| same[dir.index()])
            .for_each(|dir| going.end(dir));
    }
    Ok(())
}

/// A connection's streams, both ways, and the number of its newest.
#[derive(Default)]
struct Connection {
    streams: Remembered,
    single: Single,
    id: u32,
}

impl Connection {
    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let Self { streams, single, id } = self;
        match step {
            Step::Add { on, opened } => {
                *id += on;
                let (_, forgotten) = streams.add(*id);
                prop_assert_eq!(forgotten.is_some(), single.0.len() == STREAMS);
                if let Some((gone, was_opened)) = forgotten {
                    let (ended, opened) = single.forget(gone).expect("it was remembered");
                    prop_assert_eq!(was_opened, opened);
                    let mut others = single.0.iter();
                    prop_assert!(ended == [true; 2] || others.all(|&(_, ended, _)| ended != [true; 2]));
                }
                single.0.push((*id, [false; 2], Body::default()));
                both(streams, single, *id, |_, body| {
                    body.usage_mut(User(1)).expect("there is room").opened = opened;
                })?;
            }
            Step::Frame { back, user, kind } => {
                let kind = if kind { FrameKind::Data } else { FrameKind::WindowUpdate };
                both(streams, single, id.saturating_sub(back), |_, body| {
                    let usage = body.usage_mut(User(user)).expect("there is room");
                    usage.count(dir(kind == FrameKind::Data), kind);
                })?;
            }
            Step::End { back, dir } => {
                let end = |ended: &mut [bool; 2], _: &mut Body| ended[usize::from(dir)] = true;
                both(streams, single, id.saturating_sub(back), end)?;
            }
            Step::EndBoth { back } => {
                let end = |ended: &mut [bool; 2], _: &mut Body| *ended = [true; 2];
                both(streams, single, id.saturating_sub(back), end)?;
            }
            Step::Rest => {
                streams.rest();
                prop_assert!(streams.going().count() <= GOING);
            }
            Step::Lose { dir: sent } => {
                let at = dir(sent).index();
                streams.lose(dir(sent));
                let going_on = single.0.iter_mut().filter(|(_, ended, _)| !ended[at]);
                going_on.for_each(|(.., body)| body.messages[at] = Messages::Lost);
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let shared: Vec<_> =
            self.streams.iter().map(|stream| (stream.id, stream.uses, stream.messages)).collect();
        let singles: Vec<_> =
            self.single.0.iter().map(|(id, _, body)| (*id, &body.uses[..], body.messages)).collect();
        prop_assert_eq!(shared, singles);
        prop_assert_eq!(self.streams.going().count() + self.streams.past.len(), self.single.0.len());
        Ok(())
    }
}

proptest! {
    /// What happens on one connection changes nothing of the other, whatever the two share.
    #[test]
    fn they_are_what_single_streams_are(steps in prop::collection::vec((0..2_usize, step()), 1..400)) {
        let mut connections = [Connection::default(), Connection::default()];
        for (of, step) in steps {
            connections[of].step(step)?;
            connections.iter().try_for_each(Connection::check)?;
        }
    }
}

#[test]
fn of_what_ended_in_one_transfer_the_oldest_is_forgotten_first() {
    let mut streams = Remembered::default();
    let id = |number: usize| 2 * number as u32 + 1;
    for number in 0..STREAMS {
        let (going, _) = streams.add(id(number));
        [Direction::Sent, Direction::Received].into_iter().for_each(|dir| going.end(dir));
    }
    let forgotten = (STREAMS..2 * STREAMS).map(|number| streams.add(id(number)).1);
    assert!(forgotten.map(|gone| gone.map(|(id, _)| id)).eq((0..STREAMS).map(|number| Some(id(number)))));
}
