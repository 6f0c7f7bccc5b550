//! Completion scripts and the manual page, from the command line's own description.

use super::args::Args;
use super::outcome::Outcome;
use clap::CommandFactory;
use std::io;

/// Prints the completion script for a shell.
pub(super) fn completions(shell: clap_complete::Shell) -> Outcome {
    clap_complete::generate(shell, &mut Args::command(), "forkscope", &mut io::stdout());
    Ok(0)
}

/// Prints the manual page.
pub(super) fn man() -> Outcome {
    clap_mangen::Man::new(Args::command()).render(&mut io::stdout())?;
    Ok(0)
}
