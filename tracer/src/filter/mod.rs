//! One language for what to show: on the command line (`--filter`) and on the screens.
//!
//! A filter is terms with spaces between them. A line is shown that all terms hold for;
//! an empty filter shows all.
//!
//! | term | holds for |
//! | --- | --- |
//! | `word`, `"some words"` | lines with this text, whatever the case |
//! | `pid:4242` | the process, also where a finding or a fork names it beside another |
//! | `comm:python` | processes with this in their names |
//! | `call:sendmsg,recvmsg` | any of these system calls |
//! | `errno:ENOTSOCK` | calls that failed so; `errno:any`: calls that failed |
//! | `fd:6` | the descriptor, also where a call names it second |
//! | `conn:3` | the connection, by its id in the report; `conn:any`: what is on a connection |
//! | `proto:http2` | connections that speak it; `proto:http` is HTTP/1 and HTTP/2, `proto:tls` whatever is inside |
//! | `rule:enotsock` | findings of the rule |
//! | `severity:warning` | findings at least this bad |
//!
//! Of several values with commas between them any suffices. Numbers may be ranges: `3..9` with both ends,
//! `3..`, `..9`, `>3`, `>=3`, `<9`, `<=9`. `any` stands for each value, but not of `comm`. `-term` and
//! `!term` hold where the term does not. What has no such column, as an event has no rule, is not what a term
//! on it asks for: `rule:any` is findings only, `-rule:any` all else. In quotes, `\"` is a quote and `\\` a
//! backslash. The report's own names of columns work too: `syscall`, `connection`, `protocol`.

mod column;
mod condition;
mod error;
mod near;
mod numbers;
mod parse;
mod subject;
#[cfg(test)]
mod tests;
mod text;

pub use column::Column;
pub use error::FilterError;
pub use near::nearest;
pub use subject::{Few, Subject};

use condition::Condition;
use std::fmt;

/// What to show. Shown as text, it reads as the same filter again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// All must hold.
    terms: Vec<Term>,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    condition: Condition,
}

impl Filter {
    /// Reads a filter. An empty text is the filter that everything passes.
    ///
    /// # Errors
    /// Where a term says nothing, or something that cannot be: which one, and what was expected. The error
    /// quotes the text, unescaped.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(Self { terms: parse::terms(text)? })
    }

    /// Whether this is to be shown. Allocates nothing.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.terms.iter().all(|term| term.condition.holds(subject) != term.negated)
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a term looks in [`Subject::text`]: else there is no need to write it before it is to be shown.
    #[must_use]
    pub fn looks_in_text(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.condition, Condition::Text(_)))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, term) in self.terms.iter().enumerate() {
            let space = if place > 0 { " " } else { "" };
            let sign = if term.negated { "-" } else { "" };
            write!(f, "{space}{sign}{}", term.condition)?;
        }
        Ok(())
    }
}
