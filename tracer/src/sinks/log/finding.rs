//! A finding as a good compiler prints an error.

use super::evidence;
use super::notes::{Label, notes};
use super::paint::{self, GUTTER, HELP, Look, STRONG};
use super::stack;
use super::view::FindingView;
use super::wrap::wrap;
use crate::report::Finding;
use crate::sinks::escape::escape_at_most;
use anstyle::Style;

/// Lines that a finding should not exceed. On a narrow terminal it may: the evidence comes first.
const MOST_LINES: usize = 25;
/// The most other processes that are shown.
const MOST_OTHERS: usize = 2;
/// The most fixes that are shown.
const MOST_FIXES: usize = 3;
/// The most characters of a title, and of each text below the evidence.
const MOST_TEXT: usize = 400;
/// Columns before the text of a line with a gutter: `   | `.
const INDENT: usize = 5;

/// The finding's lines, each ending in a line break. Everything in the finding that came from a
/// traced program is escaped.
#[must_use]
pub fn render(view: &FindingView<'_>, look: Look) -> String {
    let finding = view.finding;
    let mut page = Page { look, out: Vec::new() };
    page.title(finding);
    page.part("-->", None, &format!("process {}", view.process));
    for other in view.others.iter().take(MOST_OTHERS) {
        page.part(":::", None, &format!("process {other}"));
    }
    if view.others.len() > MOST_OTHERS {
        page.part(":::", None, &format!("and {} more", view.others.len() - MOST_OTHERS));
    }
    if let Some(connection) = &view.connection {
        page.part("  |", None, &format!("connection {connection}"));
    }
    // What stands below is laid out first: the evidence gets the lines that are left.
    let mut below = Page { look, out: Vec::new() };
    below.notes(view);
    let left = MOST_LINES.saturating_sub(page.out.len() + below.out.len() + 2);
    page.evidence(finding, left);
    page.stacks(finding);
    page.out.append(&mut below.out);
    page.out.join("\n") + "\n"
}

/// The same of one whose like was shown in full: what it is about, and no more.
#[must_use]
pub fn mention(view: &FindingView<'_>, look: Look) -> String {
    let mut page = Page { look, out: Vec::new() };
    page.title(view.finding);
    page.part("-->", None, &format!("process {}", view.process));
    let label = Some((Label::Note.word(), STRONG));
    page.part("  =", label, "as above, of another connection or process; `-v` shows each in full");
    page.out.join("\n") + "\n"
}

/// Lines as they come to be.
struct Page {
    look: Look,
    out: Vec<String>,
}

impl Page {
    /// `error[enotsock]: sendmsg on fd 6 failed ...`
    fn title(&mut self, finding: &Finding) {
        let word = format!("{}[{}]", finding.severity.name(), finding.rule.name());
        let before = word.chars().count() + 2;
        let title = escape_at_most(&finding.title, MOST_TEXT);
        for (i, line) in wrap(&title, self.look.columns() - before).iter().enumerate() {
            let lead = match i {
                0 => {
                    self.look.paint(paint::severity(finding.severity), &word)
                        + &self.look.paint(STRONG, ":")
                        + " "
                }
                _ => " ".repeat(before),
            };
            self.out.push(lead + &self.look.paint(STRONG, line));
        }
    }

    /// A line, or several, behind a mark in the gutter; under a label they are indented by its width.
    fn part(&mut self, mark: &str, label: Option<(&str, Style)>, text: &str) {
        let text = escape_at_most(text, MOST_TEXT);
        let before = label.map_or(0, |(label, _)| label.len() + 2);
        for (i, line) in wrap(&text, self.look.columns() - INDENT - before - 1).iter().enumerate() {
            let lead = match (i, label) {
                (0, Some((label, style))) => self.look.paint(style, label) + ": ",
                _ => " ".repeat(before),
            };
            let mark = match (i, label) {
                (0, _) => self.look.paint(GUTTER, mark),
                // Under a label the gutter has ended.
                (_, Some(_)) => "   ".into(),
                _ => self.look.paint(GUTTER, "  |"),
            };
            self.out.push(format!(" {mark} {lead}{line}"));
        }
    }

    fn evidence(&mut self, finding: &Finding, most: usize) {
        let gutter = self.look.paint(GUTTER, "|");
        let bar = format!("   {gutter}");
        self.out.push(bar.clone());
        if finding.evidence.is_empty() {
            return;
        }
        for line in evidence::lines(&finding.evidence, self.look, self.look.columns() - INDENT - 1, most) {
            self.out.push(format!("{bar}  {line}"));
        }
        self.out.push(bar);
    }

    /// Beyond the lines of a screen: who asked for them wants to read them.
    fn stacks(&mut self, finding: &Finding) {
        if finding.stacks.is_empty() {
            return;
        }
        let bar = format!("   {}", self.look.paint(GUTTER, "|"));
        for line in stack::lines(&finding.stacks, self.look, self.look.columns() - INDENT - 1) {
            self.out.push(format!("{bar}  {line}"));
        }
        self.out.push(bar);
    }

    fn notes(&mut self, view: &FindingView<'_>) {
        for (label, text) in notes(view, MOST_FIXES) {
            let style = if label == Label::Help { HELP } else { STRONG };
            self.part("  =", Some((label.word(), style)), &text);
        }
    }
}
