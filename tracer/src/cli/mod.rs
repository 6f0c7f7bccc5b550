//! The command line: the only room that sees all the others, and wires them together.

mod args;
mod attach;
mod backend;
mod baseline;
mod beat;
mod conclude;
mod console;
mod dashboard;
mod demo;
mod doctor;
mod ends;
mod explain;
mod feed;
mod holder;
mod inspect;
mod launch;
mod live;
mod lookups;
mod outcome;
mod outputs;
mod playback;
mod pty;
mod record;
mod replay;
mod run;
mod session;
mod signals;
mod stacks;
mod stops;
mod streams;
mod suspend;
mod text;
mod watch;

use args::{Args, Command};
use clap::Parser;
use forkscope::source::{ebpf, ptrace};
use outcome::FAILED;
use std::process::ExitCode;

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    let result = match args.command {
        Command::Run(run) => run::run(&run),
        Command::Attach(attach) => attach::attach(&attach),
        Command::Watch(watch) => watch::watch(&watch),
        Command::Replay(replay) => replay::replay(&replay),
        Command::Inspect(inspect) => inspect::inspect(&inspect),
        Command::Explain { rule } => explain::explain(rule),
        Command::Doctor => doctor::doctor(),
        Command::Demo(demo) => demo::demo(&demo),
        Command::Completions { shell } => text::completions(shell),
        Command::Man => text::man(),
        Command::Keeper { capture, stops, stacks } => {
            ptrace::be_keeper(capture, stops, stacks).map(|()| 0).map_err(Into::into)
        }
        Command::Holder => holder::be_holder(),
        Command::Guardian => ebpf::be_guardian().map(|()| 0).map_err(Into::into),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        // Who reads a list or a page through a pager need not read it to the end.
        Err(error) if outcome::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            console::error(&error);
            ExitCode::from(FAILED)
        }
    }
}
