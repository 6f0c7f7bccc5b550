//! Exit statuses.

use anyhow::Result;

/// forkscope itself failed.
pub(super) const FAILED: u8 = 1;
/// There are findings at or above `--fail-on`.
pub(super) const FOUND: u8 = 3;

/// What a command comes to: an exit status, or why it failed.
pub(super) type Outcome = Result<u8>;

/// Whether standard output was closed by its reader.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
