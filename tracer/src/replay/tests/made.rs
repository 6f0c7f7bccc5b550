//! A session that was recorded in memory, and what is told of a replay.

use super::super::{Input, Player, Seen, Setup, Stop, Until};
use crate::analysis::Analysis;
use crate::analysis::kernel::Kernel;
use crate::event::NamedStack;
use crate::recording::sample::header;
use crate::recording::{End, Payload, Recorder};
use crate::report::{Finding, Frame, Language, Moment, sample};
use std::cell::RefCell;
use std::io::{self, Cursor, Write};
use std::rc::Rc;
use std::time::Duration;

/// Bytes that are written in one place and read in another.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Most events between two turns, and turns in a chunk.
const TURN: u64 = 7;
const CHUNK: u64 = 5;

/// How long the session was: longer than its events go.
pub(super) const LENGTH: Duration = Duration::from_secs(30);

/// A session of some hundred processes: each child of each third fork speaks on what its parent opened.
pub(super) fn recording(payload: Payload) -> Vec<u8> {
    let shared = Shared::default();
    let mut header = header(payload);
    header.clock = 0;
    let recorder = Recorder::begin(shared.clone(), &header).expect("memory");
    let recorder = Rc::new(RefCell::new(recorder));
    let (heard, mut events) = (Rc::clone(&recorder), 0_u64);
    let mut kernel = Kernel::heard_by(Box::new(move |event, analysis| {
        let kept = analysis.model.kept();
        let mut recorder = heard.borrow_mut();
        recorder.event(event, kept).expect("memory");
        events += 1;
        if events % TURN == 0 {
            recorder.stacks(1, &[stack(event.time)]).expect("memory");
            recorder.turn();
        }
        if events % (TURN * CHUNK) == 0 {
            recorder.flush().expect("memory");
        }
    }));
    for round in 0..40 {
        let (child, fd) = (1000 + round, kernel.connect(100, 5432));
        kernel.send(100, fd, b"Q\0\0\0\x0dSELECT 1\0");
        kernel.receive(100, fd, b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I");
        kernel.fork(100, child, 0);
        kernel.wait(300_000_000);
        if round % 3 == 0 {
            kernel.send(child, fd, b"Q\0\0\0\x0dSELECT 2\0");
            kernel.send(100, fd, b"Q\0\0\0\x0dSELECT 3\0");
            kernel.receive(child, fd, b"C\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I");
        }
        kernel.exit(child);
        kernel.close(100, fd);
    }
    drop(kernel);
    let recorder = Rc::into_inner(recorder).expect("the kernel is gone").into_inner();
    recorder.end(&End { duration: LENGTH.as_secs_f64(), ..End::default() }).expect("memory");
    shared.0.borrow().clone()
}

/// Where a thread was. Told again and again, from before there is a finding.
fn stack(time: u64) -> NamedStack {
    let frame = Frame { function: Some("sends".into()), ..Frame::unknown(Language::Native) };
    NamedStack { time, pid: 100, tid: 100, at: Moment::FailingCall, frames: vec![frame] }
}

pub(super) fn play(file: &[u8], setup: Setup) -> Player {
    Player::open(Input::anywhere(Cursor::new(file.to_vec())), "a.rec".into(), setup).expect("a recording")
}

/// Plays on as long as it takes.
pub(super) fn go(player: &mut Player, until: Until) -> Stop {
    player.advance(until, Duration::MAX, &mut |_, _| ())
}

/// Where a player is and all that it knows, in words.
pub(super) fn told(player: &Player) -> String {
    let report = player.analysis().report(sample::session());
    let report = serde_json::to_string_pretty(&report).expect("it is JSON");
    format!("{:?} {:?} {:?}\n{report}", player.position(), player.end(), player.notes())
}

/// A finding as it was shown.
fn shown(finding: &Finding) -> String {
    format!("{} {:?} {} {}", finding.first_seen, finding.rule, finding.title, finding.fix.len())
}

/// What is told of: events by their moment, findings.
pub(super) fn note(noted: &mut Vec<String>) -> impl FnMut(Seen<'_>, &Analysis) {
    |seen, analysis| {
        noted.push(match seen {
            Seen::Event(event) => format!("{} {}", event.time, analysis.changes().len()),
            Seen::Finding(finding) => shown(finding),
            Seen::Broken(why) => why.to_owned(),
        });
    }
}

/// A file, and what is told of it and known at its end where it is played in one go.
pub(super) fn in_one_go(setup: Setup) -> (Vec<u8>, Vec<String>, String) {
    let file = recording(Payload::Headers);
    let (mut player, mut noted) = (play(&file, setup), Vec::new());
    assert_eq!(player.advance(Until::End, Duration::MAX, &mut note(&mut noted)), Stop::End);
    let told = told(&player);
    (file, noted, told)
}
