//! Completion scripts and the manual page, from the command line's own description.

use super::args::Args;
use super::outcome::Outcome;
use clap::CommandFactory;
use std::io::{self, Write};

/// Prints the completion script for a shell.
pub(super) fn completions(shell: clap_complete::Shell) -> Outcome {
    // The generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "forkscope", &mut script);
    io::stdout().write_all(&script)?;
    Ok(0)
}

/// Prints the manual page.
pub(super) fn man() -> Outcome {
    clap_mangen::Man::new(Args::command()).render(&mut io::stdout())?;
    Ok(0)
}
