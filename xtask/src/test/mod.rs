//! The one test command: every step announced and timed, stopping at the first that fails.

mod e2e;
mod object;
mod setup;
mod steps;

pub(crate) use object::embed;

use anyhow::{Context, Result, bail};
use std::env;
use std::path::PathBuf;
use std::time::Instant;
use steps::{STEPS, Step};

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run this step only; may be given more than once
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Print the steps and run nothing
    #[arg(long)]
    list: bool,
}

/// How a step went that did not fail.
#[derive(Debug)]
enum Outcome {
    Done,
    /// It could not run here; the text says why, and what to do about it.
    Skipped(String),
}

/// `cargo xtask test`.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.list {
        for step in STEPS {
            println!("{:<8}{}", step.name, step.what);
        }
        return Ok(());
    }
    let start = Instant::now();
    let mut skipped = Vec::new();
    for step in chosen(&options.only)? {
        if let Outcome::Skipped(why) = run_step(step)? {
            skipped.push(format!("{}: {why}", step.name));
        }
    }
    for line in &skipped {
        eprintln!("skipped {line}");
    }
    let all = if skipped.is_empty() { "everything passed" } else { "everything that could run here passed" };
    eprintln!("==> {all}, in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// The program of the end-to-end tests, with what they need: built, where it is not.
pub(crate) fn ensure_e2e() -> Result<PathBuf> {
    ensure_setup()?;
    e2e::build().map(PathBuf::from)
}

/// Has what the end-to-end tests need, for others that use it.
pub(crate) fn ensure_setup() -> Result<()> {
    match setup::step()? {
        Outcome::Skipped(why) => {
            eprintln!("note: {why}");
            Ok(())
        }
        Outcome::Done => Ok(()),
    }
}

fn run_step(step: &Step) -> Result<Outcome> {
    eprintln!("==> {}: {}", step.name, step.what);
    let start = Instant::now();
    let outcome = (step.run)().with_context(|| {
        format!("step `{0}` failed (again, alone: `cargo xtask test --only {0}`)", step.name)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    match &outcome {
        Outcome::Done => eprintln!("    {}: passed, {seconds:.1} s", step.name),
        Outcome::Skipped(why) if is_ci() => {
            bail!("step `{}` could not run, and in CI it must: {why}", step.name)
        }
        Outcome::Skipped(why) => eprintln!("    {}: SKIPPED: {why}", step.name),
    }
    Ok(outcome)
}

fn chosen(only: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = only.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let names = STEPS.iter().map(|step| step.name).collect::<Vec<_>>().join(", ");
        bail!("no step is called {unknown}; there are {names}");
    }
    Ok(STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name)).collect())
}

/// Whether nobody watches, so that what cannot run must fail.
fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()))
}
