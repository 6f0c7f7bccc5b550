//! Findings, and the report that holds them.

pub mod finding;

pub use finding::{Confidence, Evidence, Finding, Fix, RuleId, Severity};
