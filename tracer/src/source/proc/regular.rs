//! Files under names that other people choose.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Opens a regular file to read it. A pipe or a device under that name is not opened, so that it neither
/// makes forkscope wait nor does anything: `O_PATH` only finds it (open(2)).
///
/// # Errors
/// Where there is none, it may not be read, or it is another kind of file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let found = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path)?;
    if !found.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    File::open(format!("/proc/self/fd/{}", found.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::io::Read as _;

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("file"), "text").expect("own directory");
        std::os::unix::fs::symlink(path("file"), path("link")).expect("own directory");
        // Opened plainly, it would wait for a writer.
        nix::unistd::mkfifo(&path("pipe"), Mode::S_IRWXU).expect("own directory");
        let mut text = String::new();
        open_regular(&path("link")).expect("it is there").read_to_string(&mut text).expect("it is readable");
        assert_eq!(text, "text");
        for other in [path("pipe"), path("missing"), directory.path().to_owned(), "/dev/null".into()] {
            assert!(open_regular(&other).is_err(), "{other:?}");
        }
    }
}
