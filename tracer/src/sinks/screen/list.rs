//! A list that a cursor moves through: which rows there are, which one is selected, which are seen.

use super::page::{Line, Table};
use std::ops::Range;

/// Rows by identity. The selected one stays selected when others come and go.
#[derive(Clone, Debug)]
pub(super) struct List<Id> {
    rows: Vec<Id>,
    cursor: usize,
    top: usize,
}

impl<Id> Default for List<Id> {
    fn default() -> Self {
        Self { rows: Vec::new(), cursor: 0, top: 0 }
    }
}

/// A way to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// By so many rows.
    By(isize),
    /// By so many pages.
    Page(isize),
    /// By so many half pages.
    Half(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl<Id: Copy + PartialEq> List<Id> {
    /// Takes over new rows. Where the selected one is gone, the one that has its place is selected.
    pub(super) fn fill(&mut self, rows: Vec<Id>) {
        let selected = self.selected();
        self.rows = rows;
        if let Some(selected) = selected
            && self.rows.get(self.cursor) != Some(&selected)
        {
            self.select(selected);
        }
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    /// The selected row.
    pub(super) fn selected(&self) -> Option<Id> {
        self.rows.get(self.cursor).copied()
    }

    /// Selects a row by what it is; tells whether it is there.
    pub(super) fn select(&mut self, id: Id) -> bool {
        let at = self.rows.iter().position(|row| *row == id);
        self.cursor = at.unwrap_or(self.cursor);
        at.is_some()
    }

    /// Selects the row at a place of the window.
    pub(super) fn select_seen(&mut self, row: usize) -> bool {
        let at = self.top + row;
        let is_there = at < self.rows.len();
        if is_there {
            self.cursor = at;
        }
        is_there
    }

    /// Moves the cursor; `height` rows are seen.
    pub(super) fn step(&mut self, step: Step, height: usize) {
        let last = self.rows.len().saturating_sub(1);
        let height = height.max(1) as isize;
        let by = match step {
            Step::By(rows) => rows,
            Step::Page(pages) => pages.saturating_mul(height),
            Step::Half(halves) => halves.saturating_mul((height / 2).max(1)),
            Step::First => isize::MIN,
            Step::Last => isize::MAX,
        };
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }

    /// Which rows are seen in a window of this height: it follows the cursor.
    pub(super) fn window(&mut self, height: usize) -> Range<usize> {
        let height = height.max(1);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height));
        self.top = self.top.min(self.rows.len().saturating_sub(height));
        self.top..self.rows.len().min(self.top + height)
    }

    /// A table of the rows of a window: where it is among all, and where the cursor is in it.
    pub(super) fn framed(&self, window: &Range<usize>, rows: Vec<Vec<Line>>) -> Table {
        let cursor = self.selected().map(|_| self.cursor - window.start);
        Table { rows, cursor, top: window.start, total: self.rows.len(), ..Table::default() }
    }

    /// All rows.
    pub(super) fn rows(&self) -> &[Id] {
        &self.rows
    }

    /// The place of the cursor.
    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    /// The next row after the cursor, or before it, for which something holds; going round.
    pub(super) fn find(&mut self, forward: bool, mut holds: impl FnMut(Id) -> bool) -> bool {
        let count = self.rows.len();
        let found = (1..=count).map(|by| {
            let by = if forward { by } else { count - by % count.max(1) };
            (self.cursor + by) % count
        });
        let found = found.into_iter().find(|&at| holds(self.rows[at]));
        self.cursor = found.unwrap_or(self.cursor);
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(rows: &[u32]) -> List<u32> {
        let mut list = List::default();
        list.fill(rows.to_vec());
        list
    }

    #[test]
    fn the_cursor_stays_in_the_list() {
        let mut list = list(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        for (step, expected) in [
            (Step::By(-1), 1),
            (Step::By(2), 3),
            (Step::Page(1), 7),
            (Step::Half(-1), 5),
            (Step::Last, 9),
            (Step::By(1), 9),
            (Step::Page(-9), 1),
            (Step::First, 1),
        ] {
            list.step(step, 4);
            assert_eq!(list.selected(), Some(expected), "{step:?}");
        }
    }

    #[test]
    fn what_is_selected_stays_so() {
        let mut list = list(&[1, 2, 3]);
        list.step(Step::By(1), 10);
        list.fill(vec![9, 8, 2, 7]);
        assert_eq!(list.selected(), Some(2));
        list.fill(vec![9, 8]);
        assert_eq!(list.selected(), Some(8));
        list.fill(Vec::new());
        assert_eq!((list.selected(), list.window(5)), (None, 0..0));
    }

    #[test]
    fn the_window_follows_the_cursor() {
        let mut list = list(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(list.window(4), 0..4);
        list.step(Step::By(5), 4);
        assert_eq!(list.window(4), 2..6);
        list.step(Step::By(-2), 4);
        assert_eq!(list.window(4), 2..6);
        list.step(Step::Last, 4);
        assert_eq!(list.window(4), 6..10);
        assert_eq!(list.window(20), 0..10);
        list.window(4);
        assert!(list.select_seen(1) && !list.select_seen(30));
        assert_eq!(list.selected(), Some(7));
    }

    #[test]
    fn searching_goes_round() {
        let mut list = list(&[5, 6, 7, 5]);
        for (forward, expected) in [(true, 3), (true, 0), (false, 3), (false, 0)] {
            assert!(list.find(forward, |row| row == 5));
            assert_eq!(list.cursor(), expected);
        }
        assert!(!list.find(true, |row| row == 1));
        assert!(!self::list(&[]).find(true, |_| true));
    }
}
