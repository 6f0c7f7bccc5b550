use super::*;
use crate::sinks::escape::acts_on_a_terminal;
use crate::sinks::screen::Key;
use crate::sinks::screen::grid::{Colour, Look, Piece};
use proptest::prelude::*;

/// The rows as text: what no piece covers is blank.
fn text(grid: &Grid) -> Vec<String> {
    let row = |pieces: &Vec<Piece>| {
        let (mut line, mut end) = (String::new(), 0);
        for piece in pieces {
            line += &" ".repeat(usize::from(piece.column - end));
            line += &piece.text;
            end = piece.column + piece.columns;
        }
        line.trim_end().to_owned()
    };
    grid.rows.iter().map(row).collect()
}

#[track_caller]
fn shows(bytes: &[u8], expected: &[&str]) {
    let mut emulator = Emulator::new(20, 3);
    emulator.feed(bytes);
    let mut lines = text(&emulator.grid());
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    assert_eq!(lines, expected, "{}", bytes.escape_ascii());
}

#[test]
fn what_a_program_prints_is_seen() {
    shows(b"one\r\ntwo", &["one", "two"]);
    shows(b"1\r\n2\r\n3\r\n4", &["2", "3", "4"]);
    shows(b"a\x1b[2;5Hb\x1b[Hc", &["c", "    b"]);
    shows("grüße 接続.".as_bytes(), &["grüße 接続."]);
    shows(b"gone\x1b[2J\x1b[Hhere", &["here"]);
}

#[test]
fn nothing_but_cells_comes_of_control_sequences() {
    for hostile in [
        &b"\x1b]0;title\x07"[..],
        b"\x1b]2;title\x1b\\",
        b"\x1b]52;c;aGVsbG8=\x07",
        b"\x1b]8;;http://x/\x07",
        b"\x1b[8;999;999t",
        b"\x1b[?1003h\x1b[?1006h",
        b"\x1bP+q544e\x1b\\",
        b"\x1bPq#0;2;0;0;0~\x1b\\",
        b"\x07\x05\x0e\x0f\x00\x7f",
        "\u{9b}31m\u{9d}0;t\u{9c}".as_bytes(),
        "\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}".as_bytes(),
        b"\xff\xfe\xc0\x80",
    ] {
        let mut emulator = Emulator::new(40, 3);
        emulator.feed(b"before ");
        emulator.feed(hostile);
        emulator.feed(b"after");
        let grid = emulator.grid();
        let line = &text(&grid)[0];
        assert!(line.starts_with("before") && line.ends_with("after"), "{line:?}");
        assert!(!line.chars().any(acts_on_a_terminal), "{line:?}");
        assert_eq!(grid.rows.len(), 3, "{}", hostile.escape_ascii());
    }
}

#[test]
fn looks_are_kept_apart_from_text() {
    let mut emulator = Emulator::new(20, 2);
    emulator.feed(b"a \x1b[1;31;48;2;1;2;3mbc\x1b[7md\x1b[0m \x1b[44m \x1b[me");
    let pieces = &emulator.grid().rows[0];
    let plain = Look::default();
    let red = Look { text: Colour::Indexed(1), behind: Colour::Rgb(1, 2, 3), bold: true, ..plain };
    let seen: Vec<_> =
        pieces.iter().map(|piece| (piece.column, piece.columns, &*piece.text, piece.look)).collect();
    assert_eq!(
        seen,
        [
            (0, 1, "a", plain),
            (2, 2, "bc", red),
            (4, 1, "d", Look { inverse: true, ..red }),
            (6, 1, " ", Look { behind: Colour::Indexed(4), ..plain }),
            (7, 1, "e", plain),
        ]
    );
}

#[test]
fn each_wide_character_has_its_own_place() {
    let mut emulator = Emulator::new(20, 2);
    emulator.feed("a接b".as_bytes());
    let pieces = &emulator.grid().rows[0];
    let places: Vec<_> = pieces.iter().map(|piece| (piece.column, piece.columns, &*piece.text)).collect();
    assert_eq!(places, [(0, 1, "a"), (1, 2, "接"), (3, 1, "b")]);
}

#[test]
fn lines_that_left_can_be_scrolled_back_to_up_to_a_limit() {
    let mut emulator = Emulator::new(20, 3);
    for line in 0..SCROLLBACK + 100 {
        emulator.feed(format!("line {line}\r\n").as_bytes());
    }
    assert_eq!(text(&emulator.grid()), ["line 5098", "line 5099", ""]);
    emulator.scroll(2);
    let grid = emulator.grid();
    assert_eq!(
        (text(&grid), grid.back, grid.cursor),
        (["5096", "5097", "5098"].map(|n| format!("line {n}")).to_vec(), 2, None)
    );
    // What comes does not move what is looked at.
    emulator.feed(b"more\r\n");
    assert_eq!((text(&emulator.grid()), emulator.grid().back), (text(&grid), 3));
    emulator.scroll(isize::MAX);
    assert_eq!((emulator.grid().back, &*text(&emulator.grid())[0]), (SCROLLBACK, "line 99"));
    emulator.scroll(-isize::MAX);
    assert_eq!(emulator.grid().back, 0);
    // Who types sees where.
    emulator.scroll(7);
    emulator.typed(&Input::Key(Key::Char('x')));
    assert_eq!(emulator.grid().back, 0);
}

#[test]
fn another_size_keeps_the_last_lines() {
    let mut emulator = Emulator::new(20, 4);
    emulator.feed(b"1\r\n2\r\n3\r\n4");
    emulator.resize(10, 2);
    assert_eq!(text(&emulator.grid()), ["3", "4"]);
    emulator.resize(30, 5);
    assert_eq!(text(&emulator.grid())[..4], ["1", "2", "3", "4"]);
    emulator.resize(0, 0);
    assert_eq!(emulator.grid().rows.len(), usize::from(LEAST.1));
}

#[test]
fn a_program_that_asks_is_answered_but_not_for_ever() {
    let mut emulator = Emulator::new(20, 4);
    emulator.feed(b"ab\x1b[6n\x1b[5n\x1b[c\x1b[>c\x1b[99n");
    assert_eq!(emulator.answers(), b"\x1b[1;3R\x1b[0n\x1b[?1;2c");
    assert_eq!(emulator.answers(), b"");
    emulator.feed(b"\x1b[1;20Hx\x1b[6n");
    assert_eq!(emulator.answers(), b"\x1b[1;20R");
    emulator.feed(&b"\x1b[6n".repeat(100_000));
    assert!(emulator.answers().len() <= 4096);
}

#[track_caller]
fn sends(before: &[u8], input: &Input, expected: &[u8]) {
    let mut emulator = Emulator::new(20, 4);
    emulator.feed(before);
    let sent = emulator.typed(input);
    assert_eq!(sent.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{input:?}");
}

/// As `infocmp -x xterm-256color` and xterm's control sequences have them.
#[test]
fn keys_are_sent_as_by_xterm() {
    for (key, expected) in [
        (Key::Char('a'), &b"a"[..]),
        (Key::Char('é'), "é".as_bytes()),
        (Key::Ctrl('c'), b"\x03"),
        (Key::Ctrl('z'), b"\x1a"),
        (Key::Ctrl('d'), b"\x04"),
        (Key::Ctrl(' '), b"\0"),
        (Key::Ctrl('\\'), b"\x1c"),
        (Key::Ctrl('_'), b"\x1f"),
        (Key::Ctrl('?'), b"\x7f"),
        (Key::Enter, b"\r"),
        (Key::Esc, b"\x1b"),
        (Key::Tab, b"\t"),
        (Key::BackTab, b"\x1b[Z"),
        (Key::Backspace, b"\x7f"),
        (Key::Insert, b"\x1b[2~"),
        (Key::Delete, b"\x1b[3~"),
        (Key::Up, b"\x1b[A"),
        (Key::Down, b"\x1b[B"),
        (Key::Right, b"\x1b[C"),
        (Key::Left, b"\x1b[D"),
        (Key::Home, b"\x1b[H"),
        (Key::End, b"\x1b[F"),
        (Key::PageUp, b"\x1b[5~"),
        (Key::PageDown, b"\x1b[6~"),
    ] {
        sends(b"", &Input::Key(key), expected);
    }
    let functions = ["OP", "OQ", "OR", "OS", "[15~", "[17~", "[18~", "[19~", "[20~", "[21~", "[23~", "[24~"];
    let later = ["[25~", "[26~", "[28~", "[29~", "[31~", "[32~", "[33~", "[34~"];
    for (n, expected) in (1..).zip(functions.into_iter().chain(later)) {
        sends(b"", &Input::Key(Key::F(n)), format!("\x1b{expected}").as_bytes());
    }
    sends(b"", &Input::Key(Key::F(21)), b"");
}

#[test]
fn keys_with_others_are_sent_as_by_xterm() {
    for (key, modifiers, expected) in [
        (Key::Char('b'), 2, &b"\x1bb"[..]),
        (Key::Ctrl('b'), 2, b"\x1b\x02"),
        (Key::Enter, 2, b"\x1b\r"),
        (Key::Left, 4, b"\x1b[1;5D"),
        (Key::Up, 1, b"\x1b[1;2A"),
        (Key::Delete, 4, b"\x1b[3;5~"),
        (Key::F(1), 1, b"\x1b[1;2P"),
        (Key::F(5), 5, b"\x1b[15;6~"),
    ] {
        sends(b"", &Input::Chord(key, modifiers), expected);
    }
}

#[test]
fn programs_may_want_keys_otherwise() {
    sends(b"\x1b[?1h", &Input::Key(Key::Up), b"\x1bOA");
    sends(b"\x1b[?1h", &Input::Key(Key::Home), b"\x1bOH");
    sends(b"\x1b[?1h\x1b[?1l", &Input::Key(Key::Up), b"\x1b[A");
    let paste = Input::Paste("a\r\nb\tc\n\x1b[201~\x03d".to_owned());
    sends(b"", &paste, b"a\rb\tc\r[201~d");
    // The end of a paste cannot be pasted.
    sends(b"\x1b[?2004h", &paste, b"\x1b[200~a\rb\tc\r[201~d\x1b[201~");
    sends(b"", &Input::Mouse(crate::sinks::screen::Mouse::WheelUp), b"");
}

#[test]
fn no_character_becomes_wide_at_the_end_of_a_row() {
    for split in 0..=6 {
        let mut emulator = Emulator::new(4, 2);
        emulator.feed(b"abc");
        let heart = "❤\u{fe0f}".as_bytes();
        emulator.feed(&heart[..split]);
        emulator.feed(&heart[split..]);
        emulator.feed(b"d");
        assert_eq!(text(&emulator.grid()), ["abc❤\u{fe0e}", "d"], "{split}");
    }
    // Nor one whose selector is hidden in another.
    let mut emulator = Emulator::new(4, 2);
    emulator.feed(b"abc\xe2\x9d\xa4\xef\xb8\xef\xb8\x8f\x8f\xef\xb8\x8fd");
    assert!(emulator.grid().rows.iter().flatten().all(|piece| piece.columns == 1 || piece.text.is_ascii()));
}

/// Pieces of what terminals understand, for hostile mixtures.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        "[a-z接é\u{301}\u{200d}\u{fe0f}👩❤ ]{0,40}".prop_map(String::into_bytes),
        "\x1b\\[[?>! ]?[0-9]{0,5}(;[0-9]{0,5}){0,3}[@-~]".prop_map(String::into_bytes),
        "\x1b[@-~()#][0-9a-zA-Z]?".prop_map(String::into_bytes),
        "\x1b[\\]PX^_][ -~]{0,30}(\x07|\x1b\\\\)?".prop_map(String::into_bytes),
        Just(b"\x1b[?1049h".to_vec()),
        Just(b"\x1b[?1049l".to_vec()),
        Just(b"\r\n\r\n\r\n\x08\t\x0b".to_vec()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn hostile_programs_do_no_harm(
        steps in prop::collection::vec((hostile(), 0_u16..90, 0_u16..30, -50_isize..50), 1..8)
    ) {
        let mut emulator = Emulator::new(20, 5);
        for (bytes, columns, rows, scroll) in steps {
            emulator.feed(&bytes);
            emulator.scroll(scroll);
            emulator.resize(columns, rows);
            emulator.feed(&bytes);
            let (columns, rows) = (columns.max(LEAST.0), rows.max(LEAST.1));
            let grid = emulator.grid();
            prop_assert_eq!(grid.rows.len(), usize::from(rows));
            prop_assert!(grid.cursor.is_none_or(|(row, column)| row < rows && column < columns));
            for piece in grid.rows.iter().flatten() {
                prop_assert!(piece.column + piece.columns <= columns);
                prop_assert!(!piece.text.chars().any(acts_on_a_terminal));
            }
            prop_assert!(emulator.answers().len() <= 4096);
        }
    }
}
