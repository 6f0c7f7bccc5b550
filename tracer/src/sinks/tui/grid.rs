//! A program's terminal, as it left it.

use super::text::Pen;
use crate::sinks::screen::grid::Grid;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Draws a terminal: each piece at its columns, and nowhere else.
pub(super) fn draw(grid: &Grid, pen: Pen, area: Rect, buffer: &mut Buffer) {
    for (pieces, y) in grid.rows.iter().zip(area.y..area.bottom()) {
        for piece in pieces {
            let room = piece.columns.min(area.width.saturating_sub(piece.column));
            let pen = pen.look(&piece.look);
            pen.fill(area.x + piece.column, y, room, buffer);
            pen.cells(&piece.text, area.x + piece.column, y, room, buffer);
        }
    }
    if let Some((row, column)) = grid.cursor.filter(|_| grid.focused)
        && row < area.height
        && column < area.width
        && let Some(cell) = buffer.cell_mut((area.x + column, area.y + row))
    {
        cell.modifier.toggle(Modifier::REVERSED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::screen::Style;
    use crate::sinks::screen::grid::{Look, Piece};

    #[test]
    fn cells_are_drawn_where_they_are_and_nothing_of_them_acts() {
        let piece = |column, columns, text: &str| {
            let text = text.to_owned();
            Piece { column, columns, text, look: Look::default() }
        };
        let rows = vec![
            vec![
                piece(0, 2, "ab"),
                piece(14, 30, &"x".repeat(30)),
                piece(4, 1, "\x1b[31m"),
                piece(6, 1, "e\u{301}"),
            ],
            vec![piece(2, 2, "接"), piece(4, 1, "c"), piece(200, 5, "beyond")],
        ];
        let grid = Grid { rows, cursor: Some((1, 5)), focused: true, ..Grid::default() };
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        let area = buffer.area;
        draw(&grid, Pen::new(Style::default()), area, &mut buffer);
        let row =
            |y| (0..20).filter_map(|x| buffer.cell((x, y))).map(ratatui::buffer::Cell::symbol).collect();
        let [first, second]: [String; 2] = [row(0), row(1)];
        assert_eq!(first, "ab  \\ e\u{301}       xxxxxx");
        assert!(second.starts_with("  接 c  "), "{second:?}");
        let reversed = |x| buffer.cell((x, 1)).is_some_and(|cell| cell.modifier.contains(Modifier::REVERSED));
        assert!(reversed(5) && !reversed(4));
    }
}
