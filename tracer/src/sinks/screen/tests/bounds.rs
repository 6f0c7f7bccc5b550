//! What is kept is bounded, and what was dropped is said.

use super::scenes::{P, founding};
use super::stage::Stage;
use std::time::Duration;

/// As many events as are kept, of one call.
fn flood(stage: &mut Stage) {
    let fd = stage.kernel.connect(100, 9000);
    for _ in 0..(1 << 17) {
        stage.kernel.receive(100, fd, b"x");
    }
}

#[test]
fn an_event_that_was_dropped_is_said_to_be() {
    let mut stage = founding();
    flood(&mut stage);
    stage.press("3<Enter>/forked 4217<Enter>v");
    assert_eq!(stage.message(), "that event is so old that it was dropped");
    assert_eq!(stage.place(), "findings > finding 2");
    // The step's moment on its connection is known all the same.
    stage.press("<Enter>");
    assert!(stage.row().contains("inherited at a fork"), "{}", stage.row());
}

#[test]
fn what_one_process_goes_on_doing_is_one_mark() {
    let mut stage = Stage::new();
    let fd = stage.kernel.connect(100, 9000);
    for _ in 0..5000 {
        stage.kernel.send(100, fd, b"0123456789");
    }
    stage.press("2<Enter>");
    let rows = stage.rows();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("x5000") && rows[0].contains("50.0k"), "{rows:?}");
}

#[test]
fn the_newest_marks_of_a_connection_are_kept_and_the_others_counted() {
    let mut stage = Stage::new();
    stage.kernel.fork(100, P, 0);
    let fd = stage.kernel.connect(P, 9000);
    for round in 0..3000_u32 {
        stage.kernel.send(P, fd, b"abc");
        stage.kernel.receive(P, fd, &vec![b'x'; 1 + round as usize % 7]);
    }
    stage.press("2<Enter>");
    let page = stage.page();
    assert_eq!(page.table.total, 1024);
    let head = format!("{:?}", page.head);
    assert!(head.contains("older marks were dropped") && head.contains("5.0k"), "{head}");
    stage.press("g");
    let first = stage.row();
    // The cursor stays on its mark while others come, until it is dropped.
    stage.kernel.send(P, fd, b"abc");
    stage.press("j");
    assert_ne!(stage.row(), first);
}

#[test]
fn connections_are_looked_through_again_only_when_something_happened() {
    let mut stage = founding();
    for pane in ["2", "1<Enter>"] {
        stage.press(pane);
        stage.page();
        let found = stage.screen().filled;
        stage.wait(Duration::from_secs(2));
        stage.page();
        assert_eq!(stage.screen().filled, found, "{pane}");
        stage.kernel.connect(100, 9000);
        let rows = stage.page().table.total;
        assert_ne!(stage.screen().filled, found, "{pane}");
        stage.press("<Esc>");
        assert!(rows > 0, "{pane}");
    }
}
