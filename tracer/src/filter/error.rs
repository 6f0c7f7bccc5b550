//! Why a text is no filter.

use super::{Column, near};
use std::fmt;

/// Why a text is no filter: one sentence with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// What stands before the colon is no column.
    #[error("there is no column {name}{}; the columns are {}; text with a colon goes in quotes", Meant(*.meant), columns())]
    NoColumn {
        /// What stands there.
        name: String,
        /// The column that was probably meant.
        meant: Option<&'static str>,
    },
    /// No value, or an empty one.
    #[error("{}: has no value; write for example {}", .0.name(), .0.example())]
    NoValue(Column),
    /// A value that the column cannot have.
    #[error("{value} is no {what}{}; {cure}", Meant(*.meant))]
    BadValue {
        /// The value.
        value: String,
        /// What it should be.
        what: &'static str,
        /// The value that was probably meant.
        meant: Option<&'static str>,
        /// What can be written.
        cure: String,
    },
    /// A sign with nothing to negate.
    #[error("{0} stands before no term; write {0}word, or put text that begins with it in quotes")]
    Sign(char),
    /// Quotes with nothing in them.
    #[error("there is nothing in the quotes; write the text to look for between them")]
    NoText,
    /// A quote that does not end.
    #[error("the quote before {0} does not end; write another \" after the text, and \\\" for one in it")]
    OpenQuote(String),
    /// Something right behind a quote.
    #[error(
        "{0} stands right behind a quote; put a space between them, or write \\\" for a quote in the text"
    )]
    BehindQuote(String),
}

impl FilterError {
    pub(super) fn no_column(name: &str) -> Self {
        let meant = near::nearest(name, Column::ALL.iter().map(|column| column.name()));
        Self::NoColumn { name: name.to_owned(), meant }
    }
}

/// ` (did you mean X?)`, where something is near.
struct Meant(Option<&'static str>);

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, " (did you mean {name}?)"))
    }
}

fn columns() -> String {
    Column::ALL.map(Column::name).join(", ")
}
