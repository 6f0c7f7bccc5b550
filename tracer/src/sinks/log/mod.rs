//! The log: findings and the closing summary as text for a terminal. Nothing here writes; the
//! caller prints the strings.

pub mod event;
pub mod evidence;
pub mod finding;
pub mod notes;
pub mod paint;
pub(in crate::sinks) mod stack;
pub mod summary;
pub mod view;
pub mod wrap;

pub use finding::{mention, render};
pub use paint::Look;
pub use summary::summary;
pub use view::FindingView;

#[cfg(test)]
mod tests;
