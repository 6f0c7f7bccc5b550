//! Another program, timed from its start to its end: what starts the tracer is not in it.

use super::result;
use std::env::var_os;
use std::ffi::OsString;
use std::fs::File;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs it. What it prints goes beside the result, to the file of that name with `.out`.
pub(super) fn run(program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    if let Some(mut beside) = var_os("WORKLOAD_RESULT") {
        beside.push(OsString::from(".out"));
        command.stdout(File::create(beside).expect("a file can be made"));
    }
    let began = Instant::now();
    let status = command.status().expect("the program starts");
    let took = began.elapsed();
    assert!(status.success(), "{program}: {status}");
    result::say(1, took, "");
}
