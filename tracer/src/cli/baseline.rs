//! `--baseline` and `--write-baseline`: findings that are known, read before anything is
//! started and written at the end.

use super::args::Showing;
use super::outputs::STREAM;
use anyhow::{Result, anyhow, bail};
use forkscope::files::{self, Refusal, system};
use forkscope::report::{Baseline, Finding};
use forkscope::sinks::escape::escape;
use forkscope::sinks::whole::Output;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// What is written here.
const BASELINE: Output = Output { what: "baseline", or_stdout: false };

/// The most that is read of a file, in bytes: far more findings than a session can have.
const MOST: u64 = 16 << 20;

/// Checks what the options name, and reads what is known. Nothing has been touched yet.
pub(super) fn read(showing: &Showing, record: Option<&Path>) -> Result<Option<Baseline>> {
    if let Some(path) = &showing.write_baseline {
        if path == Path::new(STREAM) {
            bail!("cannot write the baseline to standard output; name a file (./- is one, too)");
        }
        let others = [("report", showing.report.as_deref()), ("recording", record)];
        for (what, other) in others.into_iter().filter_map(|(what, other)| Some((what, other?))) {
            if files::same(path, other) {
                bail!("the baseline would take the place of the {what} {}; name two files", shown(path));
            }
        }
        BASELINE.check(path)?;
    }
    showing.baseline.as_deref().map(|path| known(path, showing)).transpose()
}

/// What a file says.
fn known(path: &Path, showing: &Showing) -> Result<Baseline> {
    let cure = || format!("make one with --write-baseline {}", shown(path));
    let refused = |why: &dyn std::fmt::Display| anyhow!("cannot read the baseline {}: {why}", shown(path));
    match text(path) {
        Ok(text) => Baseline::parse(&text).map_err(|error| refused(&format!("{error}; {}", cure()))),
        // It is about to be made.
        Err(Refusal::System(error)) if error.kind() == ErrorKind::NotFound && merges(showing) => {
            Ok(Baseline::default())
        }
        Err(Refusal::System(error)) => Err(refused(&format!("{}; {}", system(&error), cure()))),
        Err(other) => Err(refused(&other)),
    }
}

fn text(path: &Path) -> Result<String, Refusal> {
    if let Some(what) = files::planted(path, &fs::symlink_metadata(path)?)? {
        return Err(Refusal::Planted(what));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no text"))?)
}

/// Whether what is known stays in the file that is written.
fn merges(showing: &Showing) -> bool {
    let both = showing.baseline.as_deref().zip(showing.write_baseline.as_deref());
    both.is_some_and(|(old, new)| files::same(old, new))
}

/// Writes the findings of a session, beside what was known if it is the same file.
pub(super) fn write(showing: &Showing, known: Option<&Baseline>, findings: &[Finding]) -> Result<()> {
    let Some(path) = &showing.write_baseline else { return Ok(()) };
    let mut baseline = known.filter(|_| merges(showing)).cloned().unwrap_or_default();
    baseline.learn(findings);
    Ok(BASELINE.write(&baseline.text(), path)?)
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}
