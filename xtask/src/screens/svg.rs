//! A terminal's cells as a picture.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;

/// A cell's width and height, and the size of its letters, in pixels.
const WIDTH: f32 = 8.0;
const HEIGHT: u16 = 18;
const LETTERS: u16 = 13;
/// How far below a cell's top letters stand.
const BASE: u16 = 13;
const BACKGROUND: &str = "#1b1d21";
const FOREGROUND: &str = "#d4d6d9";

/// The picture.
pub(super) fn picture(buffer: &Buffer) -> String {
    let (width, height) = (f32::from(buffer.area.width) * WIDTH, buffer.area.height * HEIGHT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" \
         font-size=\"{LETTERS}\">\n<rect width=\"100%\" height=\"100%\" fill=\"{BACKGROUND}\"/>\n"
    );
    for (y, cells) in (0_u16..).zip(buffer.content().chunks(usize::from(buffer.area.width))) {
        let mut x = 0;
        for run in cells.chunk_by(|one, other| style(one) == style(other)) {
            piece(&mut svg, x, y * HEIGHT, run);
            x += run.len();
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn style(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

/// Cells of one style, from a column on.
fn piece(svg: &mut String, column: usize, top: u16, run: &[Cell]) {
    let Some((fg, bg, modifier)) = run.first().map(style) else { return };
    let (x, width) = (column as f32 * WIDTH, run.len() as f32 * WIDTH);
    // Writing to a String cannot fail.
    if let Some(bg) = colour(bg) {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"{bg}\"/>"
        );
    }
    let text: String = run.iter().map(Cell::symbol).collect();
    let indent = text.chars().take_while(|c| *c == ' ').count();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let (x, length) = (x + indent as f32 * WIDTH, text.chars().count() as f32 * WIDTH);
    let fill = colour(fg).unwrap_or_else(|| FOREGROUND.to_owned());
    let bold = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{length}\" fill=\"{fill}\"{bold} xml:space=\"preserve\">{text}</text>",
        top + BASE
    );
}

/// What a terminal with usual colours shows; none: its own.
fn colour(color: Color) -> Option<String> {
    let named = match color {
        Color::Red => "#e06c75",
        Color::Green => "#98c379",
        Color::Yellow => "#e5c07b",
        Color::Blue => "#61afef",
        Color::Magenta => "#c678dd",
        Color::Cyan => "#56b6c2",
        Color::DarkGray => "#8a8f98",
        // The ramp of grey among the 256 colours.
        Color::Indexed(grey @ 232..) => {
            let level = 8 + 10 * (u32::from(grey) - 232);
            return Some(format!("#{level:02x}{level:02x}{level:02x}"));
        }
        _ => return None,
    };
    Some(named.to_owned())
}
