//! What is around the rows: the panes' names, the status, the keys, and a page over all.

use super::text::Pen;
use crate::sinks::screen::page::{Overlay, Page, Role};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The panes' names, and where the user is beside them.
pub(super) fn tabs(page: &Page, pen: Pen, area: Rect, buffer: &mut Buffer) {
    let bar = pen.bar();
    bar.fill(area.x, area.y, area.width, buffer);
    let mut x = area.x;
    for (name, is_shown) in &page.tabs {
        let role = if *is_shown { Role::Strong } else { Role::Dim };
        let pen = if *is_shown { pen } else { bar };
        let room = area.right().saturating_sub(x);
        pen.fill(x, area.y, (name.chars().count() as u16 + 2).min(room), buffer);
        x = pen.text(&format!(" {name} "), role, x, area.y, room, buffer);
    }
    bar.line(&page.place, x, area.y, area.right().saturating_sub(x), buffer);
}

/// The line that says how the session goes.
pub(super) fn status(page: &Page, pen: Pen, area: Rect, buffer: &mut Buffer) {
    let pen = pen.bar();
    pen.fill(area.x, area.y, area.width, buffer);
    pen.line(&page.status, area.x, area.y, area.width, buffer);
}

/// What is typed or was said, else the keys: as many as have room.
pub(super) fn bottom(page: &Page, pen: Pen, area: Rect, buffer: &mut Buffer) {
    for (line, y) in page.message.iter().zip(area.y..area.bottom()) {
        pen.line(line, area.x, y, area.width, buffer);
    }
    if !page.message.is_empty() {
        return;
    }
    let mut x = area.x;
    for (key, word) in &page.hints {
        let needs = (key.chars().count() + word.chars().count() + 3) as u16;
        if x + needs > area.right() {
            break;
        }
        x = pen.text(key, Role::Strong, x, area.y, needs, buffer);
        x = pen.text(&format!(" {word}"), Role::Dim, x, area.y, needs, buffer) + 2;
    }
}

/// A page over the rows.
pub(super) fn overlay(overlay: &Overlay, pen: Pen, area: Rect, buffer: &mut Buffer) {
    for y in area.y..area.bottom() {
        pen.fill(area.x, y, area.width, buffer);
    }
    pen.bar().fill(area.x, area.y, area.width, buffer);
    pen.bar().text(&format!(" {}", overlay.title), Role::Strong, area.x, area.y, area.width, buffer);
    for (line, y) in overlay.lines.iter().zip(area.y + 1..area.bottom()) {
        pen.line(line, area.x, y, area.width, buffer);
    }
}
