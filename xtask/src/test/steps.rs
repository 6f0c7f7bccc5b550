//! The steps, in order: what is quick and often wrong comes first.

use super::{Outcome, e2e, object, setup};
use crate::command::{cargo, probe, run};
use crate::missing::Missing;
use crate::privilege::Privilege;
use crate::{bench, corpus, generated, tidy, vm};
use anyhow::{Result, bail};

/// One step of the test command.
pub(super) struct Step {
    /// What `--only` takes.
    pub(super) name: &'static str,
    /// What it checks, in a few words.
    pub(super) what: &'static str,
    /// Does it.
    pub(super) run: fn() -> Result<Outcome>,
}

/// All steps, in the order that they run in.
pub(super) const STEPS: &[Step] = &[
    Step { name: "fmt", what: "the code is formatted", run: format },
    Step { name: "tidy", what: "dependency directions, sizes, suppressions", run: || done(tidy::run()) },
    Step { name: "ebpf", what: "the kept kernel object is current, and it builds", run: object::step },
    Step { name: "clippy", what: "no warnings", run: clippy },
    Step { name: "schema", what: "docs/report.schema.json is current", run: || current("schema") },
    Step { name: "docs", what: "docs/src/rules.md is current", run: || current("docs") },
    Step { name: "screens", what: "docs/src/screens are current", run: || current("screens") },
    Step { name: "unit", what: "unit and documentation tests", run: unit },
    Step { name: "setup", what: "what the end-to-end tests need is here", run: setup::step },
    Step { name: "e2e", what: "real programs, traced, as root", run: e2e::step },
    Step { name: "kernels", what: "some of them on other kernels, in virtual machines", run: kernels },
    Step { name: "corpus", what: "docs/corpus.md says what they gave", run: e2e_corpus },
    Step { name: "speed", what: "tracing costs no more than docs/benchmarks.json says", run: speed },
];

fn done(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Done)
}

fn format() -> Result<Outcome> {
    has_component("fmt", "rustfmt")?;
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    done(run(&mut cargo(&["fmt", "--manifest-path", "tracer-ebpf/Cargo.toml", "--check"])))
}

fn clippy() -> Result<Outcome> {
    has_component("clippy", "clippy")?;
    let all = ["clippy", "--workspace", "--all-targets", "--features", "xtask/product"];
    done(run(object::embed(cargo(&all).args(["--locked", "--", "-D", "warnings"]))?))
}

/// Compares what a generating task would write with what is kept.
fn current(task: &str) -> Result<Outcome> {
    // With the same object as the other steps: another one would compile the product again.
    done(run(object::embed(&mut generated::command(task, &generated::Options { check: true }))?))
}

fn kernels() -> Result<Outcome> {
    unless_missing(vm::step())
}

fn e2e_corpus() -> Result<Outcome> {
    if !corpus::is_there() {
        return Ok(Outcome::Skipped("the end-to-end tests did not run".to_owned()));
    }
    done(corpus::run(&generated::Options { check: true }))
}

fn speed() -> Result<Outcome> {
    if Privilege::find() != Some(Privilege::Root) {
        return Ok(Outcome::Skipped("tracing needs root, and this user is not root".to_owned()));
    }
    unless_missing(bench::check())
}

/// What the machine lacks is a reason to go on without.
fn unless_missing(result: Result<()>) -> Result<Outcome> {
    match result {
        Err(error) if error.is::<Missing>() => Ok(Outcome::Skipped(format!("{error:#}"))),
        result => done(result),
    }
}

fn unit() -> Result<Outcome> {
    run(object::embed(&mut cargo(&["test", "--workspace", "--locked", "--lib", "--bins"]))?)?;
    done(run(object::embed(&mut cargo(&["test", "--workspace", "--locked", "--doc"]))?))
}

/// Some toolchains come without it.
fn has_component(subcommand: &str, component: &str) -> Result<()> {
    if probe("cargo", &[subcommand, "--version"]).is_none() {
        bail!(
            "this toolchain has no {component}: run `rustup component add {component}` (Debian: apt-get install {})",
            if component == "clippy" { "rust-clippy" } else { component }
        );
    }
    Ok(())
}
