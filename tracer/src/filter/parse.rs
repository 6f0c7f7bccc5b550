//! From text to terms.

mod values;

use super::condition::Condition;
use super::text::lower;
use super::{Column, FilterError, Term};

/// The terms of a filter.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, FilterError> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let unsigned = rest.strip_prefix(is_sign).unwrap_or(rest);
        let sign = rest.chars().next().filter(|_| unsigned.len() < rest.len());
        // Two signs are rather an option that was taken for the filter, as in `--filter --report FILE`.
        if let Some(sign) = sign
            && (unsigned.is_empty()
                || unsigned.starts_with(is_sign)
                || unsigned.starts_with(char::is_whitespace))
        {
            return Err(FilterError::Sign(sign));
        }
        let (condition, after) = match column(unsigned) {
            Some((name, values)) => {
                let column = Column::named(name).ok_or_else(|| FilterError::no_column(name))?;
                let (values, after) = list(column, values)?;
                (values::condition(column, &values)?, after)
            }
            None => {
                let (text, after) = word(unsigned, char::is_whitespace)?;
                if text.is_empty() {
                    return Err(FilterError::NoText);
                }
                (Condition::Text(lower(&text)), after)
            }
        };
        terms.push(Term { negated: sign.is_some(), condition });
        rest = after.trim_start();
    }
    Ok(terms)
}

fn is_sign(c: char) -> bool {
    matches!(c, '-' | '!')
}

/// The name before the colon and what follows that, where this begins as a column does: with letters. So text
/// like `127.0.0.1:80` needs no quotes.
fn column(text: &str) -> Option<(&str, &str)> {
    let (name, values) = text.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_name.then_some((name, values))
}

/// The values of a column, and what follows them.
fn list(column: Column, text: &str) -> Result<(Vec<String>, &str), FilterError> {
    let mut values = Vec::new();
    let mut rest = text;
    loop {
        let (value, after) = word(rest, |c| c == ',' || c.is_whitespace())?;
        if value.is_empty() {
            return Err(FilterError::NoValue(column));
        }
        values.push(value);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok((values, after)),
        }
    }
}

/// A word up to where it ends, or what stands in quotes; and what follows.
fn word(text: &str, ends: impl Fn(char) -> bool) -> Result<(String, &str), FilterError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(&ends).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut word = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (letter, letters.peek()) {
            ('"', next) => {
                let after = &quoted[at + 1..];
                return match next {
                    Some(&(_, next)) if !ends(next) => {
                        let behind = after.split(char::is_whitespace).next().unwrap_or_default();
                        Err(FilterError::BehindQuote(behind.to_owned()))
                    }
                    _ => Ok((word, after)),
                };
            }
            ('\\', Some(&(_, escaped @ ('"' | '\\')))) => {
                word.push(escaped);
                letters.next();
            }
            _ => word.push(letter),
        }
    }
    Err(FilterError::OpenQuote(quoted.to_owned()))
}
