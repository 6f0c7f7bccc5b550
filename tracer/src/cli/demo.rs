//! `forkscope demo`: the founding bug in miniature, traced live.

use super::args::{Demo, Ui};
use super::console;
use super::outcome::Outcome;
use super::run;
use anyhow::Context;

const INTRODUCTION: &str = "\
forkscope demo: a parent calls an HTTP/2 server and forks with the connection open. In the child, a fork handler
closes the inherited socket, /dev/null takes its number, and the child calls the server through the number that it
remembers. The lines in brackets are the program's own; what follows them is what forkscope makes of it.";

/// Traces the demo program, or is it.
pub(super) fn demo(args: &Demo) -> Outcome {
    if args.program {
        return Ok(forkscope::demo::program() as u8);
    }
    let own = std::env::current_exe().context("cannot find forkscope's own program")?;
    if args.options.showing.ui != Ui::None {
        console::introduce(INTRODUCTION);
    }
    run::trace(&args.options, &[own.into(), "demo".into(), "--program".into()], None)
}
