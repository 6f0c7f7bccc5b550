//! A connection's lanes: who did what, side by side.

use super::text::Pen;
use crate::sinks::screen::page::{Lanes, Role};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the lanes, the moments of their ends, and what their marks mean.
pub(super) fn draw(lanes: &Lanes, pen: Pen, area: Rect, buffer: &mut Buffer) {
    let label = lanes.label.min(area.width / 2);
    let from = area.x + label + 1;
    let width = area.right().saturating_sub(from);
    pen.line(&lanes.legend, area.x, area.y, area.width, buffer);
    for (at, (name, y)) in lanes.labels.iter().zip(area.y + 1..area.bottom()).enumerate() {
        pen.line(name, area.x, y, label, buffer);
        let marks = lanes.lanes.get(at).into_iter().flatten();
        for (column, (mark, x)) in marks.zip(from..from + width).enumerate() {
            let pen = if lanes.cursor == Some(column) { pen.selected() } else { pen };
            pen.span(mark, x, y, 1, buffer);
        }
    }
    let y = area.bottom().saturating_sub(1);
    let [first, last] = &lanes.ends;
    pen.text(first, Role::Dim, from, y, width, buffer);
    let room = last.chars().count() as u16;
    let x = (from + lanes.lanes.iter().map(Vec::len).max().unwrap_or(0) as u16).saturating_sub(room);
    // Where there are few marks, behind the first moment.
    let x = x.max(from + first.chars().count() as u16 + 1);
    if last != first && x + room <= area.right() {
        pen.text(last, Role::Dim, x, y, room, buffer);
    }
}
