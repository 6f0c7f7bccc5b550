//! The end-to-end tests: built as the user, run as root.

use super::{Outcome, object};
use crate::command::{cargo, output, run};
use crate::corpus;
use crate::paths;
use crate::privilege::Privilege;
use anyhow::{Context, Result};
use serde_json::Value;
use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Stdio;

/// Variables that the tests read. sudo would drop them.
const PASSED_ON: [&str; 4] = ["CI", "HOME", "PATH", "RUST_BACKTRACE"];

/// Builds and runs them.
pub(super) fn step() -> Result<Outcome> {
    let Some(privilege) = Privilege::find() else {
        let why = "tracing needs root, and this user is not root and has no sudo";
        return Ok(Outcome::Skipped(why.to_owned()));
    };
    let test = build()?;
    let package = paths::at("tracer");
    let mut variables: Vec<(&str, OsString)> =
        PASSED_ON.iter().filter_map(|name| Some((*name, env::var_os(name)?))).collect();
    variables.push(("CARGO_MANIFEST_DIR", package.clone().into_os_string()));
    variables.push((corpus::VARIABLE, corpus::begin()?.into_os_string()));
    let borrowed: Vec<(&str, &OsStr)> =
        variables.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
    run(privilege.command(test, &borrowed).current_dir(package))?;
    Ok(Outcome::Done)
}

/// The test program. Not run by cargo: as root it would leave files in target/ that the user cannot replace.
pub(super) fn build() -> Result<String> {
    let arguments = ["test", "--locked", "-p", "forkscope", "--test", "e2e", "--no-run"];
    let mut cargo = cargo(&arguments);
    let messages = output(object::embed(
        cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit()),
    )?)?;
    messages.lines().rev().find_map(executable).context("cargo built no test program called e2e")
}

/// The program in one of cargo's messages, if it is the test's (The Cargo Book, "External tools").
fn executable(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_test = message["target"]["name"] == "e2e" && message["profile"]["test"] == true;
    is_test.then(|| message["executable"].as_str().map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::executable;

    #[test]
    fn only_the_test_program_counts() {
        let of = |name: &str, test: bool| {
            format!(r#"{{"target":{{"name":"{name}"}},"profile":{{"test":{test}}},"executable":"a/b"}}"#)
        };
        assert_eq!(executable(&of("e2e", true)).as_deref(), Some("a/b"));
        assert_eq!(executable(&of("e2e", false)), None);
        assert_eq!(executable(&of("forkscope", true)), None);
        assert_eq!(executable("Compiling"), None);
    }
}
