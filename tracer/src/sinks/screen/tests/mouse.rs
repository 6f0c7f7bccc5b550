//! The mouse: rows, panes' names, the wheel.

use super::scenes::{busy, founding};
use super::stage::Stage;
use crate::sinks::screen::{Input, Mouse};

#[track_caller]
fn click(stage: &Stage, column: u16, row: u16) {
    stage.page();
    stage.does(Input::Mouse(Mouse::Press(column, row)));
}

#[test]
fn a_name_leads_to_its_pane() {
    let stage = founding();
    // " 1 Processes  2 Connections  3 Findings 1E  4 Events "
    for (column, place) in
        [(16, "connections"), (30, "findings"), (46, "events"), (2, "processes"), (70, "processes")]
    {
        click(&stage, column, 0);
        assert_eq!(stage.place(), place, "{column}");
    }
}

#[test]
fn a_row_is_selected_and_then_opened() {
    let stage = founding();
    click(&stage, 5, 3);
    assert_eq!((stage.place().as_str(), stage.row().contains("4200")), ("processes", true));
    click(&stage, 5, 3);
    assert_eq!(stage.place(), "processes > process");
    // Below the rows and on the titles nothing is.
    let stage = founding();
    for row in [1, 10, 22, 23, 400] {
        click(&stage, 5, row);
        assert_eq!((stage.place().as_str(), stage.row().contains("100")), ("processes", true), "{row}");
    }
}

#[test]
fn rows_below_lanes_are_where_they_are_seen() {
    let stage = founding();
    stage.press("2<Enter>");
    // The name, the line, the legend, two lanes, their ends, the titles: the first mark is in row 7.
    click(&stage, 5, 7);
    assert!(stage.row().contains("SETTINGS"), "{}", stage.row());
    click(&stage, 5, 8);
    assert!(stage.row().contains("sent"), "{}", stage.row());
    assert_eq!(stage.place(), "connections > connection 5");
    click(&stage, 5, 8);
    assert_eq!(stage.place(), "connections > connection 5 > process");
}

#[test]
fn the_wheel_moves() {
    let stage = busy();
    stage.page();
    stage.does(Input::Mouse(Mouse::WheelDown));
    assert!(stage.row().contains("5000"), "{}", stage.row());
    stage.does(Input::Mouse(Mouse::WheelUp));
    assert!(stage.row().starts_with("100"), "{}", stage.row());
    stage.press("?");
    stage.does(Input::Mouse(Mouse::WheelDown));
    assert!(stage.page().overlay.is_some(), "the help scrolls");
    click(&stage, 5, 3);
    assert!(stage.page().overlay.is_none());
    assert!(stage.row().starts_with("100"), "what is below the help was not clicked: {}", stage.row());
}
