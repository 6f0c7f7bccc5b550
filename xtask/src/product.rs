//! What the product says of itself, written to docs/.

use crate::generated::Options;
use crate::paths;
use anyhow::{Context, Result, bail};
use std::fs;

/// The report's JSON Schema.
const REPORT_SCHEMA: &str = "docs/report.schema.json";
/// The guide's chapter on rules: what `forkscope explain` says of each.
const RULES: &str = "docs/src/rules.md";

/// Runs one generating task.
pub(crate) fn run(task: &str, options: &Options) -> Result<()> {
    match task {
        "schema" => keep(task, REPORT_SCHEMA, &forkscope::report::schema(), options),
        "docs" => keep(task, RULES, &rules(), options),
        _ => bail!("no generating task is called {task}"),
    }
}

/// The chapter on rules, as Markdown.
fn rules() -> String {
    let sections = forkscope::rules::catalogue().map(|rule| {
        let (name, severity) = (rule.id.name(), rule.severity.name());
        format!("## {name}\n\nSeverity: {severity}\n\n{}\n", rule.text.trim())
    });
    format!("# Rules\n\n{}", sections.join("\n"))
}

/// Writes the file, or with `--check` compares it.
fn keep(task: &str, file: &str, current: &str, options: &Options) -> Result<()> {
    let path = paths::at(file);
    let current = format!("{}\n", current.trim_end());
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept == current {
        return Ok(());
    }
    if options.check {
        bail!("{file} is not current: run `cargo xtask {task}` and commit it");
    }
    fs::write(&path, current).with_context(|| format!("cannot write {file}"))?;
    eprintln!("wrote {file}");
    Ok(())
}
