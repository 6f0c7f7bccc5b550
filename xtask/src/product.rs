//! What the product says of itself, written to docs/.

use crate::generated::{Options, keep};
use anyhow::{Result, bail};

/// The report's JSON Schema.
const REPORT_SCHEMA: &str = "docs/report.schema.json";
/// The guide's chapter on rules: what `forkscope explain` says of each.
const RULES: &str = "docs/src/rules.md";

/// Runs one generating task.
pub(crate) fn run(task: &str, options: &Options) -> Result<()> {
    match task {
        "schema" => keep(task, REPORT_SCHEMA, &forkscope::report::schema(), options),
        "screens" => crate::screens::run(options),
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
