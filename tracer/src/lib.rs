//! forkscope: what happens to connections across fork.
//!
//! Data flows one way: `source` -> `decode` -> [`event`] -> `model` -> `rules` -> [`report`] -> `sinks`.
//! Only the binary's `cli` wires the rooms together.

pub mod analysis;
pub mod decode;
pub mod demo;
pub mod errno;
pub mod event;
pub mod files;
pub mod filter;
pub mod inspect;
pub mod model;
pub mod panics;
pub mod protocol;
pub mod recording;
pub mod replay;
pub mod report;
pub mod rules;
pub mod sinks;
pub mod source;
pub mod stacks;
