//! `forkscope explain`: what a rule means.

use super::console::look_of_stdout;
use super::outcome::Outcome;
use forkscope::report::RuleId;
use forkscope::rules::catalogue;
use forkscope::sinks::log::wrap::wrap;
use std::io::Write;

/// Columns before a rule's meaning in the list: its name and its severity.
const LABELS: usize = 31;
/// No text is narrower.
const NARROW: usize = 30;

/// Explains a rule, or lists all.
pub(super) fn explain(rule: Option<RuleId>) -> Outcome {
    let mut out = anstream::stdout();
    let width = look_of_stdout().width;
    for entry in catalogue() {
        match rule {
            None => {
                let (name, severity) = (entry.id.name(), entry.severity.name());
                let lines = wrap(&first_sentence(entry.text), width.saturating_sub(LABELS).max(NARROW));
                writeln!(out, "{name:<22}{severity:<9}{}", lines.join(&format!("\n{:LABELS$}", "")))?;
            }
            Some(rule) if rule == entry.id => {
                let (name, severity) = (entry.id.name(), entry.severity.name());
                writeln!(out, "{name} ({severity})\n\n{}", paragraphs(entry.text, width.max(NARROW)))?;
            }
            Some(_) => {}
        }
    }
    if rule.is_none() {
        writeln!(out, "\n`forkscope explain RULE` says more.")?;
    }
    Ok(0)
}

/// A text with its lines broken anew.
fn paragraphs(text: &str, width: usize) -> String {
    let lines = |paragraph: &str| wrap(&paragraph.replace('\n', " "), width).join("\n");
    text.split("\n\n").map(lines).collect::<Vec<_>>().join("\n\n")
}

fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
    paragraph[..end].to_owned()
}
