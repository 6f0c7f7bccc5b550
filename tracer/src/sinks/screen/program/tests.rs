use super::super::{Mouse, Style};
use super::*;
use crate::analysis::Analysis;
use crate::filter::Filter;
use std::collections::BTreeMap;
use std::time::Duration;

/// A screen with a program, and what is known: nothing.
fn screen() -> (Screen, Analysis) {
    let mut screen = Screen::new(Style::default(), &Filter::default());
    screen.add_program();
    (screen, Analysis::new(0, BTreeMap::new()))
}

fn key(key: Key) -> Input {
    Input::Key(key)
}

/// The bottom line: a message, else the keys.
fn bottom(screen: &mut Screen, analysis: &Analysis) -> String {
    let page = screen.page(analysis, Duration::ZERO);
    if page.message.is_empty() {
        return page.hints.iter().map(|(key, word)| format!("{key} {word}  ")).collect();
    }
    page.message.into_iter().flatten().map(|span| span.text).collect()
}

#[test]
fn there_is_a_pane_where_there_is_a_program() {
    let analysis = Analysis::new(0, BTreeMap::new());
    let mut without = Screen::new(Style::default(), &Filter::default());
    without.press(key(Key::Char('5')), &analysis);
    assert!(!without.shows_program() && without.page(&analysis, Duration::ZERO).tabs.len() == 4);
    let (mut screen, analysis) = screen();
    screen.press(key(Key::BackTab), &analysis);
    assert!(screen.shows_program());
    let page = screen.page(&analysis, Duration::ZERO);
    assert_eq!(page.tabs.last(), Some(&("5 Program".to_owned(), true)));
    assert_eq!((screen.program_size(), page.grid), ((80, 21), Some(Grid::default())));
    screen.press(key(Key::Tab), &analysis);
    assert!(!screen.shows_program() && screen.page(&analysis, Duration::ZERO).grid.is_none());
}

#[test]
fn with_the_focus_every_key_but_one_is_the_programs() {
    let (mut screen, analysis) = screen();
    screen.press(key(Key::Char('5')), &analysis);
    assert_eq!(screen.press(key(Key::Enter), &analysis), None);
    for typed in [
        key(Key::Char('q')),
        key(Key::Char('?')),
        key(Key::Char('1')),
        key(Key::Ctrl('c')),
        key(Key::Ctrl('z')),
        key(Key::Esc),
        key(Key::Tab),
        key(Key::F(10)),
        Input::Chord(Key::Char('q'), 2),
        Input::Paste("q\n".to_owned()),
    ] {
        assert_eq!(screen.press(typed.clone(), &analysis), Some(Command::Type(typed)));
    }
    assert!(bottom(&mut screen, &analysis).starts_with(RELEASE));
    // Whatever is said: the way out is seen.
    screen.say("something");
    assert_eq!(bottom(&mut screen, &analysis), "Ctrl-]  something");
    assert_eq!(screen.press(key(Key::Ctrl(']')), &analysis), None);
    screen.press(key(Key::Char('?')), &analysis);
    let help = screen.page(&analysis, Duration::ZERO).overlay.expect("it was asked for");
    assert!(help.title.starts_with("Help: Program"), "{}", help.title);
    let lines = help.lines.iter().map(|line| line.iter().map(|span| &*span.text).collect::<String>());
    let panes = lines.filter(|line| line.contains("1-5 Tab") && line.ends_with("findings, events, program"));
    assert_eq!(panes.count(), 1);
}

#[test]
fn the_mouse_gives_the_focus_and_takes_it() {
    let (mut screen, analysis) = screen();
    screen.page(&analysis, Duration::ZERO);
    screen.press(key(Key::Char('5')), &analysis);
    // The status line is not the program.
    screen.press(Input::Mouse(Mouse::Press(3, 22)), &analysis);
    assert!(!screen.has_focus());
    screen.press(Input::Mouse(Mouse::Press(3, 21)), &analysis);
    assert!(screen.has_focus());
    assert_eq!(screen.press(Input::Mouse(Mouse::WheelUp), &analysis), Some(Command::Scroll(3)));
    screen.press(Input::Mouse(Mouse::Press(2, 0)), &analysis);
    assert!(!screen.has_focus() && !screen.shows_program());
}

#[test]
fn without_the_focus_keys_scroll() {
    let (mut screen, analysis) = screen();
    screen.press(key(Key::Char('5')), &analysis);
    for (pressed, by) in [
        (Key::Up, 1),
        (Key::Char('j'), -1),
        (Key::PageUp, 21),
        (Key::Ctrl('d'), -10),
        (Key::Char('g'), isize::MAX),
        (Key::End, -isize::MAX),
    ] {
        assert_eq!(screen.press(key(pressed), &analysis), Some(Command::Scroll(by)), "{pressed:?}");
    }
    screen.show_program(Grid { back: 12, ..Grid::default() });
    let place = screen.page(&analysis, Duration::ZERO).place;
    assert_eq!(place, [span("  12 lines back", Role::Info)]);
    // What is for rows means nothing here.
    for pressed in ['s', 'a', '\\', '/', 'n', 'p', 'o', 'v', 'h', 'l', 'y'] {
        assert_eq!(screen.press(key(Key::Char(pressed)), &analysis), None);
        assert!(screen.prompt.is_none(), "{pressed}");
    }
}

#[test]
fn after_the_programs_end_keys_are_nobodys_until_they_are_given_back() {
    let (mut screen, analysis) = screen();
    screen.press(key(Key::Char('5')), &analysis);
    screen.press(key(Key::Enter), &analysis);
    screen.status.ended = Some(3);
    assert_eq!(screen.press(key(Key::Char('q')), &analysis), None);
    assert!(bottom(&mut screen, &analysis).contains("has ended"));
    screen.press(key(Key::Ctrl(']')), &analysis);
    screen.press(key(Key::Enter), &analysis);
    assert!(!screen.has_focus());
    assert_eq!(screen.press(key(Key::Char('q')), &analysis), Some(Command::Quit));
}

#[test]
fn who_leaves_a_program_is_asked_once() {
    for leave in [Key::Char('q'), Key::Ctrl('c'), Key::F(10)] {
        let (mut screen, analysis) = screen();
        assert_eq!(screen.press(key(leave), &analysis), None);
        assert!(bottom(&mut screen, &analysis).contains("still runs"));
        screen.press(key(Key::Char('j')), &analysis);
        assert_eq!(screen.press(key(leave), &analysis), None);
        screen.press(Input::Size(90, 30), &analysis);
        assert_eq!(screen.press(key(leave), &analysis), Some(Command::Quit));
    }
}

#[test]
fn who_does_not_see_the_question_any_more_is_asked_again() {
    let (mut screen, analysis) = screen();
    assert_eq!(screen.press(key(Key::Char('q')), &analysis), None);
    screen.page(&analysis, Duration::ZERO);
    screen.page(&analysis, Duration::from_secs(60));
    assert_eq!(screen.press(key(Key::Char('q')), &analysis), None);
    assert!(bottom(&mut screen, &analysis).contains("still runs"));
}
