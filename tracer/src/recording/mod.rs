//! A session on disk: everything that the analyser was fed, in the same order, so that it can be fed again.
//!
//! ```text
//!   Preamble | header (JSON) | chunk | chunk | ...
//!     chunk = ChunkHead | zstd( lengths of the columns | columns )
//! ```
//!
//! Entries are stored by columns: what stands next to each other is alike, and compresses. A chunk stands for
//! itself, so that a file which was cut is read up to its last whole chunk. Every length in a file is bounded
//! before anything is made of it.

mod addresses;
mod bytes;
mod chunk;
mod columns;
mod create;
mod entry;
mod error;
mod fields;
mod format;
mod pack;
mod payload;
mod reader;
mod seek;
mod snapshot;
mod unpack;
mod writer;

pub use create::{CreateError, create};
pub use entry::{End, Entry, Program};
pub use error::{Broken, OpenError};
pub use format::{Header, VERSION};
pub use payload::Payload;
pub use reader::Reader;
pub use writer::Recorder;

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod corpus;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod tests;
