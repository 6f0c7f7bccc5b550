//! Where a replay ends, and what it says of that.

use super::super::{Input, Player, Seen, Setup, Stop, Until, Way};
use super::made::{LENGTH, go, in_one_go, note, play, recording, told};
use crate::recording::Payload;
use std::cell::Cell;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::time::Duration;

#[test]
fn what_the_user_says_is_enough_is_the_end() {
    for setup in [
        Setup { max_events: Some(50), ..Setup::default() },
        Setup { duration: Some(Duration::from_secs(3)), ..Setup::default() },
    ] {
        let (file, all, end) = in_one_go(setup.clone());
        assert!(all.len() < 300, "{}", all.len());
        let (mut player, mut noted) = (play(&file, setup), Vec::new());
        while player.advance(Until::Events(1), Duration::ZERO, &mut note(&mut noted)) != Stop::End {}
        assert_eq!((noted, told(&player)), (all, end));
        assert!(player.is_at_end() && player.end().is_none() && player.notes().is_empty());
        assert_eq!(player.seek(Duration::ZERO).expect("it can"), Way::Anew);
    }
}

#[test]
fn what_was_found_is_shown_wherever_it_ends() {
    let file = recording(Payload::Headers);
    let mut found = 0;
    for most in 1..100 {
        let setup = Setup { max_events: Some(most), ..Setup::default() };
        let (mut player, mut shown) = (play(&file, setup), Vec::new());
        player.advance(Until::End, Duration::MAX, &mut |seen, _| {
            if let Seen::Finding(finding) = seen {
                shown.push(finding.id);
            }
        });
        let findings = player.analysis().findings();
        assert!(findings.iter().all(|finding| shown.contains(&finding.id)), "{most} events: {shown:?}");
        found = findings.len();
    }
    assert!(found > 3, "{found}");
}

#[test]
fn a_broken_one_ends_where_it_breaks_and_says_why() {
    let whole = recording(Payload::Headers);
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    for (file, why) in [
        (
            &whole[..whole.len() - 9],
            "a.rec ends before the session did (forkscope was killed, or the disk was full): ",
        ),
        (&damaged, "a.rec is damaged: "),
    ] {
        let (mut player, mut noted) = (play(file, Setup::default()), Vec::new());
        while player.advance(Until::Events(3), Duration::ZERO, &mut note(&mut noted)) != Stop::End {}
        let text = player.why_broken().expect("it is broken").to_owned();
        let up_to =
            format!("replayed up to {:.3}s, what came later is not in it", player.elapsed().as_secs_f64());
        assert_eq!(text, format!("{why}{up_to}"));
        assert_eq!((player.notes(), noted.iter().filter(|line| **line == text).count()), (vec![text], 1));
        assert!(player.analysis().model.has_losses() && player.end().is_none());
        assert!(
            player.length() > Some(player.elapsed()) || why.contains("ends before"),
            "{:?}",
            player.length()
        );
        let before = told(&player);
        assert_eq!(player.seek(Duration::ZERO).expect("it can go back"), Way::Anew);
        assert!(player.why_broken().is_none() && !player.analysis().model.has_losses());
        go(&mut player, Until::End);
        assert_eq!(told(&player), before);
    }
}

#[test]
fn of_a_pipe_there_is_no_way_back_and_no_length_before_its_end() {
    let file = recording(Payload::None);
    let input = Input::once(Cursor::new(file.clone()));
    let mut player = Player::open(input, "-".into(), Setup::default()).expect("a recording");
    let moment = Duration::from_secs(2);
    assert_eq!(player.seek(moment).expect("ahead"), Way::Onward);
    assert_eq!(go(&mut player, Until::Time(moment)), Stop::There);
    assert_eq!((player.length(), player.can_go_back()), (None, false));
    let before = told(&player);
    let error = player.seek(Duration::from_secs(1)).expect_err("no way back");
    let said = "cannot go back in -: it comes through a pipe; save it to a file, and replay that";
    assert_eq!((error.to_string().as_str(), told(&player)), (said, before));
    player.leave();
    let notes = player.notes();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("has no bytes of transfers"), "{notes:?}");
    assert_eq!(notes[1], "- was replayed up to 2.000s: what came later is not in it");
    go(&mut player, Until::End);
    assert_eq!((player.length(), player.notes().len()), (Some(LENGTH), 1));
}

#[test]
fn left_on_the_way_the_report_says_how_far_it_goes() {
    let file = recording(Payload::Headers);
    let mut player = play(&file, Setup::default());
    let mut made = 0;
    while made == 0 {
        assert_eq!(go(&mut player, Until::Events(1)), Stop::There);
        made = player.analysis().findings().len();
    }
    player.leave();
    let findings = player.analysis().findings();
    assert!(findings.iter().all(|finding| !finding.fix.is_empty()), "{findings:#?}");
    let up_to = player.position().as_secs_f64();
    let note = format!("a.rec was replayed up to {up_to:.3}s of 30.000s: what came later is not in it");
    assert_eq!(player.notes(), [note]);
}

#[test]
fn a_fifo_is_read_once() {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    let file = recording(Payload::Headers);
    let writing = std::thread::spawn(move || writer.write_all(&file));
    let input = Input::file(std::fs::File::from(std::os::fd::OwnedFd::from(reader)));
    let mut player = Player::open(input, "fifo".into(), Setup::default()).expect("a recording");
    assert_eq!(go(&mut player, Until::End), Stop::End);
    assert_eq!((player.position(), player.can_go_back(), player.notes().len()), (LENGTH, false, 0));
    writing.join().expect("no panic").expect("all was read");
    let mut temporary = tempfile::tempfile().expect("a file");
    temporary.write_all(&recording(Payload::Headers)).expect("own file");
    temporary.rewind().expect("own file");
    let player = Player::open(Input::file(temporary), "file".into(), Setup::default()).expect("a recording");
    assert_eq!((player.length(), player.can_go_back()), (Some(LENGTH), true));
}

/// A file that goes away.
struct Gone(Cursor<Vec<u8>>, Rc<Cell<bool>>);

impl Read for Gone {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes)
    }
}

impl Seek for Gone {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if self.1.get() { Err(io::Error::from_raw_os_error(libc::EIO)) } else { self.0.seek(to) }
    }
}

#[test]
fn where_the_system_refuses_to_go_back_nothing_has_changed() {
    let gone = Rc::new(Cell::new(false));
    let file = Gone(Cursor::new(recording(Payload::Headers)), Rc::clone(&gone));
    let mut player =
        Player::open(Input::anywhere(file), "a.rec".into(), Setup::default()).expect("a recording");
    go(&mut player, Until::Time(Duration::from_secs(4)));
    let before = told(&player);
    gone.set(true);
    let error = player.seek(Duration::from_secs(1)).expect_err("it is gone").to_string();
    assert!(error.starts_with("cannot go back in a.rec: ") && error.contains("(EIO)"), "{error}");
    assert_eq!(told(&player), before);
    go(&mut player, Until::End);
    assert_eq!(told(&player), in_one_go(Setup::default()).2);
}
