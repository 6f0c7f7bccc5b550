//! A recording played, and only read.

use crate::header::header;
use crate::traffic::Traffic;
use forkscope::analysis::Analysis;
use forkscope::recording::{End, Entry, Payload, Reader, Recorder};
use forkscope::replay::{Input, Player, Setup, Stop, Until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Seek;
use std::time::{Duration, Instant};

/// How often each is measured.
const ROUNDS: usize = 5;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// A recording of so many events, and how many it has.
fn record(events: u64) -> Fallible<(File, u64)> {
    let mut file = tempfile::tempfile()?;
    let mut recorder = Recorder::begin(file.try_clone()?, &header(Payload::Headers))?;
    let (mut analysis, mut traffic) = (Analysis::new(0, BTreeMap::new()), Traffic::new(50, 20));
    let (mut count, mut turn) = (0, 0);
    while count < events {
        let mut result = Ok(());
        traffic.step(&mut |event| {
            count += 1;
            analysis.apply(event);
            if result.is_ok() {
                result = recorder.event(event, analysis.model.kept());
            }
        });
        result?;
        if count / 2000 > turn {
            turn = count / 2000;
            recorder.turn();
        }
    }
    recorder.end(&End::default())?;
    file.rewind()?;
    Ok((file, count))
}

/// Plays a recording to its end. In a function of its own, so that a profiler can tell it from what made it.
#[inline(never)]
fn play_on(player: &mut Player) {
    while player.advance(Until::End, Duration::MAX, &mut |_, _| ()) != Stop::End {}
}

fn played(file: &File) -> Fallible<Player> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(Player::open(Input::file(file), "the recording".into(), Setup::default())?)
}

pub(super) fn measure(events: u64) -> Fallible<Value> {
    let (file, count) = record(events)?;
    let (mut plays, mut reads) = (Vec::new(), Vec::new());
    let a_second = |began: Instant| (count as f64 / began.elapsed().as_secs_f64()).round();
    for _ in 0..ROUNDS {
        let mut player = played(&file)?;
        let began = Instant::now();
        play_on(&mut player);
        plays.push(a_second(began));
        let mut from = file.try_clone()?;
        from.rewind()?;
        let mut reader = Reader::open(from)?;
        let began = Instant::now();
        while !matches!(reader.next_entry(), Ok(Some(Entry::End(_))) | Err(_)) {}
        reads.push(a_second(began));
    }
    [&mut plays, &mut reads].into_iter().for_each(|all| all.sort_by(f64::total_cmp));
    Ok(json!({
        "events": count,
        "played_per_second": { "median": plays[ROUNDS / 2], "least": plays[0], "most": plays[ROUNDS - 1] },
        "read_per_second": { "median": reads[ROUNDS / 2], "least": reads[0], "most": reads[ROUNDS - 1] },
    }))
}

/// Plays a recording, for a profiler to count.
pub(super) fn count(events: u64) -> Fallible<Value> {
    let (file, count) = record(events)?;
    let mut player = played(&file)?;
    play_on(&mut player);
    Ok(json!({ "events": count, "findings": player.analysis().findings().len() }))
}
