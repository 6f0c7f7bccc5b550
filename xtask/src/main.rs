//! The project's own tasks: `cargo xtask TASK`.

mod bench;
mod command;
mod corpus;
mod ebpf;
mod generated;
mod missing;
mod packages;
mod paths;
mod privilege;
#[cfg(feature = "product")]
mod product;
#[cfg(feature = "product")]
mod screens;
mod soak;
mod test;
mod tidy;
mod vm;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the kernel side and keep the object in the tree, installing what that needs
    BuildEbpf(ebpf::Options),
    /// Run every check and every test, installing what they need
    Test(test::Options),
    /// Trace real programs on Debian's other kernels, each in a virtual machine
    VmTest(vm::Options),
    /// Trace a mixed load for a long time on both backends: memory must be flat, and findings few
    Soak(soak::Options),
    /// Measure what tracing costs beside other tracers, and write docs/benchmarks.md
    Bench(bench::Options),
    /// Check what the compiler does not: dependency directions, file sizes, suppressions
    Tidy,
    /// Write docs/report.schema.json from the report's types
    Schema(generated::Options),
    /// Write docs/src/rules.md from the rules' own texts
    Docs(generated::Options),
    /// Write docs/src/screens from the live screen, over a kept recording
    Screens(generated::Options),
    /// Write docs/corpus.md from what the end-to-end tests expected and found when they last ran
    Corpus(generated::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::BuildEbpf(options) => ebpf::run(&options),
        Task::Test(options) => test::run(&options),
        Task::VmTest(options) => vm::run(&options),
        Task::Soak(options) => soak::run_all(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Tidy => tidy::run(),
        Task::Schema(options) => generated::run("schema", &options),
        Task::Docs(options) => generated::run("docs", &options),
        Task::Screens(options) => generated::run("screens", &options),
        Task::Corpus(options) => corpus::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
