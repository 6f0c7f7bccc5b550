//! The report: what a session found, as types that serialise to the JSON of the user's report.
//!
//! Pure: no I/O and no clock. Times are seconds from the session's start; [`Session::start`] places them.
//! Text that comes from traced programs (names, command lines, paths, what evidence quotes) is kept raw here:
//! whoever shows it on a terminal escapes it first.

pub mod baseline;
pub mod connection;
pub mod document;
pub mod finding;
pub mod http2;
pub mod look;
pub mod names;
pub mod process;
pub mod session;
pub mod stack;
pub mod stats;

pub use baseline::{BASELINE_VERSION, Baseline, Baselined, Unreadable};
pub use connection::{CallError, Connection, Family, Holder, TlsSession};
pub use document::{Report, SCHEMA_VERSION, Tool, schema};
pub use finding::{Confidence, Evidence, Finding, Fix, Level, RuleId, Severity};
pub use http2::{Goaway, Http2, Stream};
pub use look::{
    CreatorGuess, FileHolder, ProtocolGuess, SharedFile, SharedKind, SocketNow, Thread, Wait, Watch,
};
pub use process::{Exec, Exit, Library, Process, Unseen};
pub use session::{Backend, Host, Session, Target};
pub use stack::{Frame, Language, Moment, Stack};
pub use stats::{LossCause, Overhead, ProgramCost, Stats};

#[cfg(test)]
pub(crate) mod sample;
