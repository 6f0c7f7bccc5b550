//! The report as JSON, and its file.

use super::escape::acts_on_a_terminal;
use super::whole::Output;
pub use super::whole::{STDOUT, WriteError};
use crate::report::Report;
use std::path::Path;

/// What is written here.
const REPORT: Output = Output { what: "report", or_stdout: true };

/// Finds out, before anything is traced, whether a report could be written there. Leaves nothing behind.
///
/// # Errors
/// What [`write()`] would have failed with.
pub fn check_writable(path: &Path) -> Result<(), WriteError> {
    REPORT.check(path)
}

/// Writes the report: see [`Output::write`]. `-` is standard output.
///
/// # Errors
/// What the system refused. An older file of that name is then still there.
pub fn write(report: &Report, path: &Path) -> Result<(), WriteError> {
    REPORT.write(&text(report)?, path)
}

/// The report as indented JSON, ending in a newline. Text in it is unchanged to a JSON reader, but what would
/// act on a terminal is written as `\uXXXX`.
///
/// # Errors
/// None that a report can cause.
pub fn text(report: &Report) -> Result<String, WriteError> {
    let json = serde_json::to_string_pretty(report)?;
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        // serde_json has escaped the controls below space in strings; its own line breaks are not in strings.
        if c != '\n' && acts_on_a_terminal(c) {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    Ok(out)
}

#[cfg(test)]
mod tests;
