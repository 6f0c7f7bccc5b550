//! The values of a column: each checked, so that a name that cannot be is told rather than never found.

use crate::errno;
use crate::event;
use crate::filter::condition::{ANY, Condition, Wanted};
use crate::filter::numbers::Range;
use crate::filter::text::lower;
use crate::filter::{Column, FilterError, near};
use crate::inspect::waiting_call;
use crate::protocol::Protocol;
use crate::report::{RuleId, Severity};
use forkscope_proto::calls;

/// What a term with this column and these values asks for.
pub(super) fn condition(column: Column, values: &[String]) -> Result<Condition, FilterError> {
    Ok(match column {
        Column::Comm => Condition::Comm(values.iter().map(|value| lower(value)).collect()),
        Column::Pid => Condition::Pid(wanted(values, |value| range(column, value))?),
        Column::Fd => Condition::Fd(wanted(values, |value| range(column, value))?),
        Column::Conn => Condition::Conn(wanted(values, |value| range(column, value))?),
        Column::Call => Condition::Call(wanted(values, call)?),
        Column::Errno => Condition::Errno(wanted(values, error)?),
        Column::Proto => Condition::Proto(wanted(values, protocols)?),
        Column::Rule => Condition::Rule(wanted(values, rule)?),
        Column::Severity => Condition::Severity(wanted(values, severity)?),
    })
}

/// What each value stands for; together with `any` the others say nothing.
fn wanted<T, I: IntoIterator<Item = T>>(
    values: &[String],
    read: impl Fn(&str) -> Result<I, FilterError>,
) -> Result<Wanted<T>, FilterError> {
    let mut all = Vec::new();
    let mut any = false;
    for value in values {
        if value.eq_ignore_ascii_case(ANY) {
            any = true;
        } else {
            all.extend(read(value)?);
        }
    }
    Ok(if any { Wanted::Any } else { Wanted::OneOf(all) })
}

fn range(column: Column, value: &str) -> Result<[Range; 1], FilterError> {
    let what = match column {
        Column::Pid => "number of a process",
        Column::Fd => "number of a descriptor",
        _ => "number of a connection",
    };
    let cure = || "write a number, a range as 3..9, >3 or <9, or any".to_owned();
    let bad = || FilterError::BadValue { value: value.to_owned(), what, meant: None, cure: cure() };
    Range::parse(value).map(|range| [range]).ok_or_else(bad)
}

fn call(value: &str) -> Result<[&'static str; 1], FilterError> {
    let names = || {
        let numbered = (0..calls::TABLE as u64).filter_map(waiting_call);
        numbered.chain(event::OTHER_CALLS)
    };
    let cure = || format!("write a call as strace names it, for example {}", Column::Call.example());
    one("system call that forkscope shows", value, names, cure)
}

fn error(value: &str) -> Result<[&'static str; 1], FilterError> {
    let names = || (1..=errno::MOST).filter_map(errno::name);
    let cure = || {
        format!(
            "write a name of errno(3), for example {}, or errno:any for what failed",
            Column::Errno.example()
        )
    };
    one("name of an error", value, names, cure)
}

fn rule(value: &str) -> Result<Option<RuleId>, FilterError> {
    let names = || RuleId::ALL.into_iter().map(RuleId::name);
    let [name] = one("rule", value, names, || format!("the rules are {}", listed(names())))?;
    Ok(RuleId::ALL.into_iter().find(|rule| rule.name() == name))
}

fn severity(value: &str) -> Result<Option<Severity>, FilterError> {
    let names = || Severity::ALL.into_iter().map(Severity::name);
    let [name] = one("severity", value, names, || format!("write one of {}", listed(names())))?;
    Ok(Severity::ALL.into_iter().find(|severity| severity.name() == name))
}

/// The protocols whose names begin so, whatever the case and without slashes.
fn protocols(value: &str) -> Result<Vec<&'static str>, FilterError> {
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = plain(value);
    let found: Vec<_> =
        Protocol::names().filter(|name| !wanted.is_empty() && plain(name).starts_with(&wanted)).collect();
    if found.is_empty() {
        let cure = format!("write one of {}, or any", listed(Protocol::names()));
        let meant = near::nearest(value, Protocol::names());
        let what = "protocol that forkscope reads";
        return Err(FilterError::BadValue { value: value.to_owned(), what, meant, cure });
    }
    Ok(found)
}

/// The name among these that the value is, whatever its case.
fn one<I: Iterator<Item = &'static str>>(
    what: &'static str,
    value: &str,
    names: impl Fn() -> I,
    cure: impl Fn() -> String,
) -> Result<[&'static str; 1], FilterError> {
    names().find(|name| name.eq_ignore_ascii_case(value)).map(|name| [name]).ok_or_else(|| {
        let meant = near::nearest(value, names());
        FilterError::BadValue { value: value.to_owned(), what, meant, cure: cure() }
    })
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
