//! What is seen without reading the code: how a file is named, how long it is, and whether it names
//! a folder of one machine.

use super::Violation;
use super::table::{MACHINE_FOLDERS, MOST_LINES, NOTED_LINES, WIDTH};

/// A file that is too long, as line and message.
pub(super) fn size(source: &str) -> Option<(usize, String)> {
    let lines = source.lines().count();
    (lines > MOST_LINES)
        .then(|| (MOST_LINES + 1, format!("{lines} lines: past {MOST_LINES} a file has two jobs")))
}

/// A remark on a file that grows.
pub(super) fn size_note(file: &str, source: &str) -> Option<String> {
    let lines = source.lines().count();
    (NOTED_LINES < lines && lines <= MOST_LINES).then(|| format!("{file} has {lines} lines"))
}

/// Comments wider than code may be, as lines and messages: rustfmt leaves them as they are. What is drawn, or
/// stands in a table, has a width of its own.
pub(super) fn wide_comments(source: &str) -> Vec<(usize, String)> {
    let mut drawn = false;
    let mut found = Vec::new();
    for (at, line) in source.lines().enumerate() {
        let Some(text) = line.trim_start().strip_prefix("//") else {
            drawn = false;
            continue;
        };
        let text = text.trim_start_matches(['/', '!', ' ']);
        drawn ^= text.starts_with("```");
        let width = line.chars().count();
        if width > WIDTH && !drawn && !text.starts_with('|') {
            found.push((at + 1, format!("a comment of {width} columns: code has at most {WIDTH}")));
        }
    }
    found
}

/// Names of one machine's folders. Bytes, because objects and pictures hold names too.
pub(super) fn machine_names(file: &str, bytes: &[u8]) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in MACHINE_FOLDERS {
        let starts =
            bytes.windows(folder.len()).enumerate().filter(|(_, window)| *window == folder.as_bytes());
        for (at, _) in starts {
            if at.checked_sub(1).is_some_and(|before| continues_a_path(bytes[before])) {
                continue;
            }
            let line = 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
            let message = format!("names {folder}, a folder of one machine");
            found.push(Violation { file: file.to_owned(), line, message });
        }
    }
    found
}

/// Whether a slash after this byte is one inside a longer path, as in `target/root/`.
fn continues_a_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.~})>".contains(&byte)
}

/// A name that no file of the project has on purpose: such as `*.o`, which a shell leaves that found
/// nothing to put in its place.
pub(super) fn stray_name(file: &str) -> Option<Violation> {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let message = "a name of other than letters, digits and _-. is an accident".to_owned();
    (!file.bytes().all(is_usual)).then(|| Violation { file: file.to_owned(), line: 1, message })
}
