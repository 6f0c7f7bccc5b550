//! What is asked of `--record` and `--report` before anything is touched.

use anyhow::{Result, bail};
use forkscope::files::same;
use forkscope::sinks::escape::escape;
use forkscope::sinks::json;
use std::path::Path;

/// The path that means standard output, or input.
pub(super) const STREAM: &str = "-";

/// Checks that a session can be recorded to one path, and reported to the other, as far
/// as that shows beforehand.
pub(super) fn check(record: Option<&Path>, report: Option<&Path>) -> Result<()> {
    if record == Some(Path::new(STREAM)) {
        bail!(
            "cannot record to standard output, which belongs to the program; name a file (./- is one, too)"
        );
    }
    if let Some(path) = report {
        not_over_recording(record, path)?;
        json::check_writable(path)?;
    }
    Ok(())
}

/// Checks that a report does not take the place of the recording that is made, or replayed.
pub(super) fn not_over_recording(record: Option<&Path>, report: &Path) -> Result<()> {
    let real = |path: &Path| path != Path::new(STREAM);
    if let Some(record) = record.filter(|record| real(record) && real(report) && same(record, report)) {
        let [record, report] = [record, report].map(|path| escape(&path.to_string_lossy()).into_owned());
        bail!("the report {report} would take the place of the recording {record}; name two files");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_lost_or_mixed_is_refused() {
        let room = tempfile::tempdir().expect("a directory");
        let [file, link, new] = ["file", "link", "new"].map(|name| room.path().join(name));
        std::fs::write(&file, "kept").expect("own directory");
        std::os::unix::fs::symlink(&file, &link).expect("own directory");
        let stream = Path::new(STREAM);
        for (record, report, told) in [
            (Some(&*file), Some(&*file), Some("name two files")),
            (Some(&*link), Some(&*file), Some("name two files")),
            (Some(&*new), Some(&*new), Some("name two files")),
            (Some(&*new), Some(&*file), None),
            (Some(&*new), Some(stream), None),
            (Some(&*new), None, None),
            (None, Some(&*new), None),
            (Some(stream), None, Some("name a file")),
            (Some(stream), Some(stream), Some("name a file")),
        ] {
            let found = check(record, report).err().map(|error| error.to_string());
            let as_told = found.as_deref().map(|found| told.is_some_and(|told| found.contains(told)));
            assert_eq!(as_told, told.map(|_| true), "{record:?} {report:?}: {found:?}");
        }
        assert_eq!(std::fs::read(&file).expect("there"), b"kept");
    }
}
