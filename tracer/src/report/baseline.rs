//! Findings that are known: a file of their fingerprints, so that only others count.

use super::{Finding, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the file's shape.
pub const BASELINE_VERSION: u32 = 1;

/// What users know of already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// By fingerprint, in its order.
    entries: BTreeMap<String, Grade>,
}

/// What is known of a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grade {
    /// The rule that it was found by, for who reads the file.
    rule: String,
    /// The worst that is known. What is worse than that is not known.
    severity: Severity,
}

/// Why a text is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is no JSON, or cut.
    #[error("it is no JSON (line {0})")]
    Json(usize),
    /// It is other JSON: a report, perhaps.
    #[error("it is no baseline")]
    Other,
    /// It is of a later forkscope.
    #[error("it has version {0}, and this forkscope reads version {BASELINE_VERSION}")]
    Version(u32),
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Written {
    baseline_version: u32,
    findings: Vec<Entry>,
}

/// Its first member, which decides how the others are read.
#[derive(Deserialize)]
struct Versioned {
    baseline_version: u32,
}

/// One known finding.
#[derive(Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    rule: String,
    severity: Severity,
}

/// What a baseline did in a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Baselined {
    /// How many entries it has.
    pub entries: u64,
    /// Fingerprints in it that no finding of this session has, in their order.
    pub stale: Vec<String>,
}

impl Baseline {
    /// Reads what [`Baseline::text`] wrote.
    ///
    /// # Errors
    /// Where it is something else, or from another version.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let refused = |error: serde_json::Error| {
            if error.is_data() { Unreadable::Other } else { Unreadable::Json(error.line()) }
        };
        let Versioned { baseline_version } = serde_json::from_str(text).map_err(refused)?;
        if baseline_version != BASELINE_VERSION {
            return Err(Unreadable::Version(baseline_version));
        }
        let mut baseline = Self::default();
        for entry in serde_json::from_str::<Written>(text).map_err(refused)?.findings {
            baseline.add(entry.fingerprint, entry.rule, entry.severity);
        }
        Ok(baseline)
    }

    /// The file's text: JSON, indented, one order for one content, ending in a newline.
    #[must_use]
    pub fn text(&self) -> String {
        let entry = |(fingerprint, grade): (&String, &Grade)| Entry {
            fingerprint: fingerprint.clone(),
            rule: grade.rule.clone(),
            severity: grade.severity,
        };
        let findings = self.entries.iter().map(entry).collect();
        let written = Written { baseline_version: BASELINE_VERSION, findings };
        // Strings, a number and words: nothing that JSON could not say.
        let json = serde_json::to_value(written).unwrap_or_default();
        format!("{json:#}\n")
    }

    /// Knows these findings, too: those that are more than information, which fails nothing.
    pub fn learn(&mut self, findings: &[Finding]) {
        for finding in findings.iter().filter(|finding| finding.severity > Severity::Info) {
            self.add(finding.fingerprint.clone(), finding.rule.name().to_owned(), finding.severity);
        }
    }

    fn add(&mut self, fingerprint: String, rule: String, severity: Severity) {
        let known = self.entries.get(&fingerprint);
        if known.is_none_or(|known| known.severity < severity) {
            self.entries.insert(fingerprint, Grade { rule, severity });
        }
    }

    /// Whether a finding is known, and no worse than it was.
    #[must_use]
    pub fn knows(&self, fingerprint: &str, severity: Severity) -> bool {
        self.entries.get(fingerprint).is_some_and(|known| severity <= known.severity)
    }

    /// What it did among the findings of a session.
    #[must_use]
    pub fn among(&self, findings: &[Finding]) -> Baselined {
        let seen: BTreeSet<&str> = findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
        Baselined {
            entries: self.entries.len() as u64,
            stale: self.entries.keys().filter(|known| !seen.contains(known.as_str())).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// A finding of this kind.
    fn finding(fingerprint: &str, severity: Severity) -> Finding {
        Finding { fingerprint: fingerprint.to_owned(), severity, ..sample::finding() }
    }

    #[test]
    fn what_is_written_is_read_and_sorted() {
        let mut baseline = Baseline::default();
        baseline.learn(&[finding("b", Severity::Error), finding("a", Severity::Warning)]);
        baseline.learn(&[finding("c", Severity::Info), finding("a", Severity::Warning)]);
        let text = baseline.text();
        assert_eq!(Baseline::parse(&text).expect("just written"), baseline);
        let order = ["\"a\"", "\"b\""].map(|fingerprint| text.find(fingerprint));
        assert!(order[0] < order[1] && order[0].is_some(), "{text}");
        assert!(!text.contains("\"c\""), "{text}");
        assert!(text.starts_with("{\n  \"baseline_version\": 1,\n"), "{text}");
    }

    #[test]
    fn what_got_worse_is_not_known() {
        let mut baseline = Baseline::default();
        baseline.learn(&[finding("a", Severity::Warning), finding("gone", Severity::Error)]);
        for (fingerprint, severity, known) in [
            ("a", Severity::Info, true),
            ("a", Severity::Warning, true),
            ("a", Severity::Error, false),
            ("b", Severity::Info, false),
        ] {
            assert_eq!(baseline.knows(fingerprint, severity), known, "{fingerprint} {severity:?}");
        }
        let worse = [finding("a", Severity::Error)];
        assert_eq!(baseline.among(&worse), Baselined { entries: 2, stale: vec!["gone".to_owned()] });
        baseline.learn(&worse);
        assert!(baseline.knows("a", Severity::Error));
    }

    #[test]
    fn what_is_no_baseline_is_told() {
        for (text, told) in [
            ("", "no JSON (line 1)"),
            ("{\n\"baseline_version\": 1,", "no JSON (line 2)"),
            ("not json", "no JSON"),
            ("{}", "no baseline"),
            ("[]", "no baseline"),
            ("{\"schema_version\": 1, \"findings\": []}", "no baseline"),
            ("{\"baseline_version\": 1}", "no baseline"),
            ("{\"baseline_version\": 1, \"findings\": [{\"fingerprint\": 3}]}", "no baseline"),
            ("{\"baseline_version\": 2, \"whatever\": []}", "version 2"),
        ] {
            let refused = Baseline::parse(text).expect_err("no baseline").to_string();
            assert!(refused.contains(told), "{text}: {refused}");
        }
    }
}
