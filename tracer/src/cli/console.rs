//! What the user sees on standard error while tracing. Standard output belongs to the program.

use super::args::{Showing, Ui};
use anstream::ColorChoice;
use forkscope::analysis::Analysis;
use forkscope::event::Event;
pub(super) use forkscope::files::system;
use forkscope::filter::Filter;
use forkscope::report::{Finding, Report, RuleId, Severity};
use forkscope::sinks::escape::escape;
use forkscope::sinks::log::wrap::wrap;
use forkscope::sinks::log::{self, FindingView, Look};
use forkscope::sinks::words::plural;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;

/// Prints findings, events and the summary.
pub(super) struct Console {
    quiet: bool,
    verbosity: u8,
    filter: Filter,
    /// Findings that the filter kept from being shown, by their numbers.
    filtered: BTreeSet<u32>,
    /// Findings that were shown in full, by what makes them alike; the first of each.
    told: BTreeMap<(String, RuleId, Severity), u32>,
    look: Look,
    line: String,
    start: u64,
    /// The terminal is the live screen's: what would be printed waits here.
    waiting: Option<RefCell<VecDeque<Line>>>,
}

/// A line that waits.
struct Line {
    text: String,
    /// It says what forkscope could not do.
    is_failure: bool,
    /// The live screen has shown it.
    shown: bool,
}

/// Lines that wait at most: the newest.
const MOST_WAITING: usize = 200;

impl Console {
    pub(super) fn new(showing: &Showing, start: u64) -> Self {
        Self {
            quiet: showing.ui == Ui::None,
            verbosity: showing.verbose,
            filter: showing.filter.clone(),
            filtered: BTreeSet::new(),
            told: BTreeMap::new(),
            look: look(),
            line: String::new(),
            start,
            waiting: None,
        }
    }

    /// From now on the terminal is the live screen's.
    pub(super) fn hand_over(&mut self) {
        self.waiting = Some(RefCell::default());
    }

    /// The terminal is free again: what waited is printed.
    pub(super) fn take_back(&mut self) {
        for line in self.waiting.take().map(RefCell::into_inner).unwrap_or_default() {
            print(&format!("forkscope: {}\n", line.text));
        }
    }

    /// Lines that wait and that the live screen has not shown, oldest first.
    pub(super) fn take_unshown(&self) -> Vec<(String, bool)> {
        let Some(waiting) = &self.waiting else { return Vec::new() };
        let mut waiting = waiting.borrow_mut();
        let unshown = waiting.iter_mut().filter(|line| !line.shown);
        unshown
            .map(|line| {
                line.shown = true;
                (line.text.clone(), line.is_failure)
            })
            .collect()
    }

    /// Names in it may be of traced programs.
    fn say(&self, text: &str, is_failure: bool) {
        let text = &*escape(text);
        let Some(waiting) = &self.waiting else { return print(&format!("forkscope: {text}\n")) };
        let mut waiting = waiting.borrow_mut();
        if waiting.len() == MOST_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(Line { text: text.to_owned(), is_failure, shown: false });
    }

    /// One line about what forkscope does.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text, false);
        }
    }

    /// One line about what forkscope could not do as it was asked to: shown also where nothing else is.
    pub(super) fn failure(&self, text: &str) {
        self.say(text, true);
    }

    /// An event that was taken in, if the user asked for such.
    pub(super) fn event(&mut self, event: &Event<'_>, analysis: &Analysis) {
        if self.quiet || self.waiting.is_some() || !log::event::worth(event, self.verbosity) {
            return;
        }
        self.line.clear();
        let looks_in_text = self.filter.looks_in_text();
        if looks_in_text {
            log::event::line(event, self.start, &mut self.line);
        }
        if !self.filter.is_empty() && !self.filter.matches(&analysis.event_subject(event, &self.line)) {
            return;
        }
        if !looks_in_text {
            log::event::line(event, self.start, &mut self.line);
        }
        self.line.push('\n');
        print(&self.line);
    }

    /// A finding. Those that only inform, or are known, are shown to who asked for events.
    pub(super) fn finding(&mut self, finding: &Finding, analysis: &Analysis) {
        let is_news = finding.severity > Severity::Info && !finding.known;
        if self.quiet || self.waiting.is_some() || (!is_news && self.verbosity == 0) {
            return;
        }
        let connection = finding.connection.and_then(|id| analysis.connection_line(id));
        let view = FindingView::new(finding, |pid| analysis.process_told(pid), connection);
        if self.filter.matches(&analysis.finding_subject(finding, &view.text())) {
            self.filtered.remove(&finding.id);
            let alike = (finding.fingerprint.clone(), finding.rule, finding.severity);
            let first = *self.told.entry(alike).or_insert(finding.id);
            let is_told = first != finding.id && self.verbosity == 0;
            let text = if is_told { log::mention(&view, self.look) } else { log::render(&view, self.look) };
            print(&format!("\n{text}\n"));
        } else {
            self.filtered.insert(finding.id);
        }
    }

    /// The end of the session.
    pub(super) fn summary(&self, report: &Report) {
        if self.quiet {
            return;
        }
        if !self.filtered.is_empty() {
            let findings = plural(self.filtered.len() as u64, "finding", "findings");
            self.note(&format!("--filter kept {findings} from being shown"));
        }
        print(&log::summary(report, self.look));
    }
}

/// One line that says why forkscope failed.
pub(super) fn error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    print(&format!("error: {}\n", escape(text.lines().next().unwrap_or_default())));
}

/// One line beside what was asked for.
pub(super) fn note(text: &str) {
    print(&format!("forkscope: {}\n", escape(text)));
}

/// What comes before all else, as wide as the terminal.
pub(super) fn introduce(text: &str) {
    print(&format!("{}\n\n", wrap(&text.replace('\n', " "), look().width).join("\n")));
}

/// How text on standard output should look.
pub(super) fn look_of_stdout() -> Look {
    let color = anstream::AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
    let width =
        terminal_size::terminal_size_of(std::io::stdout()).map_or(100, |(width, _)| usize::from(width.0));
    Look { color, width }
}

/// Standard error may be gone; the traced program goes on all the same.
fn print(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

fn look() -> Look {
    let color = anstream::AutoStream::choice(&std::io::stderr()) != ColorChoice::Never;
    let width =
        terminal_size::terminal_size_of(std::io::stderr()).map_or(100, |(width, _)| usize::from(width.0));
    Look { color, width }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_the_screen_acts_on_no_terminal() {
        let mut console = Console::new(&Showing::of(&[]), 0);
        console.hand_over();
        console.note("the program \u{1b}c");
        console.failure("cannot read x\n\u{202e}y");
        let expected = [("the program \\x1bc", false), ("cannot read x\\n\\u{202e}y", true)];
        assert_eq!(console.take_unshown(), expected.map(|(text, failed)| (text.to_owned(), failed)));
        assert!(console.take_unshown().is_empty());
    }
}
