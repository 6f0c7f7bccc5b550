//! What traced programs are called never acts on the terminal.

use crate::model::Place;
use crate::sinks::escape::acts_on_a_terminal;
use crate::sinks::screen::Input;
use crate::sinks::screen::tests::stage::Stage;
use crate::sinks::tui::draw;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Clears the screen, turns the reading order, sets the window's title, rings, and is long.
const NAME: &str = "\x1b[2J\u{202e}x\x07";
const WORD: &str = "\x1b]0;owned\x07\u{9b}31m\u{202e}\u{200b}\r\n\t\x7f\u{2028}日本語\u{301}";

fn scene() -> Stage {
    let mut stage = Stage::new();
    let kernel = &mut stage.kernel;
    kernel.exec_as(100, NAME, &[WORD, &WORD.repeat(300)]);
    kernel.settle(100, &Place { ns_pid: Some(1), container: Some(WORD.to_owned()) });
    let fd = kernel.connect(100, 50051);
    kernel.send(100, fd, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\x01\0\0");
    // A path with an escape in it: `/p.S/\x1b[2J`.
    kernel.send(100, fd, b"\0\0\x0e\x01\x04\0\0\0\x01\x83\x44\x0a/p.S/\x1b[2JX\x86");
    kernel.fork(100, 200, 0);
    kernel.close(200, fd);
    kernel.open(200, &format!("/tmp/{WORD}"));
    kernel.transfer(200, forkscope_proto::calls::SENDMSG, fd, WORD.as_bytes(), -i64::from(libc::ENOTSOCK));
    kernel.send(100, fd, WORD.as_bytes());
    stage
}

#[test]
fn nothing_that_acts_on_a_terminal_is_drawn() {
    let places = [
        "1",
        "1<Enter>",
        "1s",
        "2",
        "2<Enter>",
        "3a",
        "3<Enter>",
        "3G<Enter>",
        "4",
        "4g",
        "1?",
        "4\\\"\u{1b}[2J\u{202e}",
        "1/\u{1b}\u{202e}<Enter>",
    ];
    for keys in places {
        for (columns, rows) in [(80, 24), (200, 60), (60, 15)] {
            for ascii in ["", "A"] {
                let stage = scene();
                stage.screen().resize(columns, rows);
                stage.press(ascii);
                stage.press(keys);
                let page = stage.page();
                let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
                draw(&page, stage.screen().style(), &mut buffer);
                for cell in buffer.content() {
                    let symbol = cell.symbol();
                    assert!(!symbol.chars().any(acts_on_a_terminal), "{keys}: {symbol:?}");
                    assert!(ascii.is_empty() || symbol.is_ascii(), "{keys}: {symbol:?} is no ASCII");
                }
            }
        }
    }
}

#[test]
fn what_is_said_of_them_is_escaped_too() {
    let stage = scene();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    stage.screen().complain(WORD.repeat(20));
    draw(&stage.page(), stage.screen().style(), &mut buffer);
    assert!(buffer.content().iter().all(|cell| !cell.symbol().chars().any(acts_on_a_terminal)));
}

#[test]
fn a_pasted_line_is_one_line() {
    let stage = scene();
    stage.press("/");
    stage.does(Input::Paste("one\ntwo\x1b[2J".to_owned()));
    assert!(stage.message().starts_with("/one two [2J"), "{:?}", stage.message());
}
