//! Where findings go: a terminal's log, and the report's file.

pub mod escape;
pub mod json;
pub mod log;
