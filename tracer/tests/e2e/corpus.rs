//! The corpus: of each case what was expected and what was found, one line of JSON a check,
//! for `cargo xtask corpus`.

use std::fs::OpenOptions;
use std::io::Write;
use std::thread;

/// Names the file that lines are added to. Not set: none is kept.
const FILE: &str = "FORKSCOPE_CORPUS";

/// Keeps a line of this test's: which rules were expected, each as one of several, and which were found.
pub(crate) fn note(expected: &[&[&str]], found: &[String]) {
    let Some(path) = std::env::var_os(FILE) else { return };
    let test = thread::current().name().expect("a test's thread has its name").to_owned();
    // The tests of the checks themselves are no cases.
    if test.starts_with("check::") {
        return;
    }
    let line = serde_json::json!({ "test": test, "expected": expected, "found": found });
    // One write: other tests' lines come at the same time.
    let mut file =
        OpenOptions::new().append(true).create(true).open(path).expect("the corpus can be written");
    file.write_all(format!("{line}\n").as_bytes()).expect("the corpus can be written");
}
