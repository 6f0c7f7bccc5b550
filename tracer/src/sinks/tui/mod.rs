//! The live screen on a terminal: pages as colours and places, keys as what they mean.
//!
//! Views are pure functions of a [`Page`]. Everything that they draw goes through `text`, which lets nothing
//! through that acts on a terminal.

mod chrome;
mod grid;
mod input;
mod keys;
mod lanes;
mod table;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod theme;

pub use input::input;
pub use keys::Keys;
pub use terminal::Terminal;

use super::screen::Style;
use super::screen::page::Page;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws a page on a whole terminal.
pub fn draw(page: &Page, style: Style, buffer: &mut Buffer) {
    let area = buffer.area;
    let pen = text::Pen::new(style);
    if page.tabs.is_empty() {
        // There is no room: the sentence that says so.
        table::sentence(&page.table.empty, pen, area, buffer);
        return;
    }
    let (first, below) = split(area, 1);
    chrome::tabs(page, pen, first, buffer);
    let said = page.message.len().max(1) as u16;
    let (body, bottom) = split(below, below.height.saturating_sub(said + 1));
    let (status, keys) = split(bottom, 1);
    chrome::status(page, pen, status, buffer);
    chrome::bottom(page, pen, keys, buffer);
    let (head, mut rows) = split(body, page.head.len() as u16);
    for (line, y) in page.head.iter().zip(head.y..head.bottom()) {
        pen.line(line, head.x, y, head.width, buffer);
    }
    if let Some(shown) = &page.lanes {
        let (above, below) = split(rows, shown.labels.len() as u16 + 2);
        lanes::draw(shown, pen, above, buffer);
        rows = below;
    }
    match &page.grid {
        Some(shown) => grid::draw(shown, pen, rows, buffer),
        None => table::draw(&page.table, pen, rows, buffer),
    }
    if let Some(overlay) = &page.overlay {
        chrome::overlay(overlay, pen, body, buffer);
    }
}

/// The first rows of an area, and the others.
fn split(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}
