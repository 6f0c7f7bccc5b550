//! What a run needs: packages, binaries, the floor's object, a folder for what is thrown away.

use super::peers;
use crate::command::{cargo, command, run};
use crate::{ebpf, packages, paths, test};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's packages of the peers and the servers.
const PACKAGES: [&str; 6] = ["strace", "linux-perf", "bpftrace", "redis-server", "redis-tools", "valgrind"];
const EXAMPLES: [&str; 7] =
    ["workload", "floor", "measured", "open_sockets", "analyse_load", "record_load", "keyed"];
const FOLDER: &str = "target/tmp/bench";

/// Where things are.
pub(crate) struct Tools {
    floor: PathBuf,
}

impl Tools {
    /// Everything, installed and built.
    pub(super) fn ready() -> Result<Self> {
        packages::ensure("the tracers that forkscope is compared with", &PACKAGES.map(String::from))?;
        let tools = Self::built(&EXAMPLES)?;
        fs::write(tools.script(), peers::bpftrace_script()).context("cannot write bpftrace's script")?;
        Ok(tools)
    }

    /// Release builds of forkscope and of these examples, and the floor.
    pub(super) fn built(examples: &[&str]) -> Result<Self> {
        fs::create_dir_all(paths::at(FOLDER)).with_context(|| format!("cannot make {FOLDER}"))?;
        let floor = ebpf::build_floor()?;
        let mut build = cargo(&["build", "--release", "--locked", "--package", "forkscope", "--bins"]);
        build.args(examples.iter().flat_map(|example| ["--example", example]));
        run(test::embed(&mut build)?)?;
        Ok(Self { floor })
    }

    pub(super) fn forkscope(&self) -> String {
        text(&paths::at("target/release/forkscope"))
    }

    pub(super) fn example(&self, name: &str) -> String {
        text(&paths::at("target/release/examples").join(name))
    }

    /// The floor's prefix of a command.
    pub(super) fn floor(&self, what: &str) -> Vec<String> {
        vec![self.example("floor"), text(&self.floor), what.to_owned()]
    }

    /// A file that the next run replaces.
    pub(super) fn file(&self, name: &str) -> String {
        text(&paths::at(FOLDER).join(name))
    }

    /// Where a peer writes its lines.
    pub(super) fn output(&self) -> String {
        self.file("output.txt")
    }

    /// What a tracer says on stderr.
    pub(super) fn said(&self) -> String {
        self.file("said.txt")
    }

    /// Where a workload writes what it came to.
    pub(super) fn result(&self) -> String {
        self.file("result.json")
    }

    pub(super) fn script(&self) -> String {
        self.file("calls.bt")
    }

    /// A command whose workload says what it came to.
    pub(super) fn command(&self, words: &[String]) -> Command {
        let mut command = command(&words[0]);
        command.args(&words[1..]).env("WORKLOAD_RESULT", self.result());
        command
    }
}

/// Paths go into commands that others split: they are text.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
