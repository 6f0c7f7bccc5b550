//! What one term asks for.

use super::Column;
use super::numbers::Range;
use super::subject::Subject;
use super::text::{Quoted, contains};
use crate::report::{RuleId, Severity};
use std::fmt;

/// The value that stands for each.
pub(super) const ANY: &str = "any";

/// What a term asks for, without its sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// This text, in lower case.
    Text(String),
    /// One of these texts in a process' name, in lower case.
    Comm(Vec<String>),
    /// See [`Column::Pid`].
    Pid(Wanted<Range>),
    /// See [`Column::Fd`].
    Fd(Wanted<Range>),
    /// See [`Column::Conn`].
    Conn(Wanted<Range>),
    /// See [`Column::Call`].
    Call(Wanted<&'static str>),
    /// See [`Column::Errno`].
    Errno(Wanted<&'static str>),
    /// See [`Column::Proto`]. The protocols' own names.
    Proto(Wanted<&'static str>),
    /// See [`Column::Rule`].
    Rule(Wanted<RuleId>),
    /// The least severity.
    Severity(Wanted<Severity>),
}

/// Which values a column should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted<T> {
    /// Any at all.
    Any,
    /// One of these.
    OneOf(Vec<T>),
}

impl<T> Wanted<T> {
    /// Whether one of the values is wanted.
    fn among<V: Copy>(&self, mut values: impl Iterator<Item = V>, is: impl Fn(&T, V) -> bool) -> bool {
        match self {
            Self::Any => values.next().is_some(),
            Self::OneOf(wanted) => values.any(|value| wanted.iter().any(|one| is(one, value))),
        }
    }
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds(&self, subject: &Subject<'_>) -> bool {
        let numbers = |range: &Range, number| range.has(number);
        let names = |name: &&'static str, other: &str| *name == other;
        match self {
            Self::Text(text) => contains(subject.text, text),
            Self::Comm(texts) => subject.comms().any(|comm| texts.iter().any(|text| contains(comm, text))),
            Self::Pid(wanted) => wanted.among(subject.pids(), numbers),
            Self::Fd(wanted) => wanted.among(subject.fds.iter(), numbers),
            Self::Conn(wanted) => wanted.among(subject.connections.iter(), numbers),
            Self::Call(wanted) => wanted.among(subject.call.into_iter(), names),
            Self::Errno(wanted) => wanted.among(subject.errno.into_iter(), names),
            Self::Proto(wanted) => wanted.among(subject.protocols(), names),
            Self::Rule(wanted) => wanted.among(subject.rule.into_iter(), |one, rule| *one == rule),
            Self::Severity(wanted) => wanted.among(subject.severity.into_iter(), |least, it| it >= *least),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", Quoted(text)),
            Self::Comm(texts) => list(f, Column::Comm, texts.iter().map(|text| Quoted(text))),
            Self::Pid(ranges) => ranges.write(f, Column::Pid, |range| *range),
            Self::Fd(ranges) => ranges.write(f, Column::Fd, |range| *range),
            Self::Conn(ranges) => ranges.write(f, Column::Conn, |range| *range),
            Self::Call(names) => names.write(f, Column::Call, |name| *name),
            Self::Errno(names) => names.write(f, Column::Errno, |name| *name),
            Self::Proto(names) => names.write(f, Column::Proto, |name| *name),
            Self::Rule(rules) => rules.write(f, Column::Rule, |rule| rule.name()),
            Self::Severity(least) => least.write(f, Column::Severity, |severity| severity.name()),
        }
    }
}

impl<T> Wanted<T> {
    fn write<D: fmt::Display>(
        &self,
        f: &mut fmt::Formatter<'_>,
        column: Column,
        shown: impl Fn(&T) -> D,
    ) -> fmt::Result {
        match self {
            Self::Any => list(f, column, [ANY]),
            Self::OneOf(all) => list(f, column, all.iter().map(shown)),
        }
    }
}

/// `column:one,two`.
fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    column: Column,
    values: impl IntoIterator<Item = T>,
) -> fmt::Result {
    write!(f, "{}", column.name())?;
    for (place, value) in values.into_iter().enumerate() {
        write!(f, "{}{value}", if place > 0 { "," } else { ":" })?;
    }
    Ok(())
}
