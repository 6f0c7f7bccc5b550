//! Where findings go: a terminal's log, and the report's file. And what one look shows, as text.

pub mod escape;
pub mod inspect;
pub mod json;
pub mod log;
pub mod whole;
pub mod words;
