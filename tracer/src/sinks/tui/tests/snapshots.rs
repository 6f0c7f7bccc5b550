//! Each pane, and each thing that can be opened: empty, busy and with the founding bug, on
//! small and on large terminals.

use super::drawn::{draw_on, styled, text};
use crate::sinks::screen::tests::scenes::{busy, founding, shared};
use crate::sinks::screen::tests::stage::Stage;
use crate::sinks::screen::{Replayed, Style, Theme};
use std::fmt::Write;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 60);

/// Compares screens with the file of this name: what keys lead to, from the beginning each.
fn check(name: &str, stage: impl Fn() -> Stage, size: (u16, u16), keys: &[&str]) {
    let mut screens = String::new();
    for keys in keys {
        let stage = stage();
        let _ = draw_on(&stage, size);
        stage.press(keys);
        let _ = writeln!(screens, "===== {keys}\n{}", text(&draw_on(&stage, size)));
    }
    compare(name, &screens);
}

fn compare(name: &str, screens: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, screens);
    });
}

const PANES: &[&str] = &["1", "2", "3", "4"];
/// A process, a connection's timeline, a finding.
const OPENED: &[&str] = &["1j<Enter>", "2<Enter>", "3<Enter>"];

fn with(style: Style, stage: impl Fn() -> Stage) -> impl Fn() -> Stage {
    move || {
        let stage = stage();
        for _ in 0..Theme::ALL.iter().position(|theme| *theme == style.theme).unwrap_or(0) {
            stage.press("T");
        }
        stage.press(if style.ascii { "Aj<Up>" } else { "j<Up>" });
        stage
    }
}

#[test]
fn nothing_is_seen_yet() {
    check("empty", Stage::empty, SMALL, PANES);
    check("empty_large", Stage::empty, LARGE, &["1"]);
}

#[test]
fn the_founding_bug() {
    check("bug", founding, SMALL, PANES);
    check("bug_large", founding, LARGE, PANES);
    check("bug_opened", founding, SMALL, OPENED);
    check("bug_opened_large", founding, LARGE, OPENED);
}

#[test]
fn a_connection_that_two_use() {
    check("shared", shared, SMALL, &["2", "2<Enter>", "2<Enter>hhhh", "3", "3<Enter>"]);
    check("shared_large", shared, LARGE, &["2", "2<Enter>", "3<Enter>"]);
}

#[test]
fn much_happens() {
    check("busy", busy, SMALL, &["1", "1G", "2", "3", "3a", "4", "2<Enter>", "1<Enter>"]);
    check("busy_large", busy, LARGE, &["1", "2", "3a", "4", "2<Enter>", "1<Enter>"]);
}

#[test]
fn ascii_only() {
    let ascii = Style { theme: Theme::None, ascii: true };
    check("ascii", with(ascii, shared), SMALL, &["1", "2", "2<Enter>", "3<Enter>"]);
    check("ascii_busy", with(ascii, busy), SMALL, &["1", "2"]);
}

#[test]
fn around_the_rows() {
    let helped = &["1?", "2?", "3?", "3<Enter>?", "2<Enter>?", "4?"];
    check("help", founding, SMALL, helped);
    let typed = &[
        "4\\errno:any pid",
        "4\\errno:<Enter>",
        "4\\errno:ENOTSOCK<Enter>",
        "2\\port:1<Enter>",
        "2/sent",
        "1/nowhere<Enter>",
        "3\\comm:nobody<Enter>",
        "1 ",
        "4y",
    ];
    check("typed", founding, SMALL, typed);
    let replay = || {
        let stage = founding();
        let replay = Replayed { pace: "playing x2".to_owned(), at: 1.5, of: Some(20.0) };
        stage.screen().status.replay = Some(replay);
        stage
    };
    check("replay", replay, SMALL, &["1", "1?"]);
}

#[test]
fn small_terminals() {
    check("least", shared, (60, 15), &["1", "2", "2<Enter>", "3", "3<Enter>", "4", "?"]);
    check("too_small", shared, (59, 15), &["1"]);
    check("tiny", shared, (10, 3), &["1"]);
}

#[test]
fn the_status_line_tells_of_losses() {
    let stage = || {
        let stage = founding();
        let mut screen = stage.screen();
        screen.status.lost = 12_345;
        screen.status.recording = Some("forkscope-20260102-030405.rec".to_owned());
        screen.status.stopped = 1;
        drop(screen);
        stage
    };
    check("losses", stage, (110, 16), &["3"]);
}

#[test]
fn each_theme() {
    let mut screens = String::new();
    for theme in Theme::ALL {
        let stage = with(Style { theme, ascii: false }, shared)();
        stage.press("2<Enter>");
        let _ = writeln!(screens, "===== {}\n{}", theme.name(), styled(&draw_on(&stage, (100, 20))));
    }
    compare("themes", &screens);
}
