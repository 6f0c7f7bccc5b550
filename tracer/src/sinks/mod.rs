//! Where findings go: a terminal's log, the live screen, and the report's file. And what
//! one look shows, as text.

pub mod emulator;
pub mod escape;
pub mod inspect;
pub mod json;
pub mod log;
pub mod screen;
pub mod tui;
pub mod whole;
pub mod words;
