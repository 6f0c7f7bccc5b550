//! What one screen shows, as plain data: the views only give it colours and places.
//!
//! Text may be raw, as traced programs made it: the views escape what they draw.

use super::grid::Grid;

/// What a piece of text is, so that a theme can give it a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Text.
    #[default]
    Plain,
    /// Of less interest.
    Dim,
    /// Titles and labels.
    Strong,
    /// An error, a failed call, a loss.
    Error,
    /// A warning.
    Warning,
    /// Information.
    Info,
    /// Something good: a cure, a recording that goes on.
    Good,
    /// One of several processes on a connection, told apart by colour.
    Process(u8),
}

/// A piece of text of one role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The text.
    pub text: String,
    /// What it is.
    pub role: Role,
}

/// A line: its pieces from left to right.
pub type Line = Vec<Span>;

/// A piece of text.
pub fn span(text: impl Into<String>, role: Role) -> Span {
    Span { text: text.into(), role }
}

/// A line of one piece.
pub fn plain(text: impl Into<String>) -> Line {
    vec![span(text, Role::Plain)]
}

/// The columns that pieces take.
pub fn width<'a>(pieces: impl IntoIterator<Item = &'a Span>) -> usize {
    pieces.into_iter().map(|piece| piece.text.chars().count()).sum()
}

/// As many of these pieces as have room in so many columns: those with the highest number go first, 0 stays.
pub fn fit(mut pieces: Vec<(u8, Span)>, columns: usize) -> Line {
    while width(pieces.iter().map(|(_, piece)| piece)) > columns {
        let most = pieces.iter().map(|(spare, _)| *spare).max().unwrap_or(0);
        let Some(at) = pieces.iter().rposition(|(spare, _)| *spare == most && most > 0) else { break };
        pieces.remove(at);
    }
    pieces.into_iter().map(|(_, piece)| piece).collect()
}

/// On which side of its column text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// Its side.
    pub align: Align,
    /// The most columns of the terminal that it takes; 0: what is left.
    pub most: u16,
    /// On a narrow terminal the highest go first; 0 stays.
    pub spare: u8,
}

/// A column of words.
pub const fn words(title: &'static str, most: u16, spare: u8) -> Column {
    Column { title, align: Align::Left, most, spare }
}

/// A column of numbers.
pub const fn numbers(title: &'static str, most: u16, spare: u8) -> Column {
    Column { title, align: Align::Right, most, spare }
}

/// Rows under titles, those that fit on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows that are seen: a line for each column.
    pub rows: Vec<Vec<Line>>,
    /// Which of them is selected.
    pub cursor: Option<usize>,
    /// The place of the first row that is seen among all.
    pub top: usize,
    /// All rows.
    pub total: usize,
    /// The title of the column by which it is sorted.
    pub sorted: Option<&'static str>,
    /// What to say where there is no row.
    pub empty: String,
}

/// Who did what on one connection, side by side: a lane for each process, a column for
/// each mark, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    /// Columns for what stands before each lane.
    pub label: u16,
    /// What stands before each lane.
    pub labels: Vec<Line>,
    /// Each lane's marks: one character a column.
    pub lanes: Vec<Vec<Span>>,
    /// The selected column.
    pub cursor: Option<usize>,
    /// Moments of the first and the last column.
    pub ends: [String; 2],
    /// What the marks mean.
    pub legend: Line,
}

/// A page over the others: the help, or a sentence that wants to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// Its title.
    pub title: String,
    /// Its lines, those that fit.
    pub lines: Vec<Line>,
}

/// A whole screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The panes by name, and whether each is the one that is shown.
    pub tabs: Vec<(String, bool)>,
    /// Where the user is, beside the panes.
    pub place: Line,
    /// Lines above the rows.
    pub head: Vec<Line>,
    /// A connection's lanes.
    pub lanes: Option<Lanes>,
    /// The rows.
    pub table: Table,
    /// A program's terminal, in place of rows.
    pub grid: Option<Grid>,
    /// The line that says how the session goes.
    pub status: Line,
    /// What is typed, or what just happened, in place of the keys.
    pub message: Vec<Line>,
    /// Keys that do something here.
    pub hints: Vec<(&'static str, &'static str)>,
    /// Over all that.
    pub overlay: Option<Overlay>,
}
