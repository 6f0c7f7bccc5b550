//! What the compiler does not check: which room of the tracer may use which, sizes, suppressions, names of
//! machines.

mod files;
mod lex;
mod lines;
mod paths;
mod rooms;
mod suppressions;
mod table;
#[cfg(test)]
mod tests;

use anyhow::{Result, bail};

/// One thing to change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    file: String,
    /// From 1.
    line: usize,
    message: String,
}

/// `cargo xtask tidy`.
pub(crate) fn run() -> Result<()> {
    let mut violations = Vec::new();
    for (file, bytes) in files::tracked()? {
        violations.extend(lines::stray_name(&file));
        violations.extend(lines::machine_names(&file, &bytes));
        if let (true, Ok(source)) = (file.ends_with(".rs"), str::from_utf8(&bytes)) {
            violations.extend(check(&file, source));
            if let Some(note) = lines::size_note(&file, source) {
                eprintln!("note: {note}");
            }
        }
    }
    violations.sort();
    for Violation { file, line, message } in &violations {
        eprintln!("{file}:{line}: {message}");
    }
    match violations.len() {
        0 => Ok(()),
        count => bail!("tidy found {count} to change"),
    }
}

/// All that is wrong in one Rust file. `file` is its path from the workspace's root.
fn check(file: &str, source: &str) -> Vec<Violation> {
    let tokens = lex::tokens(source);
    let mut found = rooms::check(file, &tokens);
    found.extend(suppressions::check(&tokens));
    found.extend(lines::size(source));
    found.extend(lines::wide_comments(source));
    found.sort();
    found.into_iter().map(|(line, message)| Violation { file: file.to_owned(), line, message }).collect()
}
