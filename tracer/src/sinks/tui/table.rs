//! A table: titles, rows, a bar that says where among all rows these are.

use super::text::{Pen, width};
use crate::sinks::log::wrap::wrap;
use crate::sinks::screen::page::{Align, Column, Line, Role, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns between two columns.
const GAP: u16 = 1;
/// The fewest columns that the one which takes the rest should have.
const LEAST_REST: u16 = 16;

/// Draws a table.
pub(super) fn draw(table: &Table, pen: Pen, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    if table.rows.is_empty() {
        let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        sentence(&table.empty, pen, inside, buffer);
        return;
    }
    let has_more = table.total > table.rows.len();
    let columns = fit(table, area.width - u16::from(has_more));
    titles(table, &columns, pen, area, buffer);
    for (at, (row, y)) in table.rows.iter().zip(area.y + 1..area.bottom()).enumerate() {
        let pen = if table.cursor == Some(at) { pen.selected() } else { pen };
        pen.fill(area.x, y, area.width, buffer);
        for place in &columns {
            let none = Line::new();
            put(row.get(place.column).unwrap_or(&none), place, pen, area.x, y, buffer);
        }
    }
    if has_more {
        bar(table, pen, area, buffer);
    }
}

/// Where a column stands.
struct Place {
    column: usize,
    align: Align,
    x: u16,
    width: u16,
}

/// The columns that have room, the most needed ones.
fn fit(table: &Table, room: u16) -> Vec<Place> {
    let mut shown: Vec<usize> = (0..table.columns.len()).collect();
    let needs = |column: &Column, at: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(at)).map(width).max().unwrap_or(0);
        cells.max(column.title.len() as u16).min(column.most)
    };
    let fixed = |shown: &[usize]| -> u16 {
        let widths = shown.iter().map(|&at| match table.columns[at].most {
            0 => LEAST_REST,
            _ => needs(&table.columns[at], at),
        });
        widths.sum::<u16>() + GAP * (shown.len() as u16).saturating_sub(1)
    };
    while fixed(&shown) > room {
        let spare = shown.iter().copied().filter(|&at| table.columns[at].spare > 0);
        let Some(least) = spare.max_by_key(|&at| table.columns[at].spare) else { break };
        shown.retain(|&at| at != least);
    }
    let rest = room.saturating_sub(fixed(&shown)) + LEAST_REST;
    let mut x = 0;
    let mut places = Vec::new();
    for at in shown {
        let column = &table.columns[at];
        let width = if column.most == 0 { rest } else { needs(column, at) };
        places.push(Place { column: at, align: column.align, x, width: width.min(room.saturating_sub(x)) });
        x = x.saturating_add(width + GAP);
    }
    places
}

fn titles(table: &Table, columns: &[Place], pen: Pen, area: Rect, buffer: &mut Buffer) {
    let pen = pen.bar();
    pen.fill(area.x, area.y, area.width, buffer);
    for place in columns {
        let title = table.columns[place.column].title;
        let role = if table.sorted == Some(title) { Role::Strong } else { Role::Dim };
        let line = vec![crate::sinks::screen::page::span(title, role)];
        put(&line, place, pen, area.x, area.y, buffer);
    }
}

/// Writes a cell.
fn put(line: &Line, place: &Place, pen: Pen, from: u16, y: u16, buffer: &mut Buffer) {
    let indent = match place.align {
        Align::Left => 0,
        Align::Right => place.width.saturating_sub(width(line)),
    };
    pen.line(line, from + place.x + indent, y, place.width - indent, buffer);
}

/// Where among all rows the seen ones are.
fn bar(table: &Table, pen: Pen, area: Rect, buffer: &mut Buffer) {
    let height = u64::from(area.height - 1).max(1);
    let (total, top, seen) = (table.total as u64, table.top as u64, table.rows.len() as u64);
    let length = (seen * height / total).max(1);
    let from = (top * (height - length)).checked_div(total - seen).unwrap_or(0);
    for row in 0..height {
        let is_in = (from..from + length).contains(&row);
        let (sign, role) = match is_in {
            true => (pen.sign("█", "#"), Role::Dim),
            false => (pen.sign("│", "|"), Role::Dim),
        };
        pen.text(sign, role, area.right() - 1, area.y + 1 + row as u16, 1, buffer);
    }
}

/// A sentence in place of rows.
pub(super) fn sentence(text: &str, pen: Pen, area: Rect, buffer: &mut Buffer) {
    let lines = wrap(text, usize::from(area.width.max(1)));
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        pen.text(line, Role::Plain, area.x, y, area.width, buffer);
    }
}
