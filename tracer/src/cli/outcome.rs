//! Exit statuses.

use anyhow::Result;

/// forkscope itself failed.
pub(super) const FAILED: u8 = 1;
/// There are findings at or above `--fail-on`.
pub(super) const FOUND: u8 = 3;

/// What a command comes to: an exit status, or why it failed.
pub(super) type Outcome = Result<u8>;
