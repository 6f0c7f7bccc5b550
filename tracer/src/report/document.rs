//! The whole report, and its JSON Schema.

use super::{Baselined, Connection, Finding, Process, Session, Severity, SharedFile, Stats};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the report's shape. Raised when a reader of the older shape could be misled; a new member
/// alone does not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// What one session saw and found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "forkscope report")]
pub struct Report {
    /// Version of this shape: [`SCHEMA_VERSION`] when written.
    pub schema_version: u32,
    /// What wrote it.
    pub tool: Tool,
    /// How, where and when it was taken.
    pub session: Session,
    /// The processes seen, by start.
    pub processes: Vec<Process>,
    /// The connections seen, by id.
    pub connections: Vec<Connection>,
    /// Other files that processes share, by id (`inspect`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SharedFile>,
    /// What could not be looked at, and what would help (`inspect`); why less is in it than happened, or than
    /// was asked for: a recording that is cut or damaged, or that could not be written on; which processes
    /// were stopped for a finding, where users asked for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The problems found, by id.
    pub findings: Vec<Finding>,
    /// What the baseline did, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baselined>,
    /// What it cost, and what was lost.
    pub stats: Stats,
}

/// The program that wrote a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version, as semantic versioning writes it.
    pub version: String,
}

impl Tool {
    /// This build.
    #[must_use]
    pub fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
    }
}

impl Report {
    /// A report with nothing in it yet.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::this(),
            session,
            processes: Vec::new(),
            connections: Vec::new(),
            files: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
            baseline: None,
            stats: Stats::default(),
        }
    }

    /// The worst severity among the findings that are not known; none: there is none.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().filter(|finding| !finding.known).map(|finding| finding.severity).max()
    }

    /// The process with this number; of several that had it one after the other, the last.
    #[must_use]
    pub fn process(&self, pid: u32) -> Option<&Process> {
        self.processes.iter().rev().find(|process| process.pid == pid)
    }

    /// The connection with this id.
    #[must_use]
    pub fn connection(&self, id: u32) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.id == id)
    }
}

/// JSON Schema (2020-12) of [`Report`], indented, ending in a newline. The same for
/// every call and every machine.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    // The alternate form is indented JSON (serde_json's Display of Value).
    format!("{:#}\n", schema.as_value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn worst_is_the_highest_severity() {
        let mut report = sample::report();
        assert_eq!(report.worst(), Some(Severity::Error));
        report.findings[0].known = true;
        assert_eq!(report.worst(), None);
        report.findings.clear();
        assert_eq!(report.worst(), None);
    }

    #[test]
    fn json_goes_round() {
        let report = sample::report();
        let json = serde_json::to_string(&report).expect("a report is plain data");
        assert_eq!(serde_json::from_str::<Report>(&json).expect("what was written can be read"), report);
    }

    #[test]
    fn schema_describes_every_top_level_member() {
        let schema: serde_json::Value = serde_json::from_str(&schema()).expect("the schema is JSON");
        let report = serde_json::to_value(sample::report()).expect("a report is plain data");
        for member in report.as_object().expect("a report is an object").keys() {
            assert!(schema["properties"][member].is_object(), "{member} is missing from the schema");
        }
    }

    #[test]
    fn schema_is_stable_and_ends_in_a_newline() {
        assert_eq!(schema(), schema());
        assert!(schema().ends_with("}\n"));
    }
}
