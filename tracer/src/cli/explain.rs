//! `forkscope explain`: what a rule means.

use super::outcome::Outcome;
use forkscope::report::RuleId;
use forkscope::rules::catalogue;
use std::io::Write;

/// Explains a rule, or lists all.
pub(super) fn explain(rule: Option<RuleId>) -> Outcome {
    let mut out = anstream::stdout();
    for entry in catalogue() {
        match rule {
            None => writeln!(
                out,
                "{:<22}{:<9}{}",
                entry.id.name(),
                entry.severity.name(),
                first_sentence(entry.text)
            )?,
            Some(rule) if rule == entry.id => {
                writeln!(out, "{} ({})\n\n{}", entry.id.name(), entry.severity.name(), entry.text)?;
            }
            Some(_) => {}
        }
    }
    if rule.is_none() {
        writeln!(out, "\n`forkscope explain RULE` says more.")?;
    }
    Ok(0)
}

fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let end = paragraph.find(". ").map_or(paragraph.len(), |at| at + 1);
    paragraph[..end].to_owned()
}
