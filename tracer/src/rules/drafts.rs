//! What the rules hand over. Of a cause that is seen again and again most is known: that is
//! counted, and nothing is written.

use super::{Cause, Claim, Draft, Says};
use crate::report::{Level, RuleId, Severity};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The most findings of one session that inform, and the most that do more: further causes say nothing more.
const MOST_FINDINGS: usize = 1000;

/// What was said of causes so far.
#[derive(Debug, Default)]
pub struct Said {
    levels: BTreeMap<RuleId, Level>,
    causes: FxHashMap<Cause, Known>,
    /// Of how many causes the finding does more than inform, and of how many it does not.
    counts: [usize; 2],
}

/// What was said of a cause.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its finding's index.
    pub at: usize,
    /// What names the finding.
    pub named: Claim,
    /// Claims whose evidence the finding has: as many as rules can tell apart.
    pub told: Vec<(RuleId, Says)>,
    /// By which names it was shown: by each once.
    pub shown: Vec<(RuleId, Says, Severity)>,
}

impl Said {
    /// Nothing was said; rules have these levels.
    #[must_use]
    pub fn nothing(levels: BTreeMap<RuleId, Level>) -> Self {
        Self { levels, ..Self::default() }
    }

    /// A claim as the user wants it: at the level of its rule. `None`: its rule is off.
    #[must_use]
    pub fn at_its_level(&self, claim: Claim) -> Option<Claim> {
        match self.levels.get(&claim.rule) {
            Some(Level::Off) => None,
            Some(&Level::At(severity)) => Some(Claim { severity, ..claim }),
            None => Some(claim),
        }
    }

    /// What was said of this cause.
    #[must_use]
    pub fn of(&self, cause: &Cause) -> Option<&Known> {
        self.causes.get(cause)
    }

    /// Whether one more finding of this severity has room. Information has a budget of its own: it
    /// must not crowd out errors.
    #[must_use]
    pub fn has_room(&self, severity: Severity) -> bool {
        self.counts[budget(severity)] < MOST_FINDINGS
    }

    /// Takes out what was said of this cause.
    pub fn take(&mut self, cause: &Cause) -> Option<Known> {
        let known = self.causes.remove(cause)?;
        self.counts[budget(known.named.severity)] -= 1;
        Some(known)
    }

    /// From now on this was said of its cause, of which nothing is known yet, or was taken out.
    pub fn put(&mut self, known: Known) {
        self.counts[budget(known.named.severity)] += 1;
        self.causes.insert(known.named.cause, known);
    }
}

impl Known {
    /// Whether the finding lacks the evidence of such a claim.
    #[must_use]
    pub fn lacks(&self, claim: &Claim) -> bool {
        !self.told.contains(&(claim.rule, claim.says))
    }

    /// Whether the finding should have the claim's name: it is worse, or as bad and surer,
    /// or as sure and says more.
    #[must_use]
    pub fn yields_to(&self, claim: &Claim) -> bool {
        let weight = |it: &Claim| (it.severity, it.confidence, it.says);
        weight(claim) > weight(&self.named)
    }
}

fn budget(severity: Severity) -> usize {
    usize::from(severity == Severity::Info)
}

/// What the rules find in one event.
#[derive(Debug)]
pub struct Drafts<'a> {
    said: &'a Said,
    new: &'a mut Vec<Draft>,
    /// Findings that were seen again, and when.
    again: &'a mut Vec<(usize, u64)>,
}

impl<'a> Drafts<'a> {
    /// Where what is new, and what is not, goes.
    pub fn new(said: &'a Said, new: &'a mut Vec<Draft>, again: &'a mut Vec<(usize, u64)>) -> Self {
        Self { said, new, again }
    }

    /// Makes a claim. True: it is news, and a draft of it should follow. Else it is counted, where
    /// its cause has a finding.
    #[must_use]
    pub fn claim(&mut self, claim: Claim, time: u64) -> bool {
        let Some(claim) = self.said.at_its_level(claim) else { return false };
        let Some(known) = self.said.of(&claim.cause) else { return self.said.has_room(claim.severity) };
        let is_news = known.lacks(&claim) || known.yields_to(&claim);
        if !is_news {
            self.again.push((known.at, time));
        }
        is_news
    }

    /// A rule has found something.
    pub fn push(&mut self, draft: Draft) {
        self.new.push(draft);
    }
}

impl Extend<Draft> for Drafts<'_> {
    fn extend<T: IntoIterator<Item = Draft>>(&mut self, drafts: T) {
        self.new.extend(drafts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SockId;
    use crate::report::Confidence::{Certain, Likely};
    use Severity::{Error, Info, Warning};

    const RULE: RuleId = RuleId::SharedStream;

    #[test]
    fn what_was_said_is_counted_and_not_written() {
        let claim = |rule, severity, confidence, says| {
            let cause = Cause::Sharing(SockId(1));
            Claim { rule, severity, confidence, says, cause }
        };
        let named = claim(RULE, Error, Likely, Says::Possible);
        let levels = [(RuleId::StolenReply, Level::Off), (RuleId::ForeignGoodbye, Level::At(Info))];
        let mut said = Said::nothing(levels.into());
        let told = vec![
            (RULE, Says::Possible),
            (RuleId::ForeignGoodbye, Says::Lost),
            (RuleId::Enotsock, Says::Lost),
        ];
        said.put(Known { at: 7, named, told, shown: Vec::new() });
        for (what, claim, wanted, counted) in [
            ("the same", named, false, true),
            ("less bad", Claim { severity: Warning, confidence: Certain, ..named }, false, true),
            ("surer", Claim { confidence: Certain, ..named }, true, false),
            ("it says more", Claim { says: Says::Broken, ..named }, true, false),
            ("other evidence", Claim { rule: RuleId::PreExecIo, ..named }, true, false),
            ("another cause", Claim { cause: Cause::Sharing(SockId(2)), ..named }, true, false),
            ("a rule that is off", claim(RuleId::StolenReply, Error, Certain, Says::Astray), false, false),
            ("as bad as it is by itself", claim(RuleId::Enotsock, Error, Certain, Says::Lost), true, false),
            ("less bad at its level", claim(RuleId::ForeignGoodbye, Error, Certain, Says::Lost), false, true),
        ] {
            let (mut new, mut again) = (Vec::new(), Vec::new());
            assert_eq!(Drafts::new(&said, &mut new, &mut again).claim(claim, 9), wanted, "{what}");
            assert_eq!(again, if counted { vec![(7, 9)] } else { vec![] }, "{what}");
        }
    }

    #[test]
    fn information_does_not_crowd_out_errors() {
        let mut said = Said::default();
        let known = |socket, severity| {
            let cause = Cause::Holding(SockId(socket));
            let named = Claim { rule: RULE, severity, confidence: Certain, says: Says::Possible, cause };
            Known { at: 0, named, told: Vec::new(), shown: Vec::new() }
        };
        (0..MOST_FINDINGS as u32).for_each(|socket| said.put(known(socket, Info)));
        let is_news = |said: &Said, severity| {
            Drafts::new(said, &mut Vec::new(), &mut Vec::new()).claim(known(u32::MAX, severity).named, 1)
        };
        assert_eq!([Info, Warning, Error].map(|severity| is_news(&said, severity)), [false, true, true]);
        // One of them turns out to be worse.
        let worse = said.take(&Cause::Holding(SockId(1))).expect("it is known");
        said.put(Known { named: Claim { severity: Error, ..worse.named }, ..worse });
        assert!(is_news(&said, Info));
    }
}
