//! From the emulator's cells to pieces of text.

use crate::sinks::escape::acts_on_a_terminal;
use crate::sinks::screen::grid::{Colour, Grid, Look, Piece};
use vt100::{Cell, Color, Screen};

/// What is seen of a terminal.
pub(super) fn grid(screen: &Screen) -> Grid {
    let (rows, columns) = screen.size();
    let rows = (0..rows.get()).map(|row| pieces(screen, row, columns.get())).collect();
    let back = screen.scrollback();
    let (row, column) = screen.cursor_position();
    // At the end of a row the cursor stands behind its last column.
    let cursor = (back == 0 && !screen.hide_cursor()).then_some((row, column.min(columns.get() - 1)));
    Grid { rows, cursor, back, focused: false }
}

/// A row. Plain cells of one look are one piece; any other character is a piece of its own, so that where
/// terminals differ about its width, nothing else moves.
fn pieces(screen: &Screen, row: u16, columns: u16) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut joins = false;
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column) else { break };
        if cell.is_wide_continuation() {
            continue;
        }
        let look = look(cell);
        let text = text(cell);
        if text == " " && look == Look::default() {
            joins = false;
            continue;
        }
        let is_plain = text.is_ascii();
        match pieces.last_mut() {
            Some(last) if joins && is_plain && last.look == look => {
                last.text.push_str(&text);
                last.columns += 1;
            }
            _ => {
                let wanted = if cell.is_wide() { 2 } else { 1 };
                pieces.push(Piece { column, columns: wanted.min(columns - column), text, look });
            }
        }
        joins = is_plain;
    }
    pieces
}

/// The text of a cell. What shows nothing and acts on a terminal has no place in it.
fn text(cell: &Cell) -> String {
    let text: String = cell.contents().chars().filter(|c| !acts_on_a_terminal(*c)).collect();
    if text.is_empty() { " ".to_owned() } else { text }
}

fn look(cell: &Cell) -> Look {
    Look {
        text: colour(cell.fgcolor()),
        behind: colour(cell.bgcolor()),
        bold: cell.bold(),
        dim: cell.dim(),
        italic: cell.italic(),
        underline: cell.underline(),
        inverse: cell.inverse(),
    }
}

fn colour(colour: Color) -> Colour {
    match colour {
        Color::Default => Colour::Default,
        Color::Idx(index) => Colour::Indexed(index),
        Color::Rgb(red, green, blue) => Colour::Rgb(red, green, blue),
    }
}
