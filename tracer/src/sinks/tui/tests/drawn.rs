//! A screen as text, as a person would see it.

use crate::sinks::screen::tests::stage::Stage;
use crate::sinks::tui::draw;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use std::fmt::Write;

/// Draws what is seen now, on a terminal of this size.
pub(super) fn draw_on(stage: &Stage, (columns, rows): (u16, u16)) -> Buffer {
    stage.screen().resize(columns, rows);
    let page = stage.page();
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    draw(&page, stage.screen().style(), &mut buffer);
    buffer
}

/// The rows of a drawn screen, without the spaces at their ends.
pub(super) fn rows(buffer: &Buffer) -> Vec<String> {
    let rows = buffer.content().chunks(usize::from(buffer.area.width));
    rows.map(|row| row.iter().map(Cell::symbol).collect::<String>().trim_end().to_owned()).collect()
}

/// The same as one text; of many empty rows it says how many there are.
pub(super) fn text(buffer: &Buffer) -> String {
    let (mut text, mut empty) = (String::new(), 0);
    for row in rows(buffer) {
        if row.is_empty() {
            empty += 1;
            continue;
        }
        skip(&mut text, &mut empty);
        let _ = writeln!(text, "{row}");
    }
    skip(&mut text, &mut empty);
    text
}

fn skip(text: &mut String, empty: &mut usize) {
    match std::mem::take(empty) {
        few @ 0..4 => text.push_str(&"\n".repeat(few)),
        many => {
            let _ = writeln!(text, "[{many} empty rows]");
        }
    }
}

/// The rows with their styles: under each row a letter for the style of each column,
/// and what the letters are.
pub(super) fn styled(buffer: &Buffer) -> String {
    let mut text = String::new();
    let mut styles = Vec::new();
    for cells in buffer.content().chunks(usize::from(buffer.area.width)) {
        let row: String = cells.iter().map(Cell::symbol).collect();
        let letters = cells.iter().map(|cell| {
            let style = (cell.fg, cell.bg, cell.modifier);
            let at = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            char::from(b'a' + at as u8)
        });
        let letters: String = letters.collect();
        let _ = writeln!(text, "{}\n{}", row.trim_end(), letters.trim_end_matches('a'));
    }
    for (at, (fg, bg, modifier)) in styles.iter().enumerate() {
        let _ = writeln!(text, "{}: {fg} on {bg} {modifier:?}", char::from(b'a' + at as u8));
    }
    text
}
