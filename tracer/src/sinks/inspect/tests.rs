//! What is printed, compared with the files in `expected/`. FORKSCOPE_BLESS=1 writes them anew:
//! read the difference then.

use super::*;
use crate::inspect::sample;
use crate::sinks::escape::acts_on_a_terminal;
use std::path::Path;

const PLAIN: Look = Look { color: false, width: 100 };

fn report() -> Report {
    crate::inspect::report(&sample::look(), sample::session())
}

#[track_caller]
fn check(name: &str, shown: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sinks/inspect/expected").join(name);
    if std::env::var_os("FORKSCOPE_BLESS").is_some() {
        std::fs::write(&path, shown).expect("the source tree is writable");
    }
    let expected = std::fs::read_to_string(&path).expect("each case has its file");
    assert!(shown == expected, "{name} shows\n{shown}\ninstead of\n{expected}");
}

#[test]
fn a_hung_pair() {
    check("hung-100.txt", &render(&report(), PLAIN));
    check("hung-60.txt", &render(&report(), Look { width: 60, ..PLAIN }));
}

#[test]
fn nothing_to_see() {
    check("nothing.txt", &render(&Report::new(sample::session()), PLAIN));
}

#[test]
fn it_fits_the_width_and_colour_changes_nothing_else() {
    for width in [0, 50, 80, 1000] {
        let look = Look { width, ..PLAIN };
        let shown = render(&report(), look);
        assert!(shown.lines().all(|line| line.chars().count() <= look.columns()), "{shown}");
        let coloured = render(&report(), Look { color: true, ..look });
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), shown);
    }
}

#[test]
fn many_are_counted_and_not_all_shown() {
    let mut report = report();
    let one = report.connections[0].clone();
    report.connections = (1..=1000).map(|id| Connection { id, peer: None, ..one.clone() }).collect();
    let shown = render(&report, PLAIN);
    assert_eq!(shown.matches("\nconnection ").count(), MOST_SHOWN);
    assert!(shown.contains("950 not shown here: --json has all"), "{shown}");
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    const HOSTILE: &str =
        "\x1b[2J\x1b]0;pwned\x07\r\nprocess 1: \u{9b}31m\u{202e}txt.exe\u{2066}\u{200b}\0\x7f\u{2028}";
    let mut look = sample::look();
    for process in &mut look.processes {
        process.comm = HOSTILE.into();
        process.cmdline = if process.ppid == 1 { Vec::new() } else { HOSTILE.into() };
        for thread in &mut process.threads {
            thread.comm = HOSTILE.into();
            thread.wchan = Some(HOSTILE.into());
        }
    }
    for seen in look.sockets.values_mut().filter(|seen| seen.socket.family == 1) {
        seen.name = Some(HOSTILE.into());
        seen.peer_name = Some(HOSTILE.into());
    }
    let shown = render(&crate::inspect::report(&look, sample::session()), PLAIN);
    assert!(!shown.lines().any(|line| line.starts_with("process 1:")), "{shown}");
    assert!(!shown.chars().any(|c| c != '\n' && acts_on_a_terminal(c)), "{shown}");
}

#[test]
fn what_could_not_be_asked_is_not_claimed() {
    let mut look = sample::look();
    for entry in look.processes.iter_mut().flat_map(|process| &mut process.descriptors) {
        entry.open_file = None;
        entry.eventfd.0 = None;
    }
    let shown = render(&crate::inspect::report(&look, sample::session()), PLAIN);
    assert!(!shown.contains(": one open file"), "{shown}");
    for words in ["same inode; whether", "same number and content; whether"] {
        assert!(shown.contains(words), "{shown}");
    }
}
