//! What is said of a finding beside its steps: what happened, how often, how sure, what to change.

use super::view::FindingView;
use crate::report::{Confidence, RuleId, Unseen};

/// What stands before a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// What happened.
    Note,
    /// What to do.
    Help,
    /// Where there is more.
    More,
}

impl Label {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Help => "help",
            Self::More => "for more",
        }
    }
}

/// The texts in order, with at most so many fixes. They may be raw.
#[must_use]
pub fn notes(view: &FindingView<'_>, most_fixes: usize) -> Vec<(Label, String)> {
    let finding = view.finding;
    let mut notes = Vec::new();
    let mut note = |text: String| notes.push((Label::Note, text));
    if !finding.summary.is_empty() {
        note(finding.summary.clone());
    }
    let how_sure = match finding.confidence {
        Confidence::Certain => None,
        Confidence::Likely => Some(format!("likely, not certain: {}", why_not(view))),
        Confidence::Inconclusive => Some(format!("inconclusive: {}", what_is_missing(view))),
    };
    let (count, first, last) = (finding.count, finding.first_seen, finding.last_seen);
    let how_often = (count > 1).then(|| format!("seen {count} times, from {first:+.3}s to {last:+.3}s"));
    let sure_and_often: Vec<String> = how_often.into_iter().chain(how_sure).collect();
    if !sure_and_often.is_empty() {
        note(sure_and_often.join("; "));
    }
    if finding.known {
        note("known: the baseline has it".to_owned());
    }
    notes.extend(finding.fix.iter().take(most_fixes).map(|fix| {
        let why = if fix.why.is_empty() { String::new() } else { format!(" ({})", fix.why) };
        (Label::Help, format!("{}{why}", fix.text))
    }));
    notes.push((Label::More, format!("forkscope explain {}", finding.rule.name())));
    notes
}

/// Why a finding says little for sure.
fn what_is_missing(view: &FindingView<'_>) -> &'static str {
    if view.finding.rule == RuleId::SharedStream && view.unseen.is_empty() {
        return "what is spoken there is not known, and turns may be its way";
    }
    "the history has holes where it matters"
}

/// Why a finding is not certain: the worst of what was not seen.
fn why_not(view: &FindingView<'_>) -> &'static str {
    let is = |unseen| view.unseen.contains(&unseen);
    match () {
        () if is(Unseen::LostEvents) => "events were lost",
        () if is(Unseen::LateAttach) => "what happened before forkscope attached was not seen",
        () if is(Unseen::IoUring) => "bytes that go through io_uring are not seen",
        () if is(Unseen::Calls32Bit) => "32-bit calls are not seen",
        () if view.finding.rule == RuleId::StalledChild => "that it will not go on is inferred",
        () => "a step was not seen",
    }
}
